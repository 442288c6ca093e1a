// Package tetragon reads tracing policies of tetragon: which hooks each of
// them asks for, and what it takes of their arguments. A file may hold several
// policies, also in lists, and other things.
//
// The fields are those of Tetragon 1.7. Nothing here asks a kernel.
package tetragon
