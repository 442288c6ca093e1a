package image

import (
	"testing"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// TestJumpLabel: code behind a jump label is reached by the jump that the
// kernel patches in, so that nothing of the function is in doubt.
func TestJumpLabel(t *testing.T) {
	s := read(t, Options{}, input(t, buildKernel(t)))
	f := function(t, s, "slow_path")
	if len(f.Copies) != 1 || f.Copies[0].Caller != "branchy" || f.Plan.Verdict != sites.Complete {
		t.Errorf("%+v", f)
	}
	if f := function(t, s, "branchy"); f.Symbols[0].Kind != kernel.Body {
		t.Errorf("%+v", f)
	}
}
