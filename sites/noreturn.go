package sites

import (
	"maps"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// neverReturns tells whether a direct call to the address does not come back.
func (b *Binary) neverReturns(addr uint64) bool {
	if v, known := b.knownNoReturn(addr); known {
		return v
	}
	q := &returnQuery{b: b, open: map[uint64]bool{}, found: map[uint64]bool{}}
	v := q.ask(addr)
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.noReturn, q.found)
	return v
}

func (b *Binary) knownNoReturn(addr uint64) (v, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, known = b.noReturn[addr]
	return v, known
}

// returnQuery answers one question about a function, for which it must ask
// about those that it calls. In a cycle of calls a function is taken to return
// until the opposite is known; what was found out meanwhile is then forgotten.
// So the answer depends neither on what was asked before nor on what others
// ask at the same time.
type returnQuery struct {
	b     *Binary
	open  map[uint64]bool // functions being looked at; true: and taken to return
	found map[uint64]bool
	order []uint64 // of found
}

func (q *returnQuery) ask(addr uint64) bool {
	if v, ok := q.found[addr]; ok {
		return v
	}
	if v, known := q.b.knownNoReturn(addr); known {
		return v
	}
	if _, ok := q.open[addr]; ok {
		q.open[addr] = true
		return false
	}
	q.open[addr] = false
	mark := len(q.order)
	v := q.b.inferNoReturn(addr, q.ask)
	if v && q.open[addr] {
		q.forget(mark)
	}
	delete(q.open, addr)
	q.found[addr] = v
	q.order = append(q.order, addr)
	return v
}

// forget drops the functions found to return since mark. That a function
// never returns stays true when others turn out not to return either.
func (q *returnQuery) forget(mark int) {
	kept := q.order[:mark]
	for _, addr := range q.order[mark:] {
		if q.found[addr] {
			kept = append(kept, addr)
		} else {
			delete(q.found, addr)
		}
	}
	q.order = kept
}

func (b *Binary) inferNoReturn(addr uint64, ask func(addr uint64) bool) bool {
	if name, ok := b.pltName(addr); ok {
		return noReturnNames[name]
	}
	sym, ok := b.file.SymbolAt(addr)
	if ok && noReturnNames[sym.Name] {
		return true
	}
	if b.goText(addr) && switchesStack(sym.Name) {
		return false
	}
	if f := b.index.at(addr); f != nil {
		for _, r := range f.bodies {
			if r.entry == addr && r.die >= 0 && b.data.Func(r.die).NoReturn {
				return true
			}
			if r.entry == addr && r.die >= 0 {
				fn := b.data.Func(r.die)
				return flow.NeverReturns(flow.Options{Arch: b.file.Arch(), Image: b.file, Entry: addr, Ranges: fn.Ranges, Pad: b.pad}, ask)
			}
		}
	}
	if ok && sym.Value == addr && sym.Size > 0 && sym.Size < maxBody {
		r := []elfbin.Range{{Low: addr, High: addr + sym.Size}}
		return flow.NeverReturns(flow.Options{Arch: b.file.Arch(), Image: b.file, Entry: addr, Ranges: r, Pad: b.pad}, ask)
	}
	return false
}
