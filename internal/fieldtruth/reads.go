package fieldtruth

import (
	"bytes"
	"context"
	_ "embed" // the source of the programs
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/kernel"
)

//go:embed bpf/reads.bpf.c
var readsSource []byte

// Victim is the name of the file and directory that the guest makes and
// removes: what programs that read a name should get.
const Victim = "victimab"

// Files of the guest that reads.
const (
	ReadsObject = "/reads.o"
	ReadsFile   = "/tmp/reads.json"
)

// Slot is the number of each program's value in the map; 0 holds the guest's
// process.
func Slot(program string) uint32 {
	return map[string]uint32{"unlink_name": 1, "rmdir_name": 2, "mkdir_name": 3, "rename_name": 4, "drop_protocol": 5, "wakeup_success": 6, "wide_tgid": 7}[program]
}

// want is what a program means to read.
func want(program string, pid uint64) uint64 {
	switch program {
	case "drop_protocol":
		return 0x0800 // ETH_P_IP
	case "wakeup_success":
		return 1
	case "wide_tgid":
		return pid
	}
	return binary.LittleEndian.Uint64([]byte(Victim))
}

// Value is what a program got in the guest.
type Value struct {
	Program string `json:"program"`
	PID     uint64 `json:"pid"` // of the guest's process
	Hits    uint64 `json:"hits"`
	Got     uint64 `json:"got"`
	Error   string `json:"error"` // why it was not loaded or attached; "" if it was
}

// Read is what check says of a program that reads, and what it got.
type Read struct {
	Value
	Kernel string
	Rule   check.Code // of the finding about what it reads; "" without one
	Said   string
}

// Garbage tells whether the program got something else than it means.
func (r *Read) Garbage() bool { return r.Hits > 0 && r.Got != want(r.Program, r.PID) }

// Wants is what the program means to read.
func (r *Read) Wants() uint64 { return want(r.Program, r.PID) }

// Right tells whether check said what came. A program that never ran proves
// nothing.
func (r *Read) Right() bool { return r.Hits > 0 && (r.Rule != "") == r.Garbage() }

// CompileReads makes the object of the programs that read.
func CompileReads(ctx context.Context, dir string) ([]byte, error) {
	in, out := filepath.Join(dir, "reads.bpf.c"), filepath.Join(dir, "reads.o")
	if err := os.WriteFile(in, readsSource, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "clang", "-target", "bpf", "-O2", "-g", "-Wall", "-c", in, "-o", out)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("clang: %w: %s", err, text)
	}
	return os.ReadFile(out)
}

// PredictReads asks check about each program, on each kernel. The first kernel
// is the one that the programs' offsets are right for.
func PredictReads(object []byte, list []kernel.Kernel) ([]Read, error) {
	f, err := bpfobj.Read(bytes.NewReader(object), int64(len(object)), "reads.o")
	if err != nil {
		return nil, err
	}
	fleet := check.NewFleet(list, nil)
	var out []Read
	for i := range f.Programs {
		p := &f.Programs[i]
		results, _ := fleet.CheckProgram(p, p.Hooks[0])
		for _, r := range results {
			if r.Err != nil {
				return nil, r.Err
			}
			one := Read{Value: Value{Program: p.Name}, Kernel: r.Verdict.Kernel}
			for _, k := range r.Findings {
				switch k.Rule {
				case check.SH117, check.SH118, check.SH119, check.SH203:
					one.Rule, one.Said = k.Rule, k.Message
				}
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// noteReads notes what the guest wrote of the programs on a kernel.
func noteReads(data []byte, name string, all []Read) error {
	var values []Value
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	for _, v := range values {
		for i := range all {
			if all[i].Kernel == name && all[i].Program == v.Program {
				all[i].Value = v
			}
		}
	}
	return nil
}

const readsHead = `
## What programs read

Small programs (internal/fieldtruth/bpf/reads.bpf.c) read a name, a number or a field by its place, while the guest removes a file and
a directory named %s, sends to a closed port, and wakes threads. %d of %d as said; of %d that check calls wrong %d got something
else than they mean. Those that are not attached there, or do not run, are not counted. What an argument register holds that carries
no argument is by chance, and may be the very value (rename_name).
`

// WriteReads writes the table of what programs read.
func WriteReads(w io.Writer, all []Read) {
	said, came, right, done := 0, 0, 0, 0
	for i := range all {
		r := &all[i]
		if r.Hits == 0 {
			continue
		}
		done++
		if r.Right() {
			right++
		}
		if r.Rule != "" {
			said++
			if r.Garbage() {
				came++
			}
		}
	}
	fmt.Fprintf(w, readsHead, Victim, right, done, said, came)
	fmt.Fprintf(w, "\n| program | kernel | check | means | got | calls |\n|---|---|---|---|---|---|\n")
	for i := range all {
		r := &all[i]
		if r.Hits == 0 && r.Error == "" {
			continue
		}
		text := "nothing"
		if r.Rule != "" {
			text = string(r.Rule) + ": " + r.Said
		}
		got := show(r.Got)
		if r.Error != "" {
			got = r.Error
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s | %d |\n", r.Program, strings.TrimPrefix(r.Kernel, "debian-"), cell(text), show(r.Wants()), cell(got), r.Hits)
	}
}

// show gives a value as a name if it is one, else as a number.
func show(v uint64) string {
	b := binary.LittleEndian.AppendUint64(nil, v)
	for _, c := range b {
		if c < 'a' || c > 'z' {
			return fmt.Sprintf("%#x", v)
		}
	}
	return "`" + string(b) + "`"
}
