package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/yamltree"
)

// action is action.yml at the root of the repository.
func action(t *testing.T) *yamltree.Node {
	t.Helper()
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := yamltree.Parse(data)
	if err != nil || len(docs) != 1 {
		t.Fatal(len(docs), err)
	}
	return docs[0]
}

// runner stands for GitHub's: it runs the steps of the action that are shell.
type runner struct {
	t       *testing.T
	action  *yamltree.Node
	inputs  map[string]string
	outputs map[string]map[string]string // of steps
	temp    string
	dir     string // working directory
	summary string
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// evaluate replaces the expressions that the action uses.
func (r *runner) evaluate(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		what := expression.FindStringSubmatch(e)[1]
		parts := strings.Split(what, ".")
		switch {
		case what == "runner.temp":
			return r.temp
		case what == "github.action_path":
			path, err := filepath.Abs("../..")
			if err != nil {
				r.t.Fatal(err)
			}
			return path
		case len(parts) == 2 && parts[0] == "inputs" && r.action.Get("inputs").Get(parts[1]) != nil:
			if v, ok := r.inputs[parts[1]]; ok {
				return v
			}
			return r.action.Get("inputs").Get(parts[1]).Get("default").String()
		case len(parts) == 4 && parts[0] == "steps" && parts[2] == "outputs":
			return r.outputs[parts[1]][parts[3]]
		}
		r.t.Fatalf("expression %q is not known", what)
		return ""
	})
}

// step runs one and gives its exit status and what it wrote.
func (r *runner) step(n *yamltree.Node) (int, string) {
	r.t.Helper()
	script := n.Get("run").String()
	if n.Get("shell").String() != "bash" || expression.MatchString(script) {
		r.t.Fatalf("line %d: a step of shell is bash, and takes what is given by its environment only", n.Line)
	}
	output := filepath.Join(r.t.TempDir(), "output")
	// How GitHub starts bash.
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+r.summary)
	for _, f := range n.Get("env").Fields {
		cmd.Env = append(cmd.Env, f.Name+"="+r.evaluate(f.Value.String()))
	}
	text, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	set, _ := os.ReadFile(output) // none were set
	for line := range strings.Lines(string(set)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		id := n.Get("id").String()
		if r.outputs[id] == nil {
			r.outputs[id] = map[string]string{}
		}
		r.outputs[id][name] = value
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// run runs the steps in order until one fails, without the first if the program
// is built; it gives the last one's status and all that was written.
func (r *runner) run(built bool) (status int, text string, ran []string) {
	r.t.Helper()
	for _, n := range r.action.Get("runs").Get("steps").List() {
		if n.Get("run") == nil || built && n.Get("id").String() == "build" {
			continue
		}
		code, out := r.step(n)
		text += out
		ran = append(ran, n.Get("id").String())
		if code != 0 {
			return code, text, ran
		}
	}
	return 0, text, ran
}

func TestAction(t *testing.T) {
	for _, tool := range []string{"bash", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	example, err := demo.Find("inline")
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Extract(dir, example, elfbin.AMD64); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".surehook.yaml", "check: [{hook: 'uprobe:./inline-O0:add'}]\n")
	write("two words.bt", "uprobe:./inline-O2:add { }\n")
	write("accepted.yaml", "accepted: [{rule: SH401, hook: 'uprobe:./inline-O2:add', reason: known}]\n")
	temp := t.TempDir()
	steps := []string{"build", "check", "result"}
	for _, tt := range []struct {
		name    string
		inputs  map[string]string
		status  string // of the check
		text    string
		summary string
		sarif   bool
	}{
		{"the list", nil, "0", "nothing to report", "nothing to report in 1 hook", true},
		{"paths", map[string]string{"paths": "two words.bt\n\nuprobe:./inline-O0:add\n"}, "1", "SH401", "1 error in 2 hooks", true},
		{"accepted", map[string]string{"paths": "two words.bt", "baseline": "accepted.yaml"}, "0", "accepted", "1 accepted", true},
		{"fail on", map[string]string{"paths": "two words.bt", "fail-on": "none"}, "0", "SH401", "1 error", true},
		{"kernels", map[string]string{"paths": "tracepoint:sched:sched_switch", "kernels": "debian-6.1.*\ndebian-5.10*"}, "0", "debian-5.10", "on 3 kernels", true},
		{"not there", map[string]string{"paths": "nosuch.bt"}, "2", "nosuch.bt", "no answer", true},
		{"no shell", map[string]string{"paths": "$(touch hurt)\n`touch hurt`\n; touch hurt", "config": ""}, "2", "touch hurt", "no answer", true},
		{"an option", map[string]string{"paths": "--help"}, "2", "", "no answer", true},
		{"usage", map[string]string{"fail-on": "never"}, "2", "unknown severity", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &runner{t: t, action: action(t), inputs: tt.inputs, outputs: map[string]map[string]string{}, temp: temp, dir: dir, summary: filepath.Join(t.TempDir(), "summary")}
			want := steps
			_, err := os.Stat(filepath.Join(temp, "surehook"))
			if err == nil {
				want = steps[1:]
			}
			status, text, ran := r.run(err == nil)
			if fmt.Sprint(status) != tt.status || !slices.Equal(ran, want) {
				t.Errorf("exit %d after %q: %s", status, ran, text)
			}
			out := r.outputs["check"]
			if out["exit-code"] != tt.status || !strings.Contains(text, tt.text) {
				t.Errorf("%v: %s", out, text)
			}
			summary, _ := os.ReadFile(r.summary) // not there is empty
			if !strings.Contains(string(summary), tt.summary) {
				t.Errorf("summary %s", summary)
			}
			sarif, err := os.ReadFile(filepath.Join(dir, "surehook.sarif"))
			if (err == nil) != tt.sarif || (out["sarif-file"] == "./surehook.sarif") != tt.sarif || tt.sarif && !strings.Contains(string(sarif), `"version": "2.1.0"`) {
				t.Errorf("sarif %q, %v: %.100s", out["sarif-file"], err, sarif)
			}
			if _, err := os.Stat(filepath.Join(dir, "hurt")); err == nil {
				t.Error("an input was executed")
			}
		})
	}
}

// TestActionShape: what the steps that are not shell are given.
func TestActionShape(t *testing.T) {
	a := action(t)
	r := &runner{t: t, action: a, outputs: map[string]map[string]string{"check": {"sarif-file": "./surehook.sarif"}}, temp: "/tmp"}
	var uses []string
	for _, n := range a.Get("runs").Get("steps").List() {
		if n.Get("uses") == nil {
			continue
		}
		text := n.Get("uses").String()
		for _, f := range n.Get("with").Fields {
			v := r.evaluate(f.Value.String())
			text += " " + f.Name + "=" + filepath.Base(v)
			if f.Name == "go-version-file" {
				if _, err := os.Stat(v); err != nil {
					t.Error(err)
				}
			}
		}
		uses = append(uses, text)
	}
	want := []string{
		"actions/setup-go@v6 go-version-file=go.mod cache-dependency-path=go.sum",
		"github/codeql-action/upload-sarif@v4 sarif_file=surehook.sarif category=surehook",
	}
	if !slices.Equal(uses, want) || a.Get("runs").Get("using").String() != "composite" {
		t.Errorf("%q", uses)
	}
	for _, f := range a.Get("outputs").Fields {
		if !strings.HasPrefix(f.Value.Get("value").String(), "${{ steps.check.outputs."+f.Name) {
			t.Errorf("output %s", f.Name)
		}
	}
}
