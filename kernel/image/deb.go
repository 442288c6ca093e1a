package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Limits of packages. A kernel's debug package has 1,200 members of up to
// 630 MB.
const (
	maxMembers  = 1 << 16
	maxVmlinux  = 2 << 30
	maxModule   = 256 << 20
	maxControl  = 1 << 20
	arHeader    = 60 // bytes (ar(5))
	arMagic     = "!<arch>\n"
	arTrailer   = "`\n"
	maxArMember = 64
)

// Scratch holds a file that is too large for memory while it is read, as an
// *os.File does.
type Scratch interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// scratch opens a place for a large file.
func (o *Options) scratch() (Scratch, error) {
	if o.Scratch != nil {
		return o.Scratch()
	}
	return &heap{}, nil
}

// heap is a Scratch in memory.
type heap struct{ bytes.Buffer }

func (h *heap) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(h.Bytes()).ReadAt(p, off)
}

func (h *heap) Close() error { return nil }

// archive is a Debian package: an ar file with two compressed tar files
// (deb(5)).
type archive struct {
	in      Input
	control arMember
	data    arMember
	debug   bool // it holds debug files: of modules, those have no code
}

type arMember struct {
	name      string
	off, size int64
}

// openDeb finds the parts of a package.
func openDeb(in Input) (*archive, error) {
	d := &archive{in: in}
	at := int64(len(arMagic))
	for range maxArMember {
		if at >= in.Size {
			break
		}
		var head [arHeader]byte
		if _, err := in.File.ReadAt(head[:], at); err != nil {
			return nil, d.bad("ar header", at, errCut(err))
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || string(head[58:]) != arTrailer || size < 0 {
			return nil, d.bad("ar header", at, errors.New("it is damaged"))
		}
		m := arMember{strings.TrimRight(string(head[:16]), "/ "), at + arHeader, size}
		if m.size > in.Size-m.off {
			return nil, d.bad(m.name, m.off, fmt.Errorf("%d bytes end past the end of the file: the package is truncated", size))
		}
		switch {
		case strings.HasPrefix(m.name, "control.tar"):
			d.control = m
		case strings.HasPrefix(m.name, "data.tar"):
			d.data = m
		}
		at = m.off + size + size&1
	}
	if d.data.name == "" || d.control.name == "" {
		return nil, d.bad("ar header", 0, errors.New("no Debian package: it lacks control.tar or data.tar"))
	}
	return d, nil
}

// errCut says in words that a file ends too early.
func errCut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends here: it is truncated")
	}
	return err
}

func (d *archive) bad(section string, off int64, err error) error {
	return &FormatError{d.in.Name, section, uint64(off), err}
}

// each gives the regular files of one part; visit may read from r, and ends
// the walk with errStop.
func (d *archive) each(o *Options, m arMember, visit func(name string, size int64, r io.Reader) error) error {
	var r io.Reader = io.NewSectionReader(d.in.File, m.off, m.size)
	if ext := path.Ext(m.name); ext != ".tar" {
		format := map[string]string{".xz": "xz", ".zst": "zstd", ".gz": "gzip"}[ext]
		if format == "" {
			return d.bad(m.name, m.off, fmt.Errorf("%w: %s", ErrFormat, ext))
		}
		z, err := o.decompress(format, r)
		if err != nil {
			return d.bad(m.name, m.off, err)
		}
		defer z.Close()
		r = z
	}
	files := tar.NewReader(r)
	for range maxMembers {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return d.bad(m.name, m.off, errCut(err))
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		err = visit(path.Clean(strings.TrimPrefix(h.Name, "./")), h.Size, files)
		if errors.Is(err, errStop) {
			return nil
		}
		if err != nil {
			return d.bad(h.Name, m.off, errCut(err))
		}
	}
	return d.bad(m.name, m.off, fmt.Errorf("more than %d files", maxMembers))
}

var errStop = errors.New("enough")

// title gives name and version of the package, "linux-image-... 6.1.176-1".
func (d *archive) title(o *Options) (string, error) {
	title := ""
	err := d.each(o, d.control, func(name string, size int64, r io.Reader) error {
		if name != "control" {
			return nil
		}
		text, err := readLimited(r, maxControl)
		if err != nil {
			return err
		}
		title = field(text, "Package") + " " + field(text, "Version")
		return errStop
	})
	return title, err
}

// field gives a field of a control file.
func field(control []byte, name string) string {
	for line := range strings.Lines(string(control)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// takeDeb takes the kernel and configuration out of a package. Modules are
// read later, when the kernel is known.
func (f *files) takeDeb(in Input) error {
	d, err := openDeb(in)
	if err != nil {
		return err
	}
	title, err := d.title(f.opts)
	if err != nil {
		return err
	}
	f.packages = append(f.packages, title)
	name, _, _ := strings.Cut(title, " ")
	d.debug = strings.HasSuffix(name, "-dbg")
	f.debs = append(f.debs, d)
	var config, kernel bool
	return d.each(f.opts, d.data, func(name string, size int64, r io.Reader) error {
		base := path.Base(name)
		switch {
		case strings.HasPrefix(base, "config-") && path.Base(path.Dir(name)) == "boot":
			text, err := readLimited(r, maxConfig)
			if err != nil {
				return err
			}
			f.config, config = parseConfig(text), true
		case strings.HasPrefix(base, "vmlinuz-"):
			kernel = true
			if err := f.takeLarge(in.Name+"("+name+")", r); err != nil {
				return err
			}
		case strings.HasPrefix(base, "vmlinux"):
			if err := f.takeLarge(in.Name+"("+name+")", r); err != nil {
				return err
			}
			return errStop
		}
		if config && kernel {
			return errStop
		}
		return nil
	})
}

// takeLarge unpacks a kernel and takes it.
func (f *files) takeLarge(name string, r io.Reader) error {
	s, err := f.opts.scratch()
	if err != nil {
		return err
	}
	f.closers = append(f.closers, s)
	n, err := io.Copy(s, io.LimitReader(r, maxVmlinux+1))
	if err != nil {
		return err
	}
	if n > maxVmlinux {
		return fmt.Errorf("%w of %d bytes", errTooLarge, int64(maxVmlinux))
	}
	return f.take(Input{name, s, n})
}
