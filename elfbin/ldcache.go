package elfbin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// cacheEntry is one library in ld.so's cache.
type cacheEntry struct {
	name  string // soname, "libc.so.6"
	path  string
	flags int32
	hwcap uint64 // not 0: a copy for newer processors only
}

// The layout of /etc/ld.so.cache (glibc, sysdeps/generic/dl-cache.h).
const (
	cacheMagic      = "glibc-ld.so.cache1.1"
	cacheOldMagic   = "ld.so-1.7.0"
	cacheHeaderSize = 48
	cacheEntrySize  = 24
	oldHeaderSize   = 16 // the magic, padding, and the number of entries
	oldEntrySize    = 12

	cacheBigEndian = 3 // of the two low bits of the header's flags

	flagTypeMask = 0x00ff
	flagELF      = 1
	flagLibc6    = 3
	flagArchMask = 0xff00
	flagAMD64    = 0x0300
	flagARM64    = 0x0a00

	// maxCache bounds the cache file; that of a full desktop has 200 kB.
	maxCache = 64 << 20
)

// CacheError says where ld.so's cache breaks its format.
type CacheError struct {
	Offset int // in the cache file
	Err    error
}

func (e *CacheError) Error() string {
	return fmt.Sprintf("ld.so.cache at offset %#x: %v: run ldconfig", e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *CacheError) Unwrap() error { return e.Err }

// parseCache reads the entries of ld.so's cache in its order: the loader's
// order of preference for one name.
func parseCache(b []byte) ([]cacheEntry, error) {
	b, base, err := newFormat(b)
	if err != nil {
		return nil, err
	}
	if len(b) < cacheHeaderSize {
		return nil, &CacheError{base, errors.New("header is cut short")}
	}
	le := binary.LittleEndian
	if b[28]&3 == cacheBigEndian {
		return nil, &CacheError{base + 28, errors.New("cache is for a big-endian machine")}
	}
	n := uint64(le.Uint32(b[20:]))
	if n > uint64(len(b)-cacheHeaderSize)/cacheEntrySize {
		return nil, &CacheError{base + 20, fmt.Errorf("%d entries do not fit %d bytes", n, len(b))}
	}
	text := string(b)
	entries := make([]cacheEntry, 0, n)
	budget := maxNameFactor * len(b)
	for i := range int(n) {
		at := cacheHeaderSize + i*cacheEntrySize
		e := cacheEntry{flags: int32(le.Uint32(b[at:])), hwcap: le.Uint64(b[at+16:])}
		var ok1, ok2 bool
		e.name, ok1 = cacheString(text, le.Uint32(b[at+4:]), &budget)
		e.path, ok2 = cacheString(text, le.Uint32(b[at+8:]), &budget)
		if !ok1 || !ok2 {
			return nil, &CacheError{base + at, fmt.Errorf("entry %d has no proper name or path", i)}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// newFormat skips the old format's part, which older glibc writes before the
// new one, and gives where the rest begins.
func newFormat(b []byte) ([]byte, int, error) {
	if len(b) > maxCache {
		return nil, 0, &CacheError{0, fmt.Errorf("%d bytes are more than a cache has", len(b))}
	}
	at := uint64(0)
	if strings.HasPrefix(string(b[:min(len(b), len(cacheOldMagic))]), cacheOldMagic) && len(b) >= oldHeaderSize {
		n := uint64(binary.LittleEndian.Uint32(b[oldHeaderSize-4:]))
		at = (oldHeaderSize + n*oldEntrySize + 7) &^ 7
	}
	if at >= uint64(len(b)) || !strings.HasPrefix(string(b[at:min(uint64(len(b)), at+uint64(len(cacheMagic)))]), cacheMagic) {
		return nil, 0, &CacheError{int(min(at, uint64(len(b)))), errors.New("not a cache of glibc's format 1.1")}
	}
	return b[at:], int(at), nil
}

// cacheString is the string at an offset of the cache.
func cacheString(text string, off uint32, budget *int) (string, bool) {
	if uint64(off) >= uint64(len(text)) {
		return "", false
	}
	rest := text[off:]
	n := strings.IndexByte(rest[:min(len(rest), *budget)], 0)
	if n <= 0 {
		return "", false
	}
	*budget -= n
	return rest[:n], true
}

// runs tells whether the library is one that a program of arch loads.
func (e cacheEntry) runs(arch Arch) bool {
	if t := e.flags & flagTypeMask; t != flagELF && t != flagLibc6 {
		return false
	}
	switch e.flags & flagArchMask {
	case flagAMD64:
		return arch == AMD64 || arch == UnknownArch
	case flagARM64:
		return arch == ARM64 || arch == UnknownArch
	}
	return false
}

// special is 1 for a copy that only some processors load, otherwise 0.
func (e cacheEntry) special() int {
	if e.hwcap != 0 {
		return 1
	}
	return 0
}
