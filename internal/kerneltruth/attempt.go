package kerneltruth

// Attempt is one hook to be attached in the guest.
type Attempt struct {
	Hook   string `json:"hook"`
	Kind   string `json:"kind"` // as package hook spells it
	Name   string `json:"name"`
	System string `json:"system"` // of a tracepoint
}

// Tried is what became of an Attempt.
type Tried struct {
	Hook  string `json:"hook"`
	Error string `json:"error"` // "" if it attached
}

// Files of the guest.
const (
	AttemptsFile = "/attempts.json"
	TriedFile    = "/tmp/tried.json"
)
