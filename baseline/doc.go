// Package baseline keeps the findings that somebody has accepted, so that a
// check fails for new ones only. Its file is YAML and is written by hand as
// well as by surehook: an entry names a rule, a hook, the kernels or binaries,
// the reason and, if it is not for ever, the last day.
package baseline
