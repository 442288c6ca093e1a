package check

import (
	"path"
	"testing"
)

// TestMatcher compares with path.Match, whatever a glob begins and ends with.
func TestMatcher(t *testing.T) {
	names := []string{"", "a", "ab", "aab", "vfs_read", "vfs_readv", "do_vfs_read", "x*y", "[a]", "b]"}
	for _, pattern := range []string{
		"", "*", "a*", "*b", "a*b", "ab*b", "vfs_*", "*_read", "*vfs*", "vfs_rea?", "?fs_*d", "[uv]fs_*", "*[dv]", "a[*]b", `x\*y`, `*\*y`, `\[a]`, "*]", "[", `a\`,
	} {
		match := matcher(pattern)
		for _, name := range names {
			want, err := path.Match(pattern, name)
			if got := match(name); got != (want && err == nil) {
				t.Errorf("%s and %q: %v", pattern, name, got)
			}
		}
		if match("a.isra.0") {
			t.Errorf("%s matches a clone", pattern)
		}
	}
}
