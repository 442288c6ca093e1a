package kernel

// Take copies into memory what can be asked of a kernel without knowing names:
// all but definitions and configuration.
func Take(k Kernel) (*Snapshot, error) {
	s := &Snapshot{ID: k.Identity(), Options: map[string]string{}}
	for t := range NumTopics {
		s.Unknown[t] = k.Missing(t)
	}
	names, err := k.Names()
	if err != nil {
		return nil, err
	}
	for name := range names {
		f, ok, err := k.Function(name)
		if err != nil {
			return nil, err
		}
		if ok {
			s.Functions = append(s.Functions, f)
		}
		for _, y := range f.Symbols {
			calls, err := k.Callees(y.Name)
			if err != nil {
				return nil, err
			}
			s.Edges = append(s.Edges, calls...)
		}
	}
	if s.Events, err = k.Tracepoints(); err != nil {
		return nil, err
	}
	if s.Raws, err = k.RawTracepoints(); err != nil {
		return nil, err
	}
	if s.Hooks, err = k.LSMHooks(); err != nil {
		return nil, err
	}
	if s.BPFFuncs, err = k.Kfuncs(); err != nil {
		return nil, err
	}
	s.Sort()
	return s, nil
}
