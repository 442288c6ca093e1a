package baseline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/surehook/surehook/check"
)

// head is what a new file begins with.
const head = `# Findings that are accepted as they are: surehook check --baseline FILE
# An entry says: rule, hook, on (kernels or binaries, globs; all without it), file, function, reason, expires.
accepted:
`

// Entries makes entries that accept findings, those of a hook on several
// kernels in one. Findings that are accepted already are left out.
func Entries(findings []check.Finding, reason string) []Entry {
	var out []Entry
	at := map[string]int{}
	for _, f := range findings {
		if f.Accepted != "" {
			continue
		}
		s := subject(f)
		e := Entry{Rule: f.Rule, Hook: s.Hook, File: s.File, Reason: reason}
		if f.Function != f.Hook.Function && f.Hook.Glob() {
			e.Function = f.Function
		}
		key := strings.Join([]string{string(e.Rule), e.Hook, e.File, e.Function}, "\x00")
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, e)
		}
		if on := escaped(s.On); on != "" && !slices.Contains(out[i].On, on) {
			out[i].On = append(out[i].On, on)
		}
	}
	return out
}

// escaped writes a name so that it is no glob.
func escaped(name string) string {
	var b strings.Builder
	for _, c := range name {
		if strings.ContainsRune(`*?[\`, c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Append adds entries to the text of a baseline. Nothing that is there is
// changed, comments neither: the entries come last. It fails where the text
// that would come out does not say exactly this.
func Append(name string, old []byte, entries []Entry) ([]byte, error) {
	before, err := Parse(name, old)
	if err != nil || len(entries) == 0 {
		return old, err
	}
	text := bytes.Clone(old)
	indent := "  "
	switch {
	case len(before.Entries) > 0:
		indent = strings.Repeat(" ", max(before.Entries[0].Column-3, 0))
	case !bytes.Contains(text, []byte("accepted:")):
		text = append(text, head...)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	for _, e := range entries {
		text = append(text, e.text(indent)...)
	}
	after, err := Parse(name, text)
	if err != nil || !slices.EqualFunc(after.Entries, append(slices.Clone(before.Entries), entries...), same) {
		return nil, &FormatError{Path: name, Reason: "entries cannot be added to a list written like this; write one entry a line with \"- rule: ...\""}
	}
	return text, nil
}

func same(a, b Entry) bool {
	return a.Rule == b.Rule && a.Hook == b.Hook && slices.Equal(a.On, b.On) && a.File == b.File && a.Function == b.Function &&
		a.Reason == b.Reason && a.Expires.Equal(b.Expires)
}

// text is the entry as YAML; JSON's strings are YAML's.
func (e *Entry) text(indent string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s- rule: %s\n", indent, e.Rule)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s  %s: %s\n", indent, name, quoted(value))
		}
	}
	field("hook", e.Hook)
	switch len(e.On) {
	case 0:
	case 1:
		field("on", e.On[0])
	default:
		fmt.Fprintf(&b, "%s  on:\n", indent)
		for _, on := range e.On {
			fmt.Fprintf(&b, "%s    - %s\n", indent, quoted(on))
		}
	}
	field("file", e.File)
	field("function", e.Function)
	field("reason", e.Reason)
	if !e.Expires.IsZero() {
		fmt.Fprintf(&b, "%s  expires: %s\n", indent, e.Expires.Format(dateForm))
	}
	return b.String()
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // cannot be: strings always can be written
	}
	return string(text)
}

// ErrChanged says that somebody else wrote the file meanwhile.
var ErrChanged = errors.New("the file was changed meanwhile; try again")

// Add adds entries to the file, or makes it. The old file is there, whole,
// until the new one is.
func Add(name string, entries []Entry) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // the link stays
	}
	mode := fs.FileMode(0o644)
	old, err := os.ReadFile(name)
	switch info, statErr := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case statErr == nil:
		mode = info.Mode().Perm()
	}
	text, err := Append(name, old, entries)
	if err != nil || bytes.Equal(text, old) && old != nil {
		return err
	}
	return replace(name, old, text, mode)
}

func replace(name string, old, text []byte, mode fs.FileMode) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(text)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(name); err == nil && !bytes.Equal(now, old) {
		return fmt.Errorf("%s: %w", name, ErrChanged)
	}
	return os.Rename(tmp.Name(), name)
}
