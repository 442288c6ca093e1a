package live

import (
	"bufio"
	"bytes"
	"io/fs"
	"strconv"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// readEvents reads the formats of all events.
func (k *Kernel) readEvents() ([]kernel.Tracepoint, string) {
	data, path, err := k.tracing("available_events")
	if err != nil {
		return nil, cannot(path, err)
	}
	s := kernel.Snapshot{}
	for line := range bytes.Lines(data) {
		system, name, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if !ok {
			continue
		}
		e, why := k.event(system, name)
		if why != "" {
			return nil, why
		}
		s.Events = append(s.Events, e)
	}
	s.Sort()
	return s.Events, ""
}

// event reads one event, or says why it cannot.
func (k *Kernel) event(system, name string) (e kernel.Tracepoint, why string) {
	e = kernel.Tracepoint{System: system, Name: name}
	if system != "syscalls" {
		e.Raw = name
	}
	format, path, err := k.tracing("events/" + system + "/" + name + "/format")
	if err != nil {
		return e, cannot(path, err)
	}
	var ok bool
	if e.Fields, ok = parseFormat(format); !ok {
		return e, "/" + path + " is not a format"
	}
	return e, ""
}

// Tracepoint gives one event without reading all the others, which takes a
// second; ok is false if there is none of that name.
func (k *Kernel) Tracepoint(system, name string) (e kernel.Tracepoint, ok bool) {
	if !fs.ValidPath(system + "/" + name) {
		return e, false
	}
	e, why := k.event(system, name)
	return e, why == ""
}

// parseFormat reads the fields of an event's format file that are not common
// to all events: those behind the empty line.
func parseFormat(data []byte) (fields []kernel.Field, ok bool) {
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, len(data)+1)
	for scan.Scan() {
		line, isField := strings.CutPrefix(strings.TrimSpace(scan.Text()), "field:")
		if !isField {
			continue
		}
		f, good := parseField(line)
		if !good {
			return nil, false
		}
		ok = true
		if !strings.HasPrefix(f.Name, "common_") {
			fields = append(fields, f)
		}
	}
	return fields, ok
}

// parseField reads "char comm[16];	offset:8;	size:16;	signed:0;".
func parseField(line string) (f kernel.Field, ok bool) {
	decl, rest, ok := strings.Cut(line, ";")
	if !ok {
		return f, false
	}
	array := ""
	if i := strings.IndexByte(decl, '['); i >= 0 && strings.HasSuffix(decl, "]") && !strings.HasPrefix(decl, "__") {
		decl, array = decl[:i], decl[i:]
	}
	i := strings.LastIndexAny(decl, " *")
	if i < 0 {
		return f, false
	}
	f.Name, f.Type = decl[i+1:], strings.TrimSpace(decl[:i+1])+array
	for part := range strings.SplitSeq(rest, ";") {
		key, value, found := strings.Cut(strings.TrimSpace(part), ":")
		if !found {
			continue
		}
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return f, false
		}
		switch key {
		case "offset":
			f.Offset = n
		case "size":
			f.Size = n
		case "signed":
			f.Signed = n != 0
		}
	}
	return f, f.Name != ""
}

// Tracepoints gives the trace events, by system and name.
func (k *Kernel) Tracepoints() ([]kernel.Tracepoint, error) {
	list, _ := k.events()
	return list, nil
}

// exists tells whether a file is there.
func (k *Kernel) exists(path string) bool {
	_, err := fs.Stat(k.root, path)
	return err == nil
}
