//go:build !linux

package main

// programs are those that the tests of the running kernel need: none.
func programs() map[string]func() { return nil }
