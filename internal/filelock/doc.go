// Package filelock lets one process at a time do something for all: fetch and
// unpack what a cache directory keeps.
package filelock
