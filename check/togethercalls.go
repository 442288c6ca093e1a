package check

import (
	"slices"

	"github.com/surehook/surehook/bpfobj"
)

// HelpersOf gives what a compiled program calls on the kernels of the fleet, as
// Part.Calls has it; nil if that is not known. Helpers on maps are given as the
// functions that the verifier puts in their place, by the types of the maps
// that the program has.
func (f *Fleet) HelpersOf(p *bpfobj.Program) ([]string, error) {
	if !p.Compiled() {
		return nil, nil
	}
	out := []string{}
	for _, m := range f.asked {
		t, err := m.trace(p)
		if err != nil {
			return nil, err
		}
		names, err := m.numbers("bpf_func_id")
		if err != nil {
			return nil, err
		}
		if t.NotKnown != "" || names == nil {
			return nil, nil
		}
		for _, h := range t.Helpers {
			for _, name := range onMaps(names[int64(h.Helper)], t.Maps) {
				if !slices.Contains(out, name) {
					out = append(out, name)
				}
			}
		}
	}
	return out, nil
}

// mapFunctions are the beginnings of the functions of maps, by their type (enum
// bpf_map_type).
func mapFunctions() map[uint32]string {
	return map[uint32]string{1: "htab_map", 2: "array_map", 5: "htab_percpu_map", 6: "percpu_array_map", 9: "htab_lru_map", 10: "htab_lru_percpu_map", 11: "trie"}
}

// onMaps gives the functions behind a helper of the enum bpf_func_id.
func onMaps(constant string, maps []bpfobj.MapUse) []string {
	const prefix = "BPF_FUNC_"
	if len(constant) <= len(prefix) {
		return nil
	}
	helper := "bpf_" + constant[len(prefix):]
	suffix, ok := mapOps()[helper]
	if !ok {
		return []string{helper}
	}
	var out []string
	for _, m := range maps {
		kind, ok := mapFunctions()[uint32(m.Type)]
		if !ok {
			return []string{helper} // of a type that is not in the table: any
		}
		out = append(out, kind+suffix)
	}
	return out
}
