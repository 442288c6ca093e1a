package check

// The rules about files that are given, whatever they hook.
const (
	SH001 Code = "SH001" // stale baseline entry
	SH002 Code = "SH002" // rejected by the program it is for
	SH003 Code = "SH003" // field that is not known
)

func inputRules() []Rule {
	return []Rule{
		{
			Code: SH001, Title: "stale baseline entry", Severity: Info,
			Summary: "A baseline accepts a finding that is not there any more, or accepted it until a day that is over.",
			Explanation: `
A baseline (surehook check --baseline FILE) lists findings that somebody has
looked at and accepts, each with the reason:

    accepted:
      - rule: SH401
        hook: "kprobe:do_open"
        on: [debian-5.10.*, debian-6.1.*]
        reason: only opens by path are counted
        expires: 2027-03-31

An entry that accepts nothing any more would hide the finding when it comes
back. It is stale for a kernel or binary that was asked in this run and has no
such finding; what was not asked says nothing.`,
			Remedy: "Remove the entry, or what is stale of it.",
		},
		{
			Code: SH002, Title: "rejected by the program it is for", Severity: Error,
			Summary: "bpftrace or tetragon rejects the file: none of its hooks is attached.",
			Explanation: `
A script or policy with a mistake in its syntax is rejected as a whole:

    kprobe:vfs_read { @[comm = count(); }
                             ^ expected ]

surehook names line and column, and answers for no hook of that file.`,
			Remedy: "Mend the file.",
		},
		{
			Code: SH003, Title: "mistake in a policy", Severity: Error, beyond: true,
			Summary: "A policy has a field that tetragon does not know, or a value that it does not take.",
			Explanation: `
tetragon refuses a policy with an unknown field; Kubernetes drops the field and
takes the rest, so that what it was to do is not done:

    kprobes:
    - call: fd_install
      sycall: false       # unknown field "sycall"; did you mean syscall?

A field that is like no known one is a warning: a newer tetragon may know it
(the fields are those of Tetragon 1.7). The hooks of the policy are answered all
the same.`,
			Remedy: "Mend the policy.",
		},
	}
}
