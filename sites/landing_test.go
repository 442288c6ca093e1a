package sites

import "testing"

// Bodies are counted behind an endbr64 only where that is the same, and cheaper.
func TestBehindLanding(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		want uint64
	}{
		"push": {`f3 0f 1e fa ; endbr64
			55 ; push rbp
			5d c3 ; pop rbp, ret`, 4},
		"push r12":      {"f3 0f 1e fa\n 41 54\n 41 5c c3", 4},
		"nop":           {"f3 0f 1e fa\n 90\n c3", 4},
		"stepped too":   {"f3 0f 1e fa\n 48 83 ec 08\n c3 ; sub rsp, 8", 0},
		"five-byte nop": {"f3 0f 1e fa\n 0f 1f 44 00 00\n c3", 0},
		"a loop begins": {`f3 0f 1e fa
			50 ; push rax
			ff cf ; dec edi
			75 fb ; jne to the push
			c3`, 0},
		"no endbr64": {"55 5d c3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			bd := assembled(t, c.code)
			if got := bd.behindLanding(bd.graph.Entry) - codeBase; got != c.want {
				t.Errorf("at %#x, want %#x", got, c.want)
			}
		})
	}
}
