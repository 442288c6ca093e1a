package elfbin

import "sync/atomic"

// pageSize is how much of a segment is read at once: functions lie near those
// that they call, and one question needs few of a large file's.
const pageSize = 64 << 10

// pages hold the bytes of a segment that have been asked for.
type pages struct {
	size  uint64 // of the bytes in the file
	pages []atomic.Pointer[[]byte]
}

func newPages(size uint64) pages {
	return pages{size, make([]atomic.Pointer[[]byte], (size+pageSize-1)/pageSize)}
}

// get gives at most n bytes from off on; nil if there are none or they cannot
// be read.
func (p *pages) get(f *File, s *segment, off uint64, n int) []byte {
	if off >= p.size {
		return nil
	}
	size := min(uint64(n), p.size-off)
	if off/pageSize == (off+size-1)/pageSize {
		b := p.page(f, s, off/pageSize)
		if b == nil {
			return nil
		}
		b = b[off%pageSize:]
		return b[:size:size]
	}
	b, err := f.read("segment", s.offset+off, size)
	if err != nil {
		return nil
	}
	return b
}

func (p *pages) page(f *File, s *segment, i uint64) []byte {
	if b := p.pages[i].Load(); b != nil {
		return *b
	}
	off := i * pageSize
	b, err := f.read("segment", s.offset+off, min(pageSize, p.size-off))
	if err != nil {
		return nil
	}
	p.pages[i].Store(&b)
	return b
}
