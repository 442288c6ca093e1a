package accuracy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// jqProgram is jq without oniguruma.
func jqProgram() program {
	return program{
		name:   "jq",
		builds: slices.Concat(builds(), arm64()),
		source: source{
			Package: "jq", Version: "1.6", Tarball: "jq_1.6.orig.tar.gz", Root: "jq-jq-1.6",
			SHA256: "3ba940b97571c866923f0409678033d33b5a98758dfc174fad8397ed908bc4d9",
		},
		patterns:  []string{"src/*.c"},
		without:   []string{"inject_errors.c"},
		include:   "jq.h",
		flags:     []string{"-I$SRC", "-I$SRC/src"},
		libs:      []string{"-lm", "-lpthread"},
		generated: jqGenerated,
		inputs:    jqInputs,
		commands: []string{
			"./jq -c -f work.jq data.json",
			"./jq -L . -S -C --stream --tab --arg a 1 --argjson b 2 --slurpfile s data.json -f mod.jq data.json",
		},
		emulated: 1,
	}
}

// jqLast is the last definition of jq's own library that is kept. The whole
// library costs a million calls at every start: too much under probes, and
// always the same code.
const jqLast = "def map_values(f): .[] |= f;"

// jqGenerated are the two files jq's Makefile makes with sed.
func jqGenerated(tree string) (map[string][]byte, error) {
	lib, err := os.ReadFile(filepath.Join(tree, "src", "builtin.jq"))
	if err != nil {
		return nil, err
	}
	kept, _, found := strings.Cut(string(lib), jqLast+"\n")
	if !found {
		return nil, fmt.Errorf("builtin.jq has no line %q", jqLast)
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var inc bytes.Buffer
	for line := range strings.Lines(kept + jqLast + "\n") {
		fmt.Fprintf(&inc, "\"%s\\n\"\n", quote.Replace(strings.TrimSuffix(line, "\n")))
	}
	return map[string][]byte{
		"src/builtin.inc": inc.Bytes(),
		"src/version.h":   []byte("#define JQ_VERSION \"1.6\"\n"),
	}, nil
}

// jqInputs are the filter and its fixed data.
func jqInputs() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"work.jq", "mod.jq", "m.jq", "data.json"} {
		data, err := embedded("jq/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	files["d.json"] = files["data.json"]
	return files, nil
}
