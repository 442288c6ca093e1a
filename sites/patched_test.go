package sites

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/surehook/surehook/hook"
)

// TestPatchSpace: the body begins at its symbol, in front of the space for
// patches, wherever the debug information has it begin.
func TestPatchSpace(t *testing.T) {
	const source = "__attribute__((noinline)) int f(int n) { return n * 3; }\nint main(int c, char **v) { return f(c); }\n"
	for _, compiler := range []string{"gcc", "aarch64-linux-gnu-gcc"} {
		t.Run(compiler, func(t *testing.T) {
			if _, err := exec.LookPath(compiler); err != nil {
				t.Skip("no ", compiler)
			}
			dir := t.TempDir()
			src, out := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
			if err := os.WriteFile(src, []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			if text, err := exec.Command(compiler, "-g", "-O2", "-fpatchable-function-entry=2", "-o", out, src).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			b, err := Open(out, Options{})
			if err != nil {
				t.Fatal(err)
			}
			rs, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Target: out, Function: "f"})
			if err != nil {
				t.Fatal(err)
			}
			if len(rs) != 1 || rs[0].Plain.Verdict != Complete || len(rs[0].Sites) != 1 || rs[0].Sites[0].Offset != 0 {
				t.Errorf("%+v", rs)
			}
		})
	}
}
