package vmtest

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Kernel is one of Debian's kernels that tests run on.
type Kernel struct {
	Arch    string // amd64 or arm64
	Series  string // major and minor version: 6.1
	Suite   string // of the Debian archive
	Release string // as uname -r; when the archive has dropped it, the newest of the series and suite is taken
	Extra   bool   // one that make vmtest has and make test, for its time, has not
}

// Kernels is the table of all kernels that something is proved on, oldest
// first: the stable releases' and the newest.
func Kernels() []Kernel {
	return []Kernel{
		{"amd64", "5.10", "bullseye", "5.10.0-32-cloud-amd64", false},
		{"amd64", "6.1", "bookworm", "6.1.0-50-cloud-amd64", false},
		{"amd64", "6.12", "trixie", "6.12.117+deb13-cloud-amd64", false},
		{"amd64", "7.0", "trixie-backports", "7.0.13+deb13-cloud-amd64", false},
		{"amd64", "7.2", "trixie-backports", "7.2.12+deb13-cloud-amd64", true},
		{"amd64", "7.3", "trixie-backports", "7.3.4+deb13-cloud-amd64", false},
		{"arm64", "6.1", "bookworm", "6.1.0-50-cloud-arm64", true},
		{"arm64", "6.12", "trixie", "6.12.117+deb13-cloud-arm64", false},
	}
}

// Name is how tables name the kernel: 6.1 amd64.
func (k Kernel) Name() string { return k.Series + " " + k.Arch }

// Run fetches the kernel if the cache of CacheDir does not have it, boots it
// and does the job: see Image.Run.
func (k Kernel) Run(ctx context.Context, job Job) (*Outcome, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	i, err := k.Fetch(ctx, cache)
	if err != nil {
		return nil, err
	}
	return i.Run(ctx, job)
}

func (k Kernel) dir(cache string) string { return filepath.Join(cache, "linux-"+k.Release) }

// Fetch unpacks the kernel's packages below the cache directory, once for all
// processes, and gives what they hold. The error wraps ErrMissing when this
// machine or the network is to blame.
func (k Kernel) Fetch(ctx context.Context, cache string) (*Image, error) {
	cache, err := filepath.Abs(cache)
	if err != nil {
		return nil, err
	}
	dir := k.dir(cache)
	if err := fill(dir, func(tmp, root string) error { return k.download(ctx, tmp, root) }); err != nil {
		return nil, err
	}
	return k.open(dir)
}

// download unpacks the packages of the kernel into root. Until Linux 6.18
// linux-image holds everything; then it is but the sum of the parts, and of
// some old versions the archive has not all of these.
func (k Kernel) download(ctx context.Context, tmp, root string) error {
	apt, err := newApt(ctx, filepath.Join(tmp, "apt"), k.Arch, k.Suite)
	if err != nil {
		return fmt.Errorf("kernel %s: %w", k.Release, err)
	}
	out, err := apt.run(ctx, "apt-cache", "pkgnames", "linux-")
	if err != nil {
		return err
	}
	names := strings.Fields(out)
	release, err := k.choose(names)
	if err != nil {
		return err
	}
	var parts []string
	for _, n := range names {
		kind, ok := strings.CutSuffix(n, "-"+release)
		switch kind {
		case "linux-image", "linux-binary", "linux-base", "linux-modules":
			if ok {
				parts = append(parts, n)
			}
		}
	}
	return apt.unpack(ctx, root, parts...)
}

// choose gives the release to take, of the names of all packages.
func (k Kernel) choose(names []string) (string, error) {
	newest := ""
	for _, n := range names {
		release, ok := strings.CutPrefix(n, "linux-image-")
		if !ok || !strings.HasPrefix(release, k.Series+".") || !strings.HasSuffix(release, "-cloud-"+k.Arch) {
			continue
		}
		if release == k.Release {
			return release, nil
		}
		if newest == "" || compareVersions(release, newest) > 0 {
			newest = release
		}
	}
	if newest == "" {
		return "", fmt.Errorf("%w: Debian's %s has no Linux %s cloud kernel for %s any more; take another row in vmtest.Kernels", ErrMissing, k.Suite, k.Series, k.Arch)
	}
	return newest, nil
}

// Image is a kernel in the cache.
type Image struct {
	Kernel           // as asked for
	Release   string // what it is, as uname -r: Kernel.Release or a newer one
	Path      string // the bootable file
	Config    string // the file with its CONFIG_ options; "" where the packages lack it
	moduleDir string // with modules.builtin; "" where there are none
}

// open finds the parts of a kernel in dir. Debian moved them from /boot and
// /lib to /usr/lib/modules.
func (k Kernel) open(dir string) (*Image, error) {
	i := &Image{Kernel: k}
	for _, pattern := range []string{"boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) != 1 {
			continue
		}
		i.Path = found[0]
		i.Release = strings.TrimPrefix(filepath.Base(i.Path), "vmlinuz-")
		if i.Release == "vmlinuz" {
			i.Release = filepath.Base(filepath.Dir(i.Path))
		}
	}
	if i.Path == "" {
		return nil, fmt.Errorf("%s: no kernel image in it; remove that directory", dir)
	}
	for _, name := range []string{"boot/config-" + i.Release, "usr/lib/modules/" + i.Release + "/config"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			i.Config = filepath.Join(dir, name)
		}
	}
	for _, name := range []string{"lib/modules", "usr/lib/modules"} {
		d := filepath.Join(dir, name, i.Release)
		if _, err := os.Stat(filepath.Join(d, "kernel")); err == nil {
			i.moduleDir = d
		}
	}
	return i, nil
}

// ModuleDir is the directory that holds the modules; "" where there are none.
func (i *Image) ModuleDir() string { return i.moduleDir }

// HasModules tells whether its modules are in the archive.
func (i *Image) HasModules() bool { return i.moduleDir != "" }

// Run boots the kernel and does the job, with the modules that it names and
// those that they need, and the kernel's configuration as /boot/config-RELEASE.
func (i *Image) Run(ctx context.Context, job Job) (*Outcome, error) {
	files, paths, err := i.modules(job.Modules)
	if err != nil {
		return nil, err
	}
	if i.Config != "" {
		files = append(files, File{Name: path.Join("/boot", "config-"+i.Release), From: i.Config, Mode: 0o644})
	}
	job.Files, job.Modules = append(files, job.Files...), paths
	out, err := Machine{Arch: i.Arch, Kernel: i.Path}.Run(ctx, job)
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", i.Release, err)
	}
	if out.Kernel != i.Release {
		return nil, fmt.Errorf("kernel %s says it is %s; remove %s", i.Release, out.Kernel, i.Path)
	}
	return out, nil
}
