//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// Explain says in plain words why the kernel does not attach a probe of its own
// code or events in a way; err is what it said.
func Explain(way Way, p Probe, err error) string {
	return explainWay(way, breakpoint{symbol: p.Symbol, offset: p.Offset, ret: p.Return}, err)
}

// ExplainUser says the same of a uprobe.
func ExplainUser(err error) string { return explain(err) }

// explainWay says in plain words why the kernel does not attach a breakpoint
// in a way.
func explainWay(way Way, b breakpoint, err error) string {
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) && !errors.As(err, new(*ebpf.VerifierError)) {
		return "not permitted: it needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, and a kernel that is not locked down"
	}
	switch way {
	case ByKprobe:
		return explainKprobe(b, err)
	case ByKprobeMulti:
		return "the kernel has no such function that ftrace knows (" + err.Error() + ")"
	case ByFentry, ByLSM:
		return explainTrampoline(way, err)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOENT):
		if way == ByTracepoint {
			return "the running kernel has no such event, or its module is not loaded (" + err.Error() + ")"
		}
		return "the running kernel has no raw tracepoint of this name, or its module is not loaded"
	case errors.Is(err, syscall.EEXIST):
		return "the kernel does not take one more program on this event (EEXIST)"
	}
	return err.Error()
}

// explainTrampoline: kernel/bpf/trampoline.c, bpf_check_attach_target in
// kernel/bpf/verifier.c.
func explainTrampoline(way Way, err error) string {
	what := "function"
	if way == ByLSM {
		what = "LSM hook"
	}
	var refused *ebpf.VerifierError
	switch {
	case errors.Is(err, btf.ErrMultipleMatches):
		return "the kernel's BTF has several functions of this name"
	case errors.Is(err, btf.ErrNotFound), errors.Is(err, ebpf.ErrNotSupported):
		return "the kernel's BTF has no " + what + " of this name, or there is no BTF (CONFIG_DEBUG_INFO_BTF)"
	case errors.As(err, &refused) && len(refused.Log) > 0:
		return "the kernel does not let a program on it: " + lastWords(refused.Log)
	case errors.Is(err, errNotSupp), errors.Is(err, syscall.EOPNOTSUPP):
		return "this kernel has no direct calls of ftrace, or no BPF LSM (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, CONFIG_BPF_LSM)"
	case errors.Is(err, syscall.E2BIG):
		return "the kernel does not take one more program on this " + what + " (E2BIG)"
	case errors.Is(err, syscall.EBUSY):
		return "something else holds the function (a live patch, or another tracer)"
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOENT):
		return "the kernel has no place for a trampoline there (notrace, or on a denied list)"
	}
	return err.Error()
}

// lastWords is the last line of a verifier's log that says something: its
// statistics come after it.
func lastWords(log []string) string {
	for i := len(log) - 1; i >= 0; i-- {
		line := strings.TrimSpace(log[i])
		if line != "" && !strings.HasPrefix(line, "processed ") && !strings.HasPrefix(line, "verification time") && !strings.HasPrefix(line, "stack depth") {
			return line
		}
	}
	return "refused by the verifier"
}
