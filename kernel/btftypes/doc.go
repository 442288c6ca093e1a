// Package btftypes turns BTF, a kernel's own type information, into the facts
// of package kernel. The running kernel and kernels in files share it.
package btftypes
