package bench

import (
	"os"
	"strconv"
	"strings"
)

// processor is the processor's name as the kernel has it, "" if it does not say
// (arm64 gives numbers only).
func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// times are what a CPU has spent, in ticks of /proc/stat: all, and what the
// hypervisor took.
type times struct{ all, steal uint64 }

// cpuTimes is zero when it is not known.
func cpuTimes(cpu int) (t times) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 9 || f[0] != "cpu"+strconv.Itoa(cpu) {
			continue
		}
		for i, word := range f[1:9] { // what follows is in these already
			n, err := strconv.ParseUint(word, 10, 64)
			if err != nil {
				return times{}
			}
			t.all += n
			if i == 7 {
				t.steal = n
			}
		}
	}
	return t
}

func stolen(before, after times) float64 {
	if after.all <= before.all || after.steal < before.steal {
		return 0
	}
	return float64(after.steal-before.steal) / float64(after.all-before.all)
}
