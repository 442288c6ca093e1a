package vmtest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxOutcome bounds what an outcome may unpack to.
const maxOutcome = 256 << 20

// lineLength is below what a terminal line takes in one piece.
const lineLength = 1024

// Encode writes an outcome for a serial line: text lines, packed.
func (o *Outcome) Encode(w io.Writer) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := json.NewEncoder(z).Encode(o); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(packed.Bytes())
	for len(text) > 0 {
		n := min(lineLength, len(text))
		if _, err := fmt.Fprintf(w, "%s%s\n", ReportLine, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	_, err := fmt.Fprintln(w, EndLine)
	return err
}

// decodeOutcome reads what Encode wrote. The checksum of the packed form finds
// what a line lost.
func decodeOutcome(report []byte) (*Outcome, error) {
	var text strings.Builder
	ended := false
	for line := range strings.Lines(string(report)) {
		line = strings.TrimRight(line, "\r\n")
		if part, ok := strings.CutPrefix(line, ReportLine); ok {
			text.WriteString(part)
		}
		ended = ended || line == EndLine
	}
	if !ended {
		return nil, errNoOutcome
	}
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text.String())))
	if err != nil {
		return nil, fmt.Errorf("outcome: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxOutcome+1))
	if err != nil {
		return nil, fmt.Errorf("outcome: %w", err)
	}
	if len(data) > maxOutcome {
		return nil, errors.New("outcome: larger than the limit of 256 MiB; collect less")
	}
	var o Outcome
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, fmt.Errorf("outcome: %w", err)
	}
	return &o, nil
}
