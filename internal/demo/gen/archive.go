package main

import (
	"archive/zip"
	"bytes"
	"os"

	"github.com/surehook/surehook/internal/demo/manifest"
)

// writeArchive stores the set's programs in its order, without times or modes.
func writeArchive(path string, set manifest.Set, files map[string][]byte) error {
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	for _, p := range set.Programs {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: p.Name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		if _, err := w.Write(files[p.Name]); err != nil {
			return err
		}
	}
	if err := zw.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}
