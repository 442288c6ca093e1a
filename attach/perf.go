//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/internal/bpf"
)

// perf attaches by perf events, one a breakpoint: Linux before 6.6. A process
// filter would be one of a thread (perf_event_open(2)), so it has none.
type perf struct {
	objs   *bpf.Objects
	cookie bool // bpf_get_attach_cookie exists, Linux 5.15
}

func (perf) name() string     { return "perf-event uprobes" }
func (perf) perProcess() bool { return false }

func (p perf) attach(t *target, breaks []breakpoint, _ int, keep bool) ([]io.Closer, []fault, error) {
	ex, err := link.OpenExecutable(t.name())
	if err != nil {
		return nil, nil, err
	}
	var links closers
	var faults []fault
	for _, b := range breaks {
		l, err := p.link(ex, b)
		switch {
		case err == nil:
			links = append(links, l)
			continue
		case errors.Is(err, fs.ErrPermission):
			err = fmt.Errorf("%w; perf events need CAP_SYS_ADMIN where kernel.perf_event_paranoid is above 2 (Debian, Ubuntu)", err)
			return nil, nil, errors.Join(err, links.Close())
		case general(err):
			return nil, nil, errors.Join(err, links.Close())
		}
		faults = append(faults, fault{b, t.fault(b, explain(err), err)})
		if !keep {
			return nil, faults, links.Close()
		}
	}
	return links, faults, nil
}

func (p perf) link(ex *link.Executable, b breakpoint) (io.Closer, error) {
	prog, opts := p.objs.Hit, &link.UprobeOptions{Address: b.offset}
	if p.cookie {
		opts.Cookie = b.cookie()
	} else {
		err := lifting(func() (err error) {
			prog, err = p.objs.Fixed(b.cookie())
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if b.ret {
		return ex.Uretprobe("", prog, opts)
	}
	return ex.Uprobe("", prog, opts)
}
