package atlas

import (
	"github.com/surehook/surehook/kernel"
)

// Snapshot decodes a kernel whole: what Write was given.
func (e *Entry) Snapshot() (*kernel.Snapshot, error) {
	s := &kernel.Snapshot{ID: e.meta.ID, Options: map[string]string{}}
	copy(s.Unknown[:], e.meta.Unknown)
	for t := kernel.Topic(len(e.meta.Unknown)); t < kernel.NumTopics; t++ {
		s.Unknown[t] = e.Missing(t)
	}
	names, err := e.funcNames()
	if err != nil {
		return nil, err
	}
	for fn, id := range names {
		name, err := e.a.names.get(id)
		if err != nil {
			return nil, err
		}
		f, err := e.function(fn, name)
		if err != nil {
			return nil, err
		}
		s.Functions = append(s.Functions, f)
	}
	if err := e.restoreLists(s); err != nil {
		return nil, err
	}
	s.Sort()
	return s, nil
}

func (e *Entry) restoreLists(s *kernel.Snapshot) (err error) {
	if s.Events, err = e.Tracepoints(); err != nil {
		return err
	}
	if s.Raws, err = e.RawTracepoints(); err != nil {
		return err
	}
	if s.Hooks, err = e.LSMHooks(); err != nil {
		return err
	}
	if s.BPFFuncs, err = e.Kfuncs(); err != nil {
		return err
	}
	ids, err := e.defIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		d, err := record(e.a, &e.a.defs, id, codeDefinition)
		if err != nil {
			return err
		}
		s.Defs = append(s.Defs, d)
	}
	options, err := e.config()
	if err != nil {
		return err
	}
	for k, v := range options {
		key, err := e.a.names.get(k)
		if err != nil {
			return err
		}
		if s.Options[key], err = e.a.names.get(v); err != nil {
			return err
		}
	}
	g, err := e.calls()
	if err != nil {
		return err
	}
	nodes := make([]callNode, len(g.symbol))
	for i := range nodes {
		if nodes[i], err = e.nodeName(g, uint32(i)); err != nil {
			return err
		}
	}
	for i, from := range g.caller {
		from, to := nodes[from], nodes[g.callee[i]]
		s.Edges = append(s.Edges, kernel.Call{Caller: from.name, CallerModule: from.module, Callee: to.name, CalleeModule: to.module, Made: g.made(uint32(i))})
	}
	return nil
}
