package running

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

var errNotKernel = errors.New("the types are not the kernel's")

// types of the kernel or a module.
type typeSpec struct {
	module string
	spec   *btf.Spec
	err    error
}

// targets finds functions by the numbers of BTF and type, reading each BTF once.
type targets map[uint32]*typeSpec

func (t targets) of(id uint32) *typeSpec {
	s := t[id]
	if s == nil {
		s = readTypes(btf.ID(id))
		t[id] = s
	}
	return s
}

func readTypes(id btf.ID) *typeSpec {
	h, err := btf.NewHandleFromID(id)
	if err != nil {
		return &typeSpec{err: err}
	}
	defer h.Close()
	info, err := h.Info()
	switch {
	case err != nil:
		return &typeSpec{err: err}
	case !info.IsKernel:
		return &typeSpec{err: errNotKernel}
	case info.IsVmlinux():
		spec, err := btf.LoadKernelSpec()
		return &typeSpec{spec: spec, err: err}
	}
	spec, err := btf.LoadKernelModuleSpec(info.Name)
	return &typeSpec{module: info.Name, spec: spec, err: err}
}

// find gives the function, or why it is not known.
func (t targets) find(id, typeID uint32) (Place, string) {
	s := t.of(id)
	if s.err != nil {
		return Place{}, fmt.Sprintf("BTF %d: %v", id, s.err)
	}
	found, err := s.spec.TypeByID(btf.TypeID(typeID))
	if err != nil {
		return Place{}, fmt.Sprintf("BTF %d, type %d: %v", id, typeID, err)
	}
	return Place{Name: found.TypeName(), Module: s.module}, ""
}

// isProgram tells whether a program has a number.
func (r *reader) isProgram(id uint32) bool {
	p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
	if err != nil {
		return false
	}
	p.Close()
	return true
}

// missed is a link's counter. A field that the kernel does not know is 0; its
// types tell whether it does (added by commits e2b2cd592adb and 3acf8ace6823).
func (r *reader) missed(n uint64) Counter {
	if n > 0 {
		return Counter{N: n}
	}
	if r.noMissed == nil {
		why := whyNoMissed()
		r.noMissed = &why
	}
	return Counter{NotKnown: *r.noMissed}
}

// whyNoMissed says why links do not tell what they missed; "" if they do.
func whyNoMissed() string {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return "whether this kernel counts it cannot be told without its types: " + err.Error()
	}
	var info *btf.Struct
	if err := spec.TypeByName("bpf_link_info", &info); err != nil {
		return "whether this kernel counts it cannot be told: " + err.Error()
	}
	if !hasMember(info, "missed", 4) {
		return "this kernel does not count it; Linux 6.7 and later do"
	}
	return ""
}

// hasMember looks for a member in a type and the structs within it.
func hasMember(t btf.Type, name string, depth int) bool {
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name || depth > 0 && hasMember(m.Type, name, depth-1) {
			return true
		}
	}
	return false
}

// sameRoot tells whether two processes see the same file system: mount
// namespace and root directory.
func sameRoot(a, b string) bool {
	for _, name := range []string{"ns/mnt", "root"} {
		x, err1 := os.Stat(filepath.Join(a, name))
		y, err2 := os.Stat(filepath.Join(b, name))
		if err1 != nil || err2 != nil || !os.SameFile(x, y) {
			return false
		}
	}
	return true
}
