//go:build linux

package live

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/boundary"
	"github.com/surehook/surehook/kernel"
)

// TestClaims asks the running kernel for what files there are since when.
func TestClaims(t *testing.T) {
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	release := strings.TrimSpace(string(data))
	t.Run("kfuncs", func(t *testing.T) {
		k, err := New(os.DirFS("/"), elfbin.AMD64) // their names are the same everywhere
		if err != nil {
			t.Fatal(err)
		}
		if why := k.Missing(kernel.Types); why != "" {
			t.Skip(why)
		}
		boundary.Claim{Name: "BTF marks kfuncs", Since: "6.10"}.Test(t, release, k.Missing(kernel.Kfuncs) == "")
	})
	t.Run("guarded", func(t *testing.T) { guardedClaim(t, release) })
	t.Run("addresses", func(t *testing.T) { addressesClaim(t, release) })
}

// addressesClaim is about ftrace's list with addresses.
func addressesClaim(t *testing.T, release string) {
	const tracing = "/sys/kernel/tracing/"
	if _, err := os.Stat(tracing + "available_filter_functions"); err != nil {
		t.Skip("the kernel is built without ftrace of functions, or its files may not be read")
	}
	c := boundary.Claim{Name: "available_filter_functions_addrs", Since: "6.5"}
	_, err := os.Stat(tracing + "available_filter_functions_addrs")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	c.Test(t, release, err == nil)
}

// guardedClaim is about programs on fentry, which are kept from running in
// themselves by a counter of the program (commit ca06f55b9002).
func guardedClaim(t *testing.T, release string) {
	k, err := New(os.DirFS("/"), elfbin.AMD64)
	if err != nil {
		t.Fatal(err)
	}
	if why := k.Missing(kernel.Types); why != "" {
		t.Skip(why)
	}
	defs, err := k.Definitions("bpf_prog")
	if err != nil || len(defs) == 0 {
		t.Fatal(defs, err)
	}
	has := slices.ContainsFunc(defs[0].Members, func(m kernel.Member) bool { return m.Name == "active" })
	boundary.Claim{Name: "fentry programs do not run in themselves", Since: "5.12"}.Test(t, release, has)
}
