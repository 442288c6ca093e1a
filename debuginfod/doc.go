// Package debuginfod gets debug files by build id from debuginfod servers
// (debuginfod(8) of elfutils), and keeps them in the cache that elfutils' own
// client uses. It is asked for by a flag, never on its own. It is the only
// package of this module that uses the network.
package debuginfod
