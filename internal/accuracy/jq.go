package accuracy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// jqProgram is jq without oniguruma.
func jqProgram() program {
	return program{
		name: "jq",
		source: source{
			Package: "jq", Version: "1.6", Tarball: "jq_1.6.orig.tar.gz", Root: "jq-jq-1.6",
			SHA256: "3ba940b97571c866923f0409678033d33b5a98758dfc174fad8397ed908bc4d9",
		},
		patterns:  []string{"src/*.c"},
		without:   []string{"inject_errors.c", "jq_test.c"},
		include:   "jq.h",
		flags:     []string{"-I$SRC/src"},
		libs:      []string{"-lm", "-lpthread"},
		generated: jqGenerated,
		inputs:    jqInputs,
		commands: []string{
			"./jq -c -f work.jq data.json",
			"./jq -S --tab --seq --arg a 1 --argjson b [2] --slurpfile s data.json .users data.json",
		},
	}
}

// jqKept are the definitions of jq's own library that the workload needs. The
// whole library costs a million calls at every start: far too much under
// probes, and always the same code.
const jqKept = 60

// jqGenerated are the two files jq's Makefile makes with sed.
func jqGenerated(tree string) (map[string][]byte, error) {
	lib, err := os.ReadFile(filepath.Join(tree, "src", "builtin.jq"))
	if err != nil {
		return nil, err
	}
	var inc bytes.Buffer
	for i, line := range strings.Split(strings.TrimRight(string(lib), "\n"), "\n") {
		if i >= jqKept {
			break
		}
		line = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(line)
		inc.WriteString(`"` + line + `\n"` + "\n")
	}
	return map[string][]byte{
		"src/builtin.inc": inc.Bytes(),
		"src/version.h":   []byte("#define JQ_VERSION \"1.6\"\n"),
	}, nil
}

// jqInputs are the filter and its fixed data.
func jqInputs() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"work.jq", "data.json"} {
		data, err := embedded("jq/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}
