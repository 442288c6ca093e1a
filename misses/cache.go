package misses

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// bootID is another one after each boot.
func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data)), err
}

// testVersion is of what the self-test tries: one that is kept from another
// version says less or other things.
const testVersion = 3

// kept is a self-test in a file.
type kept struct {
	Version int        `json:"version"`
	Found   *Abilities `json:"found"`
}

// maxKept bounds the file; it has some 10 kB.
const maxKept = 1 << 20

// Tested gives what the self-test found since this boot, and makes it if there
// is none in dir. With an empty dir it is always made and never kept. warn is
// what kept it from being read or written there, which costs a second the next
// time and nothing else.
func Tested(dir string) (a *Abilities, warn, err error) {
	if dir == "" {
		a, err = SelfTest()
		return a, nil, err
	}
	boot, err := bootID()
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "selftest.json")
	a, warn = read(path, boot)
	if a != nil {
		return a, nil, nil
	}
	if a, err = SelfTest(); err != nil {
		return nil, warn, err
	}
	return a, errors.Join(warn, write(path, a)), nil
}

// read gives the self-test in a file if it is of this boot.
func read(path, boot string) (*Abilities, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var k kept
	if len(data) > maxKept {
		return nil, fmt.Errorf("%s: larger than 1 MiB; remove it", path)
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it", path, err)
	}
	if k.Version != testVersion || k.Found == nil || k.Found.Boot != boot {
		return nil, nil
	}
	return k.Found, nil
}

// write keeps a self-test. A reader sees the old file or the new one.
func write(path string, a *Abilities) error {
	data, err := json.MarshalIndent(kept{testVersion, a}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "selftest-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
