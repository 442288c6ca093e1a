package live

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// maxConfig bounds what is unpacked of /proc/config.gz; Debian's has 280 KB.
const maxConfig = 16 << 20

// lsmOption is the option that a boot parameter can overrule.
const lsmOption = "CONFIG_LSM"

// readConfig reads the configuration of the build.
func (k *Kernel) readConfig() (map[string]string, string) {
	if data, err := fs.ReadFile(k.root, "proc/config.gz"); err == nil {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err == nil {
			data, err = io.ReadAll(io.LimitReader(z, maxConfig))
		}
		if err != nil {
			return nil, cannot("proc/config.gz", err)
		}
		return parseConfig(data), ""
	}
	places := []string{"boot/config-" + k.id.Release, "lib/modules/" + k.id.Release + "/config", "usr/lib/modules/" + k.id.Release + "/config"}
	for _, path := range places {
		if data, err := fs.ReadFile(k.root, path); err == nil {
			return parseConfig(data), ""
		}
	}
	return nil, "neither /proc/config.gz nor /" + places[0] + " is there"
}

// parseConfig reads lines "CONFIG_X=value"; the others are comments.
func parseConfig(data []byte) map[string]string {
	options := map[string]string{}
	for line := range bytes.Lines(data) {
		name, value, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if ok && strings.HasPrefix(name, "CONFIG_") {
			options[name] = value
		}
	}
	return options
}

// Config gives a configuration option. CONFIG_LSM is what is active now: the
// boot parameter lsm= overrules what was built in.
func (k *Kernel) Config(option string) (string, kernel.Answer, error) {
	if option == lsmOption {
		if active, ok := k.activeLSMs(); ok {
			return `"` + active + `"`, kernel.Yes, nil
		}
	}
	options, why := k.config()
	if why != "" {
		if option == "CONFIG_KPROBE_EVENTS" && k.exists(kprobePMU) {
			return "y", kernel.Yes, nil
		}
		return "", kernel.NotKnown, nil
	}
	value, ok := options[option]
	return value, kernel.Is(ok), nil
}

// activeLSMs gives the security modules that run, with commas between.
func (k *Kernel) activeLSMs() (string, bool) {
	if data, err := fs.ReadFile(k.root, lsmFile); err == nil {
		return strings.TrimSpace(string(data)), true
	}
	line, err := fs.ReadFile(k.root, cmdlineFile)
	if err != nil {
		return "", false
	}
	active, found := "", false
	for word := range strings.FieldsSeq(string(line)) { // the last one counts
		if value, ok := strings.CutPrefix(word, "lsm="); ok {
			active, found = value, true
		}
	}
	return active, found
}
