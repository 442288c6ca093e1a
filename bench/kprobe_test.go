//go:build linux && (amd64 || arm64)

package bench

import "testing"

func TestParseControl(t *testing.T) {
	const list = `ffffffff810a4460  k  __x64_sys_getpgid+0x0    [FTRACE]
ffffffff810a4471  k  __x64_sys_getpgid+0x11    [OPTIMIZED]
ffffffff810a4480  k  __x64_sys_getpgid+0x20
ffffffff810a4480  r  __x64_sys_getppid+0x0
ffffffffc0a4f000  k  f+0x8  xfs  [DISABLED]
ffffffff810a5004  k  ibt+0x4    [FTRACE]
short
`
	tests := []struct {
		symbol string
		offset uint64
		want   armed
	}{
		{"__x64_sys_getpgid", 0, byFtrace},
		{"__x64_sys_getpgid", 0x11, byJump},
		{"__x64_sys_getpgid", 0x20, byInt3},
		{"__x64_sys_getpgid", 0x2, anyhow},
		{"__x64_sys_getppid", 0, anyhow},
		{"f", 8, byInt3},
		{"ibt", 0, byFtrace},
		{"f", 4, anyhow},
		{"x64_sys_getpgid", 0, anyhow},
	}
	for _, test := range tests {
		if got := parseControl(list, target{symbol: test.symbol, offset: test.offset}); got != test.want {
			t.Errorf("%s+%#x: %q, want %q", test.symbol, test.offset, got, test.want)
		}
	}
}
