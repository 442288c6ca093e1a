// Package indexcache keeps what package sites computed of binaries in a
// directory, one file an index. A file is written once and renamed into place,
// read block by block with a checksum each, and deleted when it has not been
// used for long or the directory grows too large. Nothing depends on it: what
// cannot be read or written is as if it were not there.
package indexcache
