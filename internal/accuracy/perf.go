package accuracy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// perfBatch is below the 128 definitions perf takes at once.
const perfBatch = 100

// perfPlaces asks perf probe for the definitions of all functions. One
// function it does not find spoils a whole batch, so it is left out and the
// batch tried again.
func perfPlaces(ctx context.Context, bin string, b *image, funcs []function) (places, error) {
	q := perfQuery{bin: bin, twice: ambiguous(b), at: places{}}
	for len(funcs) > 0 {
		n := min(perfBatch, len(funcs))
		batch := map[string]function{}
		for i, f := range funcs[:n] {
			batch[fmt.Sprintf("ev%d", i)] = f
		}
		funcs = funcs[n:]
		if err := q.ask(ctx, batch); err != nil {
			return nil, err
		}
	}
	return q.at, nil
}

// perfQuery collects perf's answers about one binary.
type perfQuery struct {
	bin   string
	twice map[string]bool // names that several functions have
	at    places
}

// ask adds the answers for a batch. When perf's error names no function, the
// batch is halved; a single function that perf fails on has no place.
func (q perfQuery) ask(ctx context.Context, batch map[string]function) error {
	for len(batch) > 0 {
		args := []string{"probe", "-x", q.bin, "--max-probes", "65536"}
		for _, ev := range slices.Sorted(maps.Keys(batch)) {
			args = append(args, "-D", ev+"="+perfSpec(batch[ev], q.twice))
		}
		out, err := run(ctx, "", "perf", args...)
		if err == nil {
			return parsePerf(out, batch, q.at)
		}
		var ce *commandError
		if !errors.As(err, &ce) || ctx.Err() != nil {
			return err
		}
		if dropFailed(err, batch, q.twice) {
			continue
		}
		if len(batch) == 1 {
			return nil
		}
		half := split(batch)
		if err := q.ask(ctx, half); err != nil {
			return err
		}
	}
	return nil
}

// split moves half of a batch of at least two into another.
func split(batch map[string]function) map[string]function {
	half := map[string]function{}
	for _, ev := range slices.Sorted(maps.Keys(batch))[len(batch)/2:] {
		half[ev] = batch[ev]
		delete(batch, ev)
	}
	return half
}

// perfSpec is the function as perf is asked for it: with the file where the
// name alone would mean several.
func perfSpec(f function, twice map[string]bool) string {
	if twice[f.Name] {
		return f.Name + "@" + f.File
	}
	return f.Name
}

// perfNames finds the function that made perf give up.
var perfNames = regexp.MustCompile(`(?:Probe point '|find probe point for |Failed to find symbol |of |Symbol )'?([\w.]+(?:@[\w.]+)?)'?`)

// dropFailed removes from the batch the functions an error is about. An error
// that names none of them removes nothing, or the last of a batch of one.
func dropFailed(err error, batch map[string]function, twice map[string]bool) bool {
	var ce *commandError
	if !errors.As(err, &ce) {
		return false
	}
	named := map[string]bool{}
	for _, m := range perfNames.FindAllStringSubmatch(ce.output, -1) {
		named[m[1]] = true
	}
	dropped := false
	for ev, f := range batch {
		if named[perfSpec(f, twice)] || named[f.Name] {
			delete(batch, ev)
			dropped = true
		}
	}
	return dropped
}

// perfDefinition is one line: p:probe_lua/ev12_1 /path/lua:0x12019
var perfDefinition = regexp.MustCompile(`^p:[^/]+/(ev\d+)(?:_\d+)? .*:0x([0-9a-f]+)(?:\s.*)?$`)

// parsePerf reads the definitions: file offsets.
func parsePerf(out string, batch map[string]function, at places) error {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		m := perfDefinition.FindStringSubmatch(line)
		if m == nil {
			if line == "" {
				continue
			}
			return fmt.Errorf("perf probe -D: unexpected line %q", line)
		}
		f, ok := batch[m[1]]
		if !ok {
			return fmt.Errorf("perf probe -D: unknown event in %q", line)
		}
		off, err := strconv.ParseUint(m[2], 16, 64)
		if err != nil {
			return fmt.Errorf("perf probe -D: %q: %w", line, err)
		}
		at[f] = append(at[f], off)
	}
	return nil
}
