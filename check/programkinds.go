package check

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/bpfobj"
)

// instructions: the program has instructions that the kernel does not know.
// Nothing in a kernel's facts names them; its version is all there is.
func (c *kcontext) instructions(*bpfobj.Trace) (out []kfinding, err error) {
	list := c.program.Recent()
	if len(list) == 0 {
		return nil, nil
	}
	version, known := versionCode(c.id)
	for _, r := range list {
		f := kfinding{reason: reasonRefusedProgram}
		f.Function = r.Name
		f.Evidence = []string{at(r.Where, r.Line)}
		f.Remedy = "compile for an older instruction set (clang -mcpu=v2 or v3; without results of __sync_fetch_and_add)"
		since := fmt.Sprintf("%s, which kernels know since Linux %d.%d", r.Name, r.Since>>16, r.Since>>8&255)
		switch {
		case !known:
			f.Severity, f.plain = Warning, doubts
			f.Message = "the program has " + since + "; this kernel's version is not known"
		case version < r.Since:
			f.plain = blocks
			f.Message = "the program has " + since + ": this one refuses it"
		default:
			continue
		}
		out = append(out, f)
	}
	return out, nil
}

// ofPackets are helpers of packets and sockets, by number in enum bpf_func_id,
// that programs which trace without types may not call: no list of
// bpf_trace.c has them for kprobes, tracepoints and perf events.
func ofPackets() map[int32]string {
	return map[int32]string{
		9: "skb_store_bytes", 10: "l3_csum_replace", 11: "l4_csum_replace", 13: "clone_redirect", 18: "skb_vlan_push", 19: "skb_vlan_pop",
		20: "skb_get_tunnel_key", 21: "skb_set_tunnel_key", 23: "redirect", 24: "get_route_realm", 26: "skb_load_bytes",
		38: "skb_change_tail", 39: "skb_pull_data", 40: "csum_update", 41: "set_hash_invalid", 43: "skb_change_head", 44: "xdp_adjust_head",
		46: "get_socket_cookie", 47: "get_socket_uid", 48: "set_hash", 49: "setsockopt", 50: "skb_adjust_room", 51: "redirect_map",
		52: "sk_redirect_map", 53: "sock_map_update", 54: "xdp_adjust_meta", 57: "getsockopt", 107: "sk_storage_get", 108: "sk_storage_delete",
		111: "skb_output", 121: "xdp_output", 124: "sk_assign", 135: "csum_level", 152: "redirect_neigh", 155: "redirect_peer",
	}
}

// otherKinds: the program calls helpers that are for programs of other kinds.
func (c *kcontext) otherKinds(t *bpfobj.Trace) (out []kfinding, err error) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(c.program.Section, "?"), "/")
	switch strings.TrimSuffix(strings.TrimSuffix(kind, ".s"), ".w") {
	case "tp_btf", "fentry", "fexit", "fsession", "fmod_ret", "lsm", "lsm_cgroup", "iter", "freplace", "syscall", "":
		return nil, nil // these have types, and more helpers
	}
	names := ofPackets()
	seen := map[int32]bool{}
	for _, y := range t.Helpers {
		name, ok := names[y.Helper]
		if !ok || seen[y.Helper] {
			continue
		}
		seen[y.Helper] = true
		f := kfinding{reason: reasonRefusedProgram, plain: blocks}
		f.Function = name
		f.Message = fmt.Sprintf("programs of kind %s may not call the helper %s: the kernel refuses this one", kind, name)
		f.Evidence = []string{at(y.Where, y.Line)}
		f.Remedy = "take a kind with types (tp_btf, fentry), or do without"
		unless(&f, y.Unless)
		out = append(out, f)
	}
	return out, nil
}
