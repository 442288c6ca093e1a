package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/internal/kernelfiles"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/image"
)

func newKernelSnapshot(s streams) *cobra.Command {
	var out, name string
	cmd := &cobra.Command{
		Use:   "snapshot FILE... | live",
		Short: "Write the facts of a kernel into an atlas file",
		Long: "Writes what probes need to know of one kernel into a file of 1 to 3 MB, which --atlas and\n" +
			"--kernel take. FILE is a vmlinux, a Debian package, modules, a configuration: all of one\n" +
			"kernel. Atlas files are put together into one.",
		Example: "  surehook kernel snapshot linux-image-6.1.0-50-cloud-amd64-dbg_*.deb -o my.atlas\n" +
			"  surehook kernel snapshot /usr/lib/debug/boot/vmlinux-$(uname -r) /boot/config-$(uname -r)\n" +
			"  surehook kernel snapshot live",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := snapshots(cmd.Context(), args, name)
			if err != nil {
				return err
			}
			if out == "" {
				out = fileName(list[0].ID)
			}
			if err := replaceFile(out, func(w io.Writer) error { return atlas.Write(w, list) }); err != nil {
				return err
			}
			info, err := os.Stat(out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(s.out, "%s: %d functions of %s, %.1f MB\n", out, len(list[0].Functions), list[0].ID.Name, float64(info.Size())/1e6)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "the atlas `FILE` to write; default: the kernel's name and .atlas")
	cmd.Flags().StringVar(&name, "name", "", "the kernel's `NAME` for --kernel; default: by its release")
	return cmd
}

// snapshots reads what the arguments name: atlas files, the running kernel, or
// the files of one kernel.
func snapshots(ctx context.Context, args []string, name string) ([]*kernel.Snapshot, error) {
	if len(args) == 1 && args[0] == kernels.Live {
		k, err := runningKernel()
		if err != nil {
			return nil, err
		}
		s, err := k.Snapshot()
		if err != nil {
			return nil, err
		}
		if name != "" {
			s.ID.Name = name
		}
		return []*kernel.Snapshot{s}, nil
	}
	list, err := atlasSnapshots(args)
	if list != nil || err != nil {
		return list, err
	}
	s, err := readImage(ctx, image.Options{Name: name, Modules: true}, args...)
	if err != nil {
		return nil, err
	}
	return []*kernel.Snapshot{s}, nil
}

// atlasSnapshots gives all kernels of atlas files; nil if the first is none.
func atlasSnapshots(paths []string) ([]*kernel.Snapshot, error) {
	var list []*kernel.Snapshot
	for _, p := range paths {
		a, err := atlas.Open(p)
		var damaged *atlas.FormatError
		if errors.As(err, &damaged) && !damaged.IsAtlas() && list == nil {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, e := range a.Entries() {
			s, err := e.Snapshot()
			if err != nil {
				a.Close()
				return nil, err
			}
			list = append(list, s)
		}
		if err := a.Close(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// readImage reads files of one kernel.
func readImage(ctx context.Context, opts image.Options, paths ...string) (*kernel.Snapshot, error) {
	return kernelfiles.Read(ctx, opts, paths...)
}

// kernelFile reads a kernel's file for questions about some functions; all of
// them without names.
func kernelFile(names ...string) func(path string) (kernel.Kernel, error) {
	return func(path string) (kernel.Kernel, error) {
		return readImage(context.Background(), image.Options{Only: names}, path)
	}
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
