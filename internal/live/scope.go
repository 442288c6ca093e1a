package live

import (
	"errors"

	"github.com/surehook/surehook/attach"
)

// Scope is which processes a session counts.
type Scope int

// The scopes, from wide to narrow knowledge of who called.
const (
	Everyone Scope = iota // every process that maps the files
	Process               // Options.PID
	Family                // Options.PID and what descends from it
)

func scopeOf(o attach.Options) Scope {
	switch {
	case o.PID == 0:
		return Everyone
	case o.Children:
		return Family
	}
	return Process
}

// widening is attachTo for a family where that is possible, for the process
// alone or at last for everyone where it is not. got is the scope of the
// attempt that succeeded.
func widening(attachTo opener, got *Scope) opener {
	return func(plans []attach.Plan, o attach.Options) (prober, error) {
		family := o.Children
		for {
			p, err := attachTo(plans, o)
			*got = scopeOf(o)
			switch {
			case !family || !errors.Is(err, attach.ErrNotSupported) || o.PID == 0:
				return p, err
			case o.Children:
				o.Children = false
			default:
				o.PID = 0
			}
		}
	}
}
