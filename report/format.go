package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// Format is how results are written.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"

	// Of a Document only: one document for all that check found.
	SARIF    Format = "sarif"    // 2.1.0, for code scanning
	JUnit    Format = "junit"    // XML, for test reports
	Markdown Format = "markdown" // for a comment on a pull request
)

// ParseFormat reads the value of --format.
func ParseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case Text, JSON:
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q; write text or json", text)
}

// ParseDocumentFormat reads the value of --format of a command that writes a
// Document.
func ParseDocumentFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case Text, JSON, SARIF, JUnit, Markdown:
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q; write text, json, sarif, junit or markdown", text)
}

// The schemas of the JSON contract. The number is raised only when a field
// is removed or changes its meaning.
const (
	SitesSchema    = "surehook.sites/1"
	CountSchema    = "surehook.count/1"
	EventSchema    = "surehook.event/1"
	FindingSchema  = "surehook.finding/1"
	VerdictSchema  = "surehook.verdict/1"
	KernelSchema   = "surehook.kernel/1"
	FactsSchema    = "surehook.facts/1"
	ChangeSchema   = "surehook.change/1"
	FileSchema     = "surehook.file/1"
	SkippedSchema  = "surehook.skipped/1"
	AttachedSchema = "surehook.attached/1"
	WatchedSchema  = "surehook.watched/1"
)

// hex is an address or an offset: a string, because JSON numbers lose bits
// above 2^53.
type hex uint64

func (h hex) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%#x", uint64(h)), nil }

// line writes one object as one line.
func line(w io.Writer, object any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // operator<< and &&
	return enc.Encode(object)
}

// list is a slice that is never null in JSON.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
