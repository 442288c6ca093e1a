package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj/loader"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// attaches tells whether what was found lets the plain probe be loaded and
// attached, whatever its loader may do about it.
func (c *kcontext) attaches() kernel.Answer {
	answer := kernel.Yes
	for _, f := range c.found {
		switch {
		case f.Rule == SH113: // the program is attached, and never run
		case f.plain == blocks:
			return kernel.No
		case f.plain != harmless && (AttachNotKnown(f.reason) || f.reason == reasonRefusedProgram):
			answer = kernel.NotKnown
		}
	}
	return answer
}

// either folds the answers for what one hook names: it is attached where one
// of them is.
func either(all, one kernel.Answer, first bool) kernel.Answer {
	switch {
	case first || one == kernel.Yes:
		return one
	case all == kernel.Yes || one == kernel.No:
		return all
	}
	return kernel.NotKnown
}

// byLoader lowers findings that the program's loader may avert: it leaves the
// program out, or puts it elsewhere.
func (c *kcontext) byLoader() {
	if c.program == nil {
		return
	}
	for i := range c.found {
		f := &c.found[i]
		if f.plain != blocks {
			continue
		}
		why := c.averted(f)
		if why == "" {
			continue
		}
		f.plain = doubts
		if f.Severity == Error {
			f.Severity = Warning
		}
		f.Evidence = append(f.Evidence[:len(f.Evidence):len(f.Evidence)], why)
	}
}

// averted says how the loader may avert that the program cannot be attached;
// "" if it does not.
func (c *kcontext) averted(f *kfinding) string {
	if why := c.program.LoaderNotKnown; why != "" {
		return "its loader may leave the program out, or attach it elsewhere; that is not known: " + why
	}
	does := func(k loader.Kind, target bool) (loader.Act, bool) {
		i := slices.IndexFunc(c.program.Loader, func(a loader.Act) bool { return a.Kind == k && (a.Target != "") == target })
		if i < 0 {
			return loader.Act{}, false
		}
		return c.program.Loader[i], true
	}
	if a, ok := does(loader.LeavesOut, false); ok {
		return fmt.Sprintf("its loader may leave the program out: it calls bpf_program__set_autoload at %#x", a.Where)
	}
	if f.reason == reasonRefusedProgram {
		return ""
	}
	if a, ok := does(loader.Names, false); ok {
		return fmt.Sprintf("its loader names another place at run time, in the call at %#x", a.Where)
	}
	if a, ok := does(loader.Attaches, false); ok && c.attachedLater() {
		return fmt.Sprintf("its loader attaches the program by itself, in the call at %#x, perhaps only where it can", a.Where)
	}
	return ""
}

// attachedLater tells whether the kernel takes the program before it is told
// where it is attached.
func (c *kcontext) attachedLater() bool {
	section := strings.TrimPrefix(c.program.Section, "?")
	return c.kprobe() || c.multi() || c.kind == hook.Tracepoint || c.kind == hook.RawTracepoint && !strings.HasPrefix(section, "tp_btf")
}
