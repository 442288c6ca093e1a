package debuginfod

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Defaults of Options and the limits of what a server may make us do.
const (
	// DefaultStall is how long a server may take to answer, and how long it
	// may take for each minPace bytes: elfutils' DEBUGINFOD_TIMEOUT. A server
	// may first have to unpack a package of a gigabyte.
	DefaultStall = 90 * time.Second
	minPace      = 100 << 10

	// DefaultMaxSize bounds one file in bytes. The largest debug files are
	// those of browsers, with some 4 GB.
	DefaultMaxSize = 8 << 30

	// missTime is how long it is believed that no server has a file:
	// elfutils' default of cache_miss_s.
	missTime = 10 * time.Minute

	dialTime     = 10 * time.Second // to connect, and again for TLS
	maxRedirects = 5
	maxHeader    = 64 << 10 // bytes of an answer's header
	maxID        = 64       // bytes of a build id; linkers make 8 to 20

	progressEvery = 100 * time.Millisecond
)

// Options of New. Zero durations and sizes mean the defaults.
type Options struct {
	URLs    []string      // servers, in the order they are asked
	Dir     string        // cache directory; it is made when needed
	Stall   time.Duration // time without an answer, or without 100 KiB more of one
	MaxSize int64         // bytes of one file
	// Progress is told now and then how far a download is, from the goroutine
	// that called Fetch. May be nil.
	Progress func(Progress)
}

// Progress is how far a download is.
type Progress struct {
	URL   string
	Bytes int64 // received
	Total int64 // -1 if the server did not say
	Done  bool  // nothing more comes of this URL
}

// FromEnv reads the variables that elfutils' client reads: DEBUGINFOD_URLS,
// DEBUGINFOD_CACHE_PATH, DEBUGINFOD_TIMEOUT (seconds), DEBUGINFOD_MAXSIZE
// (bytes). getenv is os.Getenv outside of tests. What is not a number counts
// as not set, as there.
func FromEnv(getenv func(string) string) Options {
	o := Options{Dir: cacheDir(getenv)}
	for _, u := range strings.Fields(getenv("DEBUGINFOD_URLS")) {
		if !strings.HasPrefix(u, "ima:") { // a policy of elfutils 0.192, no server
			o.URLs = append(o.URLs, u)
		}
	}
	if s, err := strconv.Atoi(getenv("DEBUGINFOD_TIMEOUT")); err == nil && s > 0 {
		o.Stall = time.Duration(s) * time.Second
	}
	if n, err := strconv.ParseInt(getenv("DEBUGINFOD_MAXSIZE"), 10, 64); err == nil && n > 0 {
		o.MaxSize = n
	}
	return o
}

// cacheDir is where elfutils keeps what it got; "" if there is no such place.
func cacheDir(getenv func(string) string) string {
	if dir := getenv("DEBUGINFOD_CACHE_PATH"); dir != "" {
		return dir
	}
	home, cache := getenv("HOME"), getenv("XDG_CACHE_HOME")
	if home != "" {
		old := filepath.Join(home, ".debuginfod_client_cache")
		if _, err := os.Stat(old); err == nil {
			return old
		}
		if cache == "" {
			cache = filepath.Join(home, ".cache")
		}
	}
	if cache == "" {
		return ""
	}
	return filepath.Join(cache, "debuginfod_client")
}
