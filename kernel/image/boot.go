package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/surehook/surehook/elfbin"
)

// maxImage bounds a kernel when unpacked, in bytes: those of distributions have
// 60 MiB, debug kernels some 200.
const maxImage = 512 << 20

// errTooLarge stands for what is beyond a limit.
var errTooLarge = errors.New("it unpacks to more than the limit")

// bootPayload gives where in a bootable image the kernel lies, and how it is
// compressed ("" if it is not); ok is false for what is no such image.
func bootPayload(head []byte, size int64) (off, n int64, ok bool) {
	le := binary.LittleEndian
	switch {
	case len(head) >= 0x260 && string(head[0x202:0x206]) == "HdrS" && le.Uint16(head[0x206:]) >= 0x208:
		// Documentation/arch/x86/boot.rst
		sectors := int64(head[0x1f1])
		if sectors == 0 {
			sectors = 4
		}
		off, n = (sectors+1)*512+int64(le.Uint32(head[0x248:])), int64(le.Uint32(head[0x24c:]))
		if n > 4 && off+4 <= int64(len(head)) && off > 0 && formatOf(head[off:]) != "gzip" {
			n -= 4 // the unpacked size is appended to all but gzip, which has it anyway
		}
	case len(head) >= 0x20 && string(head[:2]) == "MZ" && string(head[4:8]) == "zimg":
		// drivers/firmware/efi/libstub/zboot-header.S
		off, n = int64(le.Uint32(head[8:])), int64(le.Uint32(head[12:]))
	case rawARM64(head):
		off, n = 0, size
	default:
		return 0, 0, false
	}
	return off, n, true
}

// rawARM64 tells the header of an uncompressed arm64 kernel
// (Documentation/arch/arm64/booting.rst).
func rawARM64(head []byte) bool {
	return len(head) >= 64 && string(head[0x38:0x3c]) == "ARM\x64"
}

// takeBoot takes a bootable image, or a compressed one.
func (f *files) takeBoot(in Input, head []byte) error {
	data, err := f.unpackKernel(in, head, 0)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(data, []byte("\x7fELF")) {
		file, err := elfbin.New(bytes.NewReader(data), int64(len(data)), in.Name)
		if err != nil {
			return err
		}
		if file.Type() == elf.ET_REL {
			f.modules = append(f.modules, Input{in.Name, bytes.NewReader(data), int64(len(data))})
			return nil
		}
		core, err := elfSource(file)
		if err != nil {
			return err
		}
		if len(core.symbols) == 0 {
			if err := core.nameELF(file); err != nil {
				return err
			}
		}
		return f.setCore(in.Name, core)
	}
	if rawARM64(data) {
		core, err := rawSource(in.Name, data)
		if err != nil {
			return err
		}
		return f.setCore(in.Name, core)
	}
	return &FormatError{in.Name, "kernel", 0, errors.New("what it holds is neither an ELF file nor an arm64 kernel")}
}

// maxLayers bounds compressed images in compressed images.
const maxLayers = 3

// unpackKernel gives the kernel that an image holds.
func (f *files) unpackKernel(in Input, head []byte, layer int) ([]byte, error) {
	if layer > maxLayers {
		return nil, &FormatError{in.Name, "kernel", 0, errors.New("it is packed too often")}
	}
	off, n, boot := bootPayload(head, in.Size)
	if !boot {
		off, n = 0, in.Size
	}
	if off < 0 || n < 0 || off > in.Size || n > in.Size-off {
		return nil, &FormatError{in.Name, "payload", uint64(off), fmt.Errorf("%d bytes end past the end of the file: it is truncated or damaged", n)}
	}
	payload := io.NewSectionReader(in.File, off, n)
	start := make([]byte, min(headSize, n))
	if _, err := io.ReadFull(payload, start); err != nil {
		return nil, &FormatError{in.Name, "payload", uint64(off), err}
	}
	if _, err := payload.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	format := formatOf(start)
	if format == "" {
		data, err := readLimited(payload, maxImage)
		if err != nil {
			return nil, &FormatError{in.Name, "payload", uint64(off), err}
		}
		return data, nil
	}
	data, err := f.unpack(format, payload, maxImage)
	if err != nil {
		return nil, &FormatError{in.Name, "payload (" + format + ")", uint64(off), err}
	}
	if _, _, again := bootPayload(data[:min(headSize, len(data))], int64(len(data))); again && !rawARM64(data) {
		inner := Input{in.Name, bytes.NewReader(data), int64(len(data))}
		return f.unpackKernel(inner, data[:min(headSize, len(data))], layer+1)
	}
	return data, nil
}

// unpack gives all that a compressed stream holds.
func (f *files) unpack(format string, r io.Reader, limit int64) ([]byte, error) {
	z, err := f.opts.decompress(format, r)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return readLimited(z, limit)
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		return nil, fmt.Errorf("%w of %d bytes", errTooLarge, limit)
	}
	return b.Bytes(), err
}
