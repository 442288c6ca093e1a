// Package check turns what package sites knows of a hook into findings: rules
// with a code, one sentence on what is lost, evidence, and a command that
// mends it. Rules speak from facts in sites.Result only, so the findings of a
// file are the same on every machine.
//
// The rules are one table (Rules); constants, docs/rules.md and
// "surehook explain" come from it.
package check

//go:generate go run ./gendocs ../docs/rules.md
