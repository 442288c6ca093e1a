// Package atlas keeps the facts of many kernel builds in one small file. What
// builds have in common (names, types, signatures, events) is there once; what
// is asked for is decoded when it is asked for.
//
// An Entry is one build and answers as kernel.Kernel does.
package atlas
