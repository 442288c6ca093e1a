package kernel

import "iter"

// Kernel is what is asked of a kernel build. It is safe for concurrent use.
// An error means that the source is damaged or unreadable; what is merely
// not there gives no value and no error.
type Kernel interface {
	Identity() Identity
	// Missing says why a topic is not known, in words; "" if it is.
	Missing(Topic) string

	// Function gives the facts on a source name; ok is false if there is no
	// trace of one.
	Function(name string) (f Function, ok bool, err error)
	// Symbol gives the source name behind a symbol, "finish_task_switch" for
	// "finish_task_switch.isra.0".
	Symbol(name string) (function string, ok bool, err error)
	// Names gives the source names of all functions, sorted, as often as they
	// are ranged over.
	Names() (iter.Seq[string], error)

	// Callers gives the direct calls of a symbol, Callees those that it makes.
	Callers(symbol string) ([]Call, error)
	Callees(symbol string) ([]Call, error)
	// CountCallers is how many Callers gives, without naming them: kfree has 9,000.
	CountCallers(symbol string) (int, error)

	Tracepoints() ([]Tracepoint, error)       // by system and name
	RawTracepoints() ([]RawTracepoint, error) // by name
	LSMHooks() ([]LSMHook, error)             // by name
	Kfuncs() ([]string, error)                // sorted

	// Definitions gives the structs, unions, enums and typedefs of a name.
	Definitions(name string) ([]Definition, error)

	// Config gives an option's value as the configuration file has it ("y",
	// "m", a number, a quoted string); NotKnown without a configuration. No
	// is an option that is not set.
	Config(option string) (value string, set Answer, err error)

	Close() error
}
