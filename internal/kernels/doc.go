// Package kernels leads from names of kernels as users write them to their
// facts: the running kernel, those of the atlas that comes with the program,
// of other atlas files, and files of kernels.
package kernels
