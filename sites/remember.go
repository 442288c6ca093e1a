package sites

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/surehook/surehook/elfbin"
)

// Cache keeps what was computed of a file for the next time. What it gives
// back is checked, but only against damage: who can write to it can make the
// answers wrong. Package indexcache has one.
type Cache interface {
	// Get gives what was stored under the key and its size in bytes, nil if
	// there is nothing. An io.Closer is closed with the Binary.
	Get(key string) (io.ReaderAt, int64)
	// Put stores what write writes. A failure is nobody's but the cache's.
	Put(key string, write func(io.Writer) error)
	// Drop is told that what Get gave cannot be used, and why.
	Drop(key string, why error)
}

// storedVersion is part of every key. It changes with what is stored, and
// with how it is computed.
const storedVersion = 2

// minRemembered is the size of .debug_info from which an index is stored:
// below it is made in milliseconds.
const minRemembered = 1 << 20

// remember gives debug information from the cache, with the index, or reads it.
// Then keep is not nil, and to be called when the index is made.
func (b *Binary) remember(opts Options) (keep func()) {
	key, ok := b.cacheKey(opts)
	if ok && b.recall(opts.Cache, key) {
		return nil
	}
	b.load(opts.Debug)
	return func() {
		if ok && b.dwErr == nil {
			opts.Cache.Put(key, b.store)
		}
	}
}

// recall takes the index from the cache, if it is there.
func (b *Binary) recall(cache Cache, key string) bool {
	r, size := cache.Get(key)
	if r == nil {
		return false
	}
	b.closer, _ = r.(io.Closer)
	if err := b.openStored(r, size, func(why error) { cache.Drop(key, why) }); err != nil {
		cache.Drop(key, err)
		return false
	}
	return true
}

// cacheKey names what the index is made of: files with a build id, because
// those without may be equal in all that is looked at here.
func (b *Binary) cacheKey(opts Options) (string, bool) {
	id := b.file.BuildID()
	if opts.Cache == nil || len(id) < 8 || len(id) > 128 || b.debug.BuildID() == "" {
		return "", false
	}
	if debugSize(b.debug) < minRemembered && !opts.cacheAll {
		return "", false
	}
	h := sha256.New()
	fmt.Fprintln(h, storedVersion, b.file.Fingerprint(), b.debug.Fingerprint())
	return fmt.Sprintf("%s-%x", id, h.Sum(nil)[:8]), true
}

func debugSize(f *elfbin.File) uint64 {
	size := uint64(0)
	for _, s := range f.Sections() {
		if s.Name == ".debug_info" || s.Name == ".zdebug_info" {
			size = max(size, s.Size)
		}
	}
	return size
}
