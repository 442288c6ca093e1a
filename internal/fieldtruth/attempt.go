package fieldtruth

// Attempt is one program to be loaded in the guest, and attached.
type Attempt struct {
	Object  string // file in the guest
	Program string
	Kind    string // as package hook spells it; "" only loads
	Name    string
	System  string // of a tracepoint
}

// Tried is what became of an Attempt.
type Tried struct {
	Stage string // "" if it is attached (or loaded, if that is all), else where it ended
	Error string // what libbpf said
}

// Files of the guest.
const (
	attemptsFile = "/attempts.tsv"
	triedFile    = "/tmp/tried.tsv"
	objectDir    = "/objects"
)
