// Command gomain is read by the test that compares with debug/dwarf.
package main

import (
	"fmt"
	"os"
	"sort"
)

type shape struct{ w, h int }

func (s shape) area() int { return s.w * s.h }

func total(shapes []shape) (sum int) {
	for _, s := range shapes {
		sum += s.area()
	}
	return sum
}

func main() {
	shapes := []shape{{len(os.Args), 2}, {3, 4}}
	sort.Slice(shapes, func(i, j int) bool { return shapes[i].area() < shapes[j].area() })
	fmt.Println(total(shapes))
}
