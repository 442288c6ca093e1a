package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

// Deps is what a demo shows off. It is given from outside so that the stories
// need neither flags nor the kernel, and can be tested without root.
type Deps struct {
	// Sites analyses one hook. Paths in hooks are absolute.
	Sites func(hook string) ([]sites.Result, error)
	// Attach puts the plans and the plain probes of all results. nil, or an
	// error that is attach.ErrNotPermitted or attach.ErrNotSupported: the demo
	// shows the analysis and says what it needs to go on.
	Attach func(ctx context.Context, results []sites.Result) (Session, error)
	// Paste gives a command that probes all sites of the result, to be shown;
	// nil or "": nothing is shown.
	Paste func(r *sites.Result) string
}

// Session is a set of attached probes.
type Session interface {
	// Counts reads the counters, in the order of the results given to Attach.
	Counts() ([]tally.Count, error)
	Close() error
}

// Options of Run.
type Options struct {
	// Dir receives the programs and their sources; "": a new directory below
	// os.TempDir. It is left behind, so that what the demo prints can be tried.
	Dir string
	// Arch of the programs that are shown; UnknownArch: this machine's, amd64
	// where there are none for it.
	Arch elfbin.Arch
}

// Run tells the named example, all of them for "". The error is nil when
// attaching was not possible and only the analysis could be shown.
func Run(ctx context.Context, w io.Writer, name string, opts Options, deps Deps) error {
	list := Examples()
	if name != "" {
		e, err := Find(name)
		if err != nil {
			return err
		}
		list = []Example{e}
	}
	stage, err := newStage(ctx, w, opts, deps)
	if err != nil {
		return err
	}
	for i, e := range list {
		if i > 0 {
			stage.print("")
		}
		if err := Extract(stage.dir, e, stage.arch); err != nil {
			return err
		}
		if err := stage.tell(e); err != nil {
			return fmt.Errorf("demo %s: %w", e.Name, err)
		}
	}
	stage.farewell(list)
	return stage.err
}

// stage is what the stories play on.
type stage struct {
	ctx  context.Context
	w    io.Writer
	deps Deps
	dir  string // absolute
	arch elfbin.Arch
	live bool   // cleared by the first attempt to attach that is not permitted
	why  string // live is false because
	err  error  // of writing to w
}

func newStage(ctx context.Context, w io.Writer, opts Options, deps Deps) (*stage, error) {
	s := &stage{ctx: ctx, w: w, deps: deps, arch: opts.Arch, live: true}
	if s.arch == elfbin.UnknownArch {
		s.arch = hostArch()
	}
	switch {
	case runtime.GOOS != "linux":
		s.stay("attaching needs Linux")
	case s.arch.String() != runtime.GOARCH:
		s.stay("these are programs for " + s.arch.String())
	case deps.Attach == nil:
		s.stay(attach.ErrNotSupported.Error())
	}
	var err error
	s.dir, err = directory(opts.Dir)
	return s, err
}

func hostArch() elfbin.Arch {
	if runtime.GOARCH == elfbin.ARM64.String() {
		return elfbin.ARM64
	}
	return elfbin.AMD64
}

func directory(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "surehook-demo-")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return absolute(dir)
}

func (s *stage) stay(why string) { s.live, s.why = false, why }

func (s *stage) tell(e Example) error {
	s.printf("== %s: %s\n\n", e.Name, e.Title)
	switch e.Name {
	case "inline":
		return s.inline(e)
	case "partial":
		return s.partial(e)
	default:
		return s.relink(e)
	}
}

// attach puts the probes. A nil session without error means that it is not
// permitted here; the reason is printed once, at the end.
func (s *stage) attach(results ...sites.Result) (Session, error) {
	if !s.live {
		return nil, nil
	}
	session, err := s.deps.Attach(s.ctx, results)
	switch { // the sentinels' texts say what to do; the rest of the chain is for logs
	case errors.Is(err, attach.ErrNotPermitted):
		s.stay(attach.ErrNotPermitted.Error())
		return nil, nil
	case errors.Is(err, attach.ErrNotSupported):
		s.stay(err.Error())
		return nil, nil
	}
	return session, err
}

// analyse resolves one hook that must lead to one function.
func (s *stage) analyse(hook string) (*sites.Result, error) {
	results, err := s.deps.Sites(hook)
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("%s leads to %d functions, not one", hook, len(results))
	}
	return &results[0], nil
}

func (s *stage) farewell(told []Example) {
	s.print("")
	if !s.live {
		s.print(wrap("Not shown live: "+s.why+".", width)...)
	}
	s.printf("The programs and their sources stay in %s. Go on with:\n", s.dir)
	here := strings.NewReplacer("./", s.dir+"/")
	e := told[0]
	s.printf("  surehook trace --prove %s -c '%s'\n", here.Replace(e.Hook), here.Replace(strings.Join(e.Command, " ")))
}
