package unix

import (
	"strconv"
	"strings"
)

// Mount is a line of mountinfo (proc_pid_mountinfo(5)).
type Mount struct {
	ID      uint64
	Root    string   // what of the file system is mounted
	Point   string   // where, as seen from the root directory of whoever reads
	Type    string   // of the file system
	Options []string // of the file system: "upperdir=/u"
}

// ParseMounts reads a text of mountinfo. Lines that make no sense are left out.
func ParseMounts(text string) []Mount {
	var out []Mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ") // behind optional fields
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 3 {
			continue
		}
		id, err := strconv.ParseUint(f[0], 10, 64)
		if err != nil {
			continue
		}
		m := Mount{ID: id, Root: unescape(f[3]), Point: unescape(f[4]), Type: g[0]}
		for option := range strings.SplitSeq(g[2], ",") {
			m.Options = append(m.Options, unescape(option))
		}
		out = append(out, m)
	}
	return out
}

// unescape undoes the octal escapes of mountinfo (mangle_path).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
