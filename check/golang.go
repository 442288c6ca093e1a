package check

import (
	"fmt"

	"github.com/surehook/surehook/sites"
)

// stackCheck: a Go function is begun again when its stack has grown (SH412).
func stackCheck(c context) []Finding {
	if !c.has(sites.ReasonStack) {
		return nil
	}
	f := Finding{
		Message: fmt.Sprintf("%s checks its stack first and is begun again when it had to grow: the plain probe counts some executions twice", c.Function),
		Remedy:  c.command(),
	}
	for _, s := range c.Sites {
		if s.Plain && len(f.Evidence) < maxEvidence {
			f.Evidence = append(f.Evidence, "the check has passed at "+where(s))
		}
	}
	return []Finding{f}
}

// goReturn: a return probe crashes a Go program (SH413).
func goReturn(c context) []Finding {
	if !c.has(sites.ReasonGoReturn) {
		return nil
	}
	return []Finding{{
		Message:  fmt.Sprintf("a uretprobe on %s crashes the program: Go moves stacks and does not know the address that the probe leaves there", c.Function),
		Evidence: []string{"golang/go#22008: unexpected return pc, or a jump into freed memory"},
		Remedy:   "probe the return instructions:\n" + c.command(),
	}}
}
