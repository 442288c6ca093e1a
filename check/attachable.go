package check

import "github.com/surehook/surehook/sites"

// AttachNotKnown tells whether a reason of an unknown verdict leaves open
// whether the probe can be attached at all, not just what it sees.
func AttachNotKnown(code sites.ReasonCode) bool {
	switch code {
	case reasonAbsent, reasonKind, reasonRefused, reasonSame, reasonMissing, reasonModule:
		return true
	}
	return false
}
