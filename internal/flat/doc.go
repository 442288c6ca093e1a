// Package flat writes numbers, strings and records so that a reader can take
// single ones out of a file without reading the rest. One description of a
// record serves both directions: see Coder.
package flat
