package attach

// event tells whether a way that has no registers is among them.
func (w Ways) event() bool {
	for _, way := range w {
		if way > ByKprobe {
			return true
		}
	}
	return false
}

// has tells whether a way is among them.
func (w Ways) has(way Way) bool {
	for _, o := range w {
		if o == way {
			return true
		}
	}
	return false
}

// String gives the name of what the way attaches.
func (w Way) String() string { return w.name(false) }

func (w Way) name(ret bool) string {
	names := [...]string{"", "kprobe", "fentry", "kprobe.multi", "tracepoint", "raw tracepoint", "LSM hook"}
	if ret {
		names = [...]string{"", "kretprobe", "fexit", "kretprobe.multi", "tracepoint", "raw tracepoint", "LSM hook"}
	}
	if int(w) >= len(names) {
		return "?"
	}
	return names[w]
}
