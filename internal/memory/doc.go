// Package memory sets how the commands of this project use memory.
package memory
