package kernel

// String names the topic for people.
func (t Topic) String() string {
	names := [NumTopics]string{
		"symbols", "inlining", "signatures", "ftrace locations", "kprobe blacklist", "tracepoints", "raw tracepoint arguments",
		"LSM hooks", "calls", "configuration", "types", "modules", "kfuncs", "calls of modules", "which calls are made each time",
	}
	if t >= NumTopics {
		return "?"
	}
	return names[t]
}

// String gives the answer in words.
func (a Answer) String() string {
	switch a {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "not known"
}
