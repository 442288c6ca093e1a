package tetragon

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/internal/yamltree"
)

// The kinds of resources that are policies.
const (
	clusterKind    = "TracingPolicy"
	namespacedKind = "TracingPolicyNamespaced"
)

// NoPolicyError says that a file of YAML holds no policy.
type NoPolicyError struct {
	Path   string
	Damage error // why it cannot be read as YAML; nil if it can
}

func (e *NoPolicyError) Error() string {
	if e.Damage != nil {
		return fmt.Sprintf("%s: no YAML that can be read: %v", e.Path, e.Damage)
	}
	return e.Path + ": YAML without a TracingPolicy"
}

// Unwrap returns the damage.
func (e *NoPolicyError) Unwrap() error { return e.Damage }

var policyLine = regexp.MustCompile(`(?m)^\s*(- )?["']?kind["']?:\s*["']?` + clusterKind)

// Read reads the policies of a file; path stands for it in the result and in
// errors. A file without one gives a *NoPolicyError. One that says that it is
// a policy and is no YAML is rejected as a whole.
func Read(data []byte, path string) (*bpfobj.File, error) {
	f := &bpfobj.File{Path: path, Kind: bpfobj.Policy}
	docs, err := yamltree.Parse(data)
	if err != nil {
		e := (*yamltree.Error)(nil)
		if !policyLine.Match(data) || !errors.As(err, &e) {
			return nil, &NoPolicyError{path, err}
		}
		f.Rejected = &bpfobj.Rejection{Place: bpfobj.Place{Line: max(e.Line, 1), Column: max(e.Column, 1)}, Reason: e.Reason}
		return f, nil
	}
	found := false
	for _, d := range docs {
		found = addResource(f, d, 0) || found
	}
	if !found {
		return nil, &NoPolicyError{Path: path}
	}
	return f, nil
}

// maxLists bounds lists within lists.
const maxLists = 4

// addResource adds a policy, or those of a list; false if it is neither.
func addResource(f *bpfobj.File, n *yamltree.Node, depth int) bool {
	kind := n.Get("kind").String()
	switch {
	case kind == clusterKind || kind == namespacedKind:
		r := reader{file: f, kind: kind, policy: n.Get("metadata").Get("name").String()}
		r.read(n)
		return true
	case strings.HasSuffix(kind, "List") && depth < maxLists:
		found := false
		for _, item := range n.Get("items").List() {
			found = addResource(f, item, depth+1) || found
		}
		return found
	case n.Kind != yamltree.Null:
		what := "another document"
		if kind != "" {
			what = "a resource of kind " + kind
		}
		f.Skipped = append(f.Skipped, bpfobj.Skipped{What: what, Where: where(placeOf(n)), Why: "no policy"})
	}
	return false
}

// reader reads one policy.
type reader struct {
	file         *bpfobj.File
	kind, policy string
	lists        map[string]*yamltree.Node
}

func placeOf(n *yamltree.Node) bpfobj.Place { return bpfobj.Place{Line: n.Line, Column: n.Column} }

func where(p bpfobj.Place) string { return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) }

func (r *reader) mistake(n *yamltree.Node, format string, args ...any) {
	r.file.Mistakes = append(r.file.Mistakes, bpfobj.Mistake{Place: placeOf(n), Reason: fmt.Sprintf(format, args...)})
}

func (r *reader) read(n *yamltree.Node) {
	for _, p := range policySchema().Check(n) {
		r.file.Mistakes = append(r.file.Mistakes, bpfobj.Mistake{
			Place: bpfobj.Place{Line: p.Line, Column: p.Column}, Reason: p.Reason, Maybe: p.Field != "" && p.Near == "",
		})
	}
	spec := n.Get("spec")
	r.lists = map[string]*yamltree.Node{}
	for _, l := range spec.Get("lists").List() {
		r.lists[l.Get("name").String()] = l
	}
	for _, section := range []struct {
		name string
		read func(name string, n *yamltree.Node)
	}{
		{"kprobes", r.kprobe}, {"fentries", r.kprobe}, {"tracepoints", r.tracepoint}, {"uprobes", r.uprobe}, {"lsmhooks", r.lsm}, {"usdts", r.usdt}, {"enforcers", r.enforcer},
	} {
		for i, item := range spec.Get(section.name).List() {
			if item.Kind == yamltree.Map {
				section.read(fmt.Sprintf("%s[%d]", section.name, i), item)
			}
		}
	}
	if u := append(slices.Clone(spec.Get("uprobes").List()), spec.Get("usdts").List()...); r.kind == namespacedKind && len(u) > 0 {
		r.mistake(u[0], "a %s may not have uprobes or usdts; Tetragon refuses it since 1.7.1", namespacedKind)
	}
	if spec.Get("loader").String() == "true" {
		r.file.Skipped = append(r.file.Skipped, bpfobj.Skipped{What: "loader", Where: where(placeOf(spec.Get("loader"))), Why: "what tetragon hooks to see files being mapped is its own business"})
	}
}

// add adds a program.
func (r *reader) add(p bpfobj.Program, n *yamltree.Node) {
	if r.policy != "" {
		p.Name = r.policy + " " + p.Name
	}
	p.Where = where(placeOf(n))
	p.Optional = n.Get("ignore").Get("callNotFound").String() == "true"
	r.file.Programs = append(r.file.Programs, p)
}
