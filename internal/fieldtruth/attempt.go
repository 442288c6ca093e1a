package fieldtruth

// Attempt is one program to be loaded in the guest, and attached.
type Attempt struct {
	Object  string `json:"object"` // file in the guest
	Program string `json:"program"`
	Section string `json:"section"`
	Kind    string `json:"kind"` // as package hook spells it; "" only loads
	Name    string `json:"name"`
	System  string `json:"system"` // of a tracepoint
}

// Tried is what became of an Attempt.
type Tried struct {
	Stage string `json:"stage"` // "" if it is attached (or loaded, if that is all), else "load" or "attach"
	Error string `json:"error"`
}

// Files of the guest.
const (
	AttemptsFile = "/attempts.json"
	TriedFile    = "/tmp/tried.json"
	ObjectDir    = "/objects"
)
