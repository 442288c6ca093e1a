//go:build amd64 || arm64

package misses

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	nest "github.com/surehook/surehook/internal/nesting"
)

// Demo shows missed executions live: counts of a hook that is skipped and, of
// the same executions, of the one that is advised. It attaches both for a
// second; their programs count in a few threads of this process only.
func Demo(w io.Writer, a *Abilities) error {
	getpgid := map[string]string{"amd64": "__x64_sys_getpgid", "arm64": "__arm64_sys_getpgid"}[runtime.GOARCH]
	b := bufio.NewWriter(w)
	for i, s := range stories(getpgid) {
		fmt.Fprintf(b, "%d. %s\n\n%s\n\n", i+1, s.title, s.text)
		if err := s.show(b, a); err != nil {
			return errors.Join(err, b.Flush())
		}
		fmt.Fprintln(b)
		if err := b.Flush(); err != nil { // each story when it is done
			return err
		}
	}
	return nil
}

// show makes the first scene that can be attached.
func (s *story) show(w io.Writer, a *Abilities) error {
	hooks, said := false, ""
	for _, x := range s.scenes {
		out, err := x.play(s.calls)
		var not *notShown
		if errors.As(err, &not) {
			hooks = hooks || not.hooks
			if not.Error() != said { // of a lock it is the same with all outer hooks
				fmt.Fprintf(w, "   not shown with %s\n", not)
			}
			said = not.Error()
			continue
		}
		if err != nil {
			return err
		}
		return x.table(w, a, &out)
	}
	if !hooks {
		fmt.Fprintln(w, "   This kernel takes none of these hooks.")
	}
	return nil
}

// table writes the counts side by side.
func (x *scene) table(w io.Writer, a *Abilities, out *nest.Outcome) error {
	skipped, instead := out.Inner[0], out.Inner[1]
	lost := instead.Ran - min(skipped.Ran, instead.Ran)
	counted := skipped.Recursion
	if skipped.Missed != nil {
		counted += *skipped.Missed
	}
	if x.lock != "" {
		fmt.Fprintf(w, "   Here it is %s.\n", x.lock)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "   \tHOOK\tEXECUTIONS SEEN\tLOST\tTHE KERNEL SAYS, OF ALL THREADS")
	fmt.Fprintf(t, "   outer\t%s\t%d\t-\t-\n", out.Outer.Hook, out.Outer.Ran)
	fmt.Fprintf(t, "   inner\t%s\t%d\t%d\t%s\n", skipped.Hook, skipped.Ran, lost, a.judge(skipped.Hook.Kind, counted))
	fmt.Fprintf(t, "   instead\t%s\t%d\t0\t%s\n", instead.Hook, instead.Ran, a.judge(instead.Hook.Kind, instead.Recursion))
	if err := t.Flush(); err != nil {
		return err
	}
	if instead.Ran == 0 {
		fmt.Fprintln(w, "   The inner hook was not reached: nothing to see this time.")
	}
	return nil
}
