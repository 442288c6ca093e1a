package audit

import (
	"os"
	"strconv"
	"strings"
)

// mount is a line of /proc/self/mountinfo.
type mount struct {
	id    uint64
	point string
}

func readMounts() ([]mount, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMounts(string(text)), nil
}

// parseMounts reads number and mount point of each line (proc(5), mountinfo).
func parseMounts(text string) []mount {
	var out []mount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		id, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			continue
		}
		// proc(5): space, tab, line break and backslash are octal.
		point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		out = append(out, mount{id, point})
	}
	return out
}

// mountOf gives the mount point of a file, "" where that is the root directory:
// nobody unmounts it.
func (a *auditor) mountOf(f *file) string {
	for _, m := range a.mounts {
		if m.id == f.info.Mount && m.id != 0 && m.point != "/" {
			return m.point
		}
	}
	return ""
}
