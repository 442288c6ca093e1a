package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/surehook/surehook/sites"
)

// Event is one execution as it is printed.
type Event struct {
	Time   time.Time
	PID    uint32
	TID    uint32
	Comm   string
	Result *sites.Result
	Site   *sites.Site
	// Undecided means that it cannot be told whether it is an execution.
	Undecided bool
}

type eventObject struct {
	Schema    string        `json:"schema"`
	Time      string        `json:"time"`
	PID       uint32        `json:"pid"`
	TID       uint32        `json:"tid"`
	Comm      string        `json:"comm"`
	Hook      string        `json:"hook"`
	Function  string        `json:"function"`
	Address   hex           `json:"address"`
	Symbol    string        `json:"symbol"`
	Offset    hex           `json:"offset"`
	Kind      sites.Kind    `json:"kind"`
	Callers   []frameObject `json:"callers"`
	Undecided bool          `json:"undecided"`
}

// EventHeader writes the head of the columns that WriteEvent writes as text.
func EventHeader(w io.Writer, f Format) error {
	if f == JSON {
		return nil
	}
	_, err := fmt.Fprintf(w, "%-15s %7s %-15s %-20s %s\n", "TIME", "PID", "COMM", "FUNCTION", "PLACE")
	return err
}

// WriteEvent writes one execution as one line.
func WriteEvent(w io.Writer, f Format, e Event) error {
	if f == JSON {
		return line(w, eventObject{
			Schema: EventSchema, Time: e.Time.UTC().Format("2006-01-02T15:04:05.000000000Z07:00"), PID: e.PID, TID: e.TID, Comm: e.Comm,
			Hook: spelled(e.Result.Hook), Function: e.Result.Function, Address: hex(e.Site.Address), Symbol: e.Site.Symbol,
			Offset: hex(e.Site.Offset), Kind: e.Site.Kind, Callers: newFrames(e.Site.Callers), Undecided: e.Undecided,
		})
	}
	place := where(e.Site)
	if callers := e.Site.Callers; len(callers) > 0 && callers[0].Line > 0 {
		place = strings.ReplaceAll(chain(callers), keep, " ")
	}
	if e.Undecided {
		place += "  undecided: may be no execution"
	}
	_, err := fmt.Fprintf(&visibleWriter{w: w}, "%-15s %7d %-15s %-20s %s\n", e.Time.Format("15:04:05.000000"), e.PID, e.Comm,
		short(e.Result.Function, 20), place)
	return err
}
