package check

// The rules about files that are given, whatever they hook.
const (
	SH001 Code = "SH001" // stale baseline entry
	SH002 Code = "SH002" // rejected by the program it is for
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
			Summary: "bpftrace rejects the file: none of its hooks is attached.",
			Explanation: `
A script with a mistake in its syntax is rejected as a whole:

    kprobe:vfs_read { @[comm = count(); }
                             ^ expected ]

surehook names line and column, and answers for no hook of that file.`,
			Remedy: "Mend the file.",
		},
	}
}
