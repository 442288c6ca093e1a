package image

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxConfig bounds a configuration in bytes; those of distributions have 300 KiB.
const maxConfig = 4 << 20

// isConfig tells a configuration by how it begins.
func isConfig(head []byte) bool {
	return bytes.HasPrefix(head, []byte("#")) && bytes.Contains(head, []byte("Kernel Configuration")) ||
		bytes.HasPrefix(head, []byte("CONFIG_")) || bytes.Contains(head, []byte("\nCONFIG_"))
}

func (f *files) takeConfig(in Input) error {
	if in.Size > maxConfig {
		return &FormatError{in.Name, "configuration", 0, fmt.Errorf("%d bytes are more than %d", in.Size, maxConfig)}
	}
	text, err := io.ReadAll(io.NewSectionReader(in.File, 0, in.Size))
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	f.config = parseConfig(text)
	return nil
}

// parseConfig reads what is set: lines CONFIG_NAME=value.
func parseConfig(text []byte) map[string]string {
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxConfig)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if ok && strings.HasPrefix(name, "CONFIG_") {
			out[name] = value
		}
	}
	return out
}
