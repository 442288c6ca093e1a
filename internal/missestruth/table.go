package missestruth

import (
	"fmt"
	"io"
	"strings"

	"github.com/surehook/surehook/misses"
)

// WriteMatrix writes a table of nestings and kernels: what was lost and what
// misses said of it. Every Result has the same attempts.
func WriteMatrix(w io.Writer, list []Result) {
	fmt.Fprintf(w, "\n| outer | inner |")
	for _, r := range list {
		fmt.Fprintf(w, " %s |", r.Kernel.Name())
	}
	fmt.Fprintf(w, "\n|---|---|%s\n", strings.Repeat("---|", len(list)))
	for i := range list[0].Tried {
		fmt.Fprintf(w, "| %s | %s |", short(list[0].Tried[i].Outer), short(list[0].Tried[i].Inner))
		for j := range list {
			fmt.Fprintf(w, " %s |", cell(&list[j].Tried[i]))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\n| kernel | nestings | lost executions | said exactly | said \"at least\" | said \"not observable\" | wrong |\n|---|---|---|---|---|---|---|")
	for j := range list {
		fmt.Fprintln(w, sums(&list[j]))
	}
}

// sums is a kernel's row of the second table.
func sums(r *Result) string {
	made, lossy, wrong := 0, 0, 0
	by := map[misses.Known]int{}
	for i := range r.Tried {
		t := &r.Tried[i]
		if t.Refused != "" {
			continue
		}
		made++
		if !t.Right() {
			wrong++
		}
		if t.Lost() > 0 {
			lossy++
			by[t.Said.Known]++
		}
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d |", r.Release, made, lossy, by[misses.Exact], by[misses.AtLeast], by[misses.NotObservable], wrong)
}

// cell is what was lost, and what was said where that is not the same number.
func cell(t *Tried) string {
	switch {
	case t.Refused != "":
		return "cannot attach"
	case !t.Right():
		return fmt.Sprintf("**lost %d, said %s**", t.Lost(), t.Said)
	case t.Said.Known == misses.Exact:
		return fmt.Sprint(t.Lost())
	}
	return fmt.Sprintf("%d: %s", t.Lost(), t.Said)
}

// short leaves the hook's place out, but for what tells hooks of a kind apart.
func short(hook string) string {
	kind, rest, _ := strings.Cut(hook, ":")
	if system, _, ok := strings.Cut(rest, ":"); ok && system == "syscalls" {
		return kind + " of a system call"
	}
	return kind
}
