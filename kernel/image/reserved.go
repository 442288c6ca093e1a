package image

// reserved tells where the kernel changes its code while it runs, so that it
// refuses kprobes: jump labels and static calls (jump_label_text_reserved,
// static_call_text_reserved). Both tables have the place first, as an offset
// from itself; entries of jump labels are 16 bytes on machines that have them
// relative (CONFIG_HAVE_ARCH_JUMP_LABEL_RELATIVE), those of static calls 8.
// ftrace's places are the functions' entries, where kprobes go through ftrace.
func (s *source) reserved() func(addr uint64) bool {
	places := map[uint64]bool{}
	for _, t := range []struct {
		start, stop string
		step        uint64
	}{
		{"__start___jump_table", "__stop___jump_table", 16},
		{"__start_static_call_sites", "__stop_static_call_sites", 8},
	} {
		low, high, ok := s.bounds(t.start, t.stop)
		if !ok || high-low > maxTable {
			continue
		}
		for at := low; at+t.step <= high; at += t.step {
			for _, p := range s.prel32(at, at+4) {
				places[p] = true
			}
		}
	}
	return func(addr uint64) bool { return places[addr] }
}
