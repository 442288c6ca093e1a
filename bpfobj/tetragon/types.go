package tetragon

import (
	"maps"
	"slices"

	"github.com/surehook/surehook/bpfobj"
)

// argType is how a policy's type reads an argument: as a struct that it
// points to, or as a value.
type argType struct {
	as    string // "struct file *"
	shape bpfobj.Shape
	none  bool // the value is not read
}

// argTypes are the types of arguments and what they read.
func argTypes() map[string]argType {
	number := func(bytes int) argType { return argType{shape: bpfobj.Shape{Kind: bpfobj.Number, Bytes: bytes}} }
	pointer := func(to string) argType { return argType{as: to + " *"} }
	caps := pointer("kernel_cap_t")
	return map[string]argType{
		"auto": {none: true}, "nop": {none: true},
		"int8": number(1), "uint8": number(1), "sint8": number(1), "int16": number(2), "uint16": number(2), "sint16": number(2),
		"int": number(4), "int32": number(4), "sint32": number(4), "uint32": number(4), "fd": number(4), "capability": number(4),
		"long": number(8), "int64": number(8), "sint64": number(8), "ulong": number(8), "uint64": number(8), "size_t": number(8), "syscall64": number(8),
		"string": {shape: bpfobj.Shape{Kind: bpfobj.Text}}, "char_buf": {shape: bpfobj.Shape{Kind: bpfobj.Buffer}},
		"const_buf": {shape: bpfobj.Shape{Kind: bpfobj.Buffer}}, "data_loc": {shape: bpfobj.Shape{Kind: bpfobj.DataLoc}},
		"char_iovec": pointer("struct iovec"), "filename": pointer("struct filename"), "file": pointer("struct file"), "path": pointer("struct path"),
		"dentry": pointer("struct dentry"), "sock": pointer("struct sock"), "skb": pointer("struct sk_buff"), "socket": pointer("struct socket"),
		"sockaddr": pointer("struct sockaddr"), "cred": pointer("struct cred"), "perf_event": pointer("struct perf_event"),
		"bpf_map": pointer("struct bpf_map"), "bpf_prog": pointer("struct bpf_prog"), "bpf_attr": pointer("union bpf_attr"),
		"user_namespace": pointer("struct user_namespace"), "kiocb": pointer("struct kiocb"), "iov_iter": pointer("struct iov_iter"),
		"load_info": pointer("struct load_info"), "module": pointer("struct module"), "linux_binprm": pointer("struct linux_binprm"),
		"net_device": pointer("struct net_device"), "kernel_cap_t": caps, "cap_inheritable": caps, "cap_permitted": caps, "cap_effective": caps,
	}
}

func typeNames() []string { return slices.Sorted(maps.Keys(argTypes())) }
