package check

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// signatureChanged: the function takes other arguments than in the first of
// the kernels asked for (SH103).
func signatureChanged(c *kcontext) ([]kfinding, error) {
	if !c.functions() || c.hook.Glob() || len(c.function.Protos) != 1 {
		return nil, nil
	}
	for _, m := range c.fleet.asked {
		if m == c.member {
			return nil, nil // the first that has it
		}
		f, ok, err := m.Function(c.source())
		if err != nil {
			return nil, err
		}
		if !ok || len(f.Protos) != 1 {
			continue
		}
		changes := paramChanges(f.Protos[0].Params, c.function.Protos[0].Params)
		if c.kind.Return() {
			changes = protoChanges(f.Protos[0], c.function.Protos[0])
		}
		if len(changes) == 0 {
			return nil, nil
		}
		return []kfinding{{Finding: Finding{
			Message:  fmt.Sprintf("%s takes other arguments than in %s: %s", c.source(), m.id.Name, strings.Join(changes, "; ")),
			Evidence: []string{"there: " + f.Protos[0].C(c.source()), "here: " + c.function.Protos[0].C(c.source())},
			Remedy:   "read the arguments by kernel (a program for each, or CO-RE's bpf_core_* checks)",
		}, reason: reasonChanged}}, nil
	}
	return nil, nil
}

// protoChanges says what a signature's reader must know, in words.
func protoChanges(a, b kernel.Proto) []string {
	changes := paramChanges(a.Params, b.Params)
	if a.Result != b.Result {
		changes = append(changes, fmt.Sprintf("it returns %s, not %s", b.Result.C(""), a.Result.C("")))
	}
	return changes
}

// paramChanges compares parameters: by name where names are known, then by place.
func paramChanges(a, b []kernel.Param) []string {
	toB, toA := make([]int, len(a)), make([]int, len(b)) // partner's index
	for i := range toB {
		toB[i] = -1
	}
	for j := range toA {
		toA[j] = -1
	}
	pair := func(i, j int) { toB[i], toA[j] = j, i }
	for i, p := range a {
		for j, q := range b {
			if toB[i] < 0 && toA[j] < 0 && p.Name != "" && q.Name == p.Name {
				pair(i, j)
			}
		}
	}
	for i := range min(len(a), len(b)) { // another name for the same
		if toB[i] < 0 && toA[i] < 0 && a[i].Type == b[i].Type {
			pair(i, i)
		}
	}
	for i := range a { // nameless or renamed: the next of that type
		for j := range b {
			if toB[i] < 0 && toA[j] < 0 && a[i].Type == b[j].Type && (a[i].Name == "" || b[j].Name == "") {
				pair(i, j)
			}
		}
	}
	for i := range min(len(a), len(b)) { // another name and type at the same place
		if toB[i] < 0 && toA[i] < 0 && len(a) == len(b) {
			pair(i, i)
		}
	}
	var out []string
	for i, p := range a {
		j := toB[i]
		switch {
		case j < 0:
			out = append(out, paramName(i, p)+" is dropped")
		default:
			q := b[j]
			if i != j {
				out = append(out, fmt.Sprintf("%s is now arg%d", paramName(i, p), j))
			}
			if p.Type != q.Type {
				out = append(out, fmt.Sprintf("%s is %s, was %s", paramName(j, q), q.Type.C(""), p.Type.C("")))
			}
		}
	}
	for j, q := range b {
		if toA[j] < 0 {
			out = append(out, fmt.Sprintf("%s is new: %s", paramName(j, q), q.Type.C("")))
		}
	}
	return out
}

func paramName(i int, p kernel.Param) string {
	if p.Name == "" {
		return fmt.Sprintf("arg%d", i)
	}
	return fmt.Sprintf("arg%d (%s)", i, p.Name)
}
