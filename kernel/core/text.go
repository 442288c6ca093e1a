package core

import (
	"strconv"

	"github.com/surehook/surehook/kernel"
)

// text writes a node in the grammar of kernel.Type. What has no name keeps
// none of its parts: it is for people and for comparing.
func (n *node) text() kernel.Type {
	if n == nil {
		return "0"
	}
	switch n.kind {
	case pointer:
		return "*" + n.elem.text()
	case array:
		return kernel.Type("["+strconv.FormatUint(n.count, 10)+"]") + n.elem.text()
	case function:
		s := kernel.Type("(")
		for i, p := range n.params {
			if i > 0 {
				s += ","
			}
			s += p.text()
		}
		return s + ")" + n.elem.text()
	case void:
		return "0"
	}
	letter := map[nodeKind]string{integer: "i", float: "f", structure: "s", union: "u", enum: "e", typedef: "t"}[n.kind]
	if n.name == "" {
		return kernel.Type("{" + letter + strconv.FormatUint(n.size, 10) + ";}")
	}
	return kernel.Type(letter + ":" + n.name)
}
