// Package shipped checks what people ship: it reads files and directories,
// finds the hooks of their programs, and runs the rules of package check on
// every one.
package shipped
