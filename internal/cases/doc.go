// Package cases holds the case suite: small programs, each proving one
// situation in which finding where a function's executions begin is easy to
// get wrong. It has tests only.
//
// A case is testdata/NAME.txtar. Its first lines say what is proved. Sections:
//
//	-- build [VARIANT] --  commands, one a line, without a shell; they run where the sources are
//	-- FILE --             a source
//	-- hook --             one or more hooks, as uprobe:prog:add
//	-- run --              the command whose executions are counted, arm64 programs in QEMU
//	-- debug --            directories of separate debug files, beside the sources
//	-- truth --            how often the command executes each function: by hand, never by -update
//	-- returns --          how often functions return that do not always, see returns_test.go
//	-- expect [VARIANT] -- what must hold for the case to prove anything, see expect_test.go
//	-- want [VARIANT] --   verdicts, reasons, sites and counts: written by -update
//
// A truth is keyed by the function, by function@file where two have the name,
// or by the hook as written (for offsets).
//
// A verdict of complete, the plan's or the plain probe's, with a count that is
// not the truth fails, unless the
// want section has the line "known wrong: WHY" for the function, which only a
// person writes; -update drops it when it is no longer so.
package cases
