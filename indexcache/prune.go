package indexcache

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// abandoned is how old a file is that its writer has given up.
const abandoned = time.Hour

// prune deletes what has not been used for long, then what has not been used
// for longest until the rest is small enough.
func (d *Dir) prune(now time.Time) {
	list, err := os.ReadDir(d.path)
	if err != nil {
		d.opts.Log("index cache: %v", err)
		return
	}
	type file struct {
		path string
		used time.Time
		size int64
	}
	var files []file
	total := int64(0)
	for _, entry := range list {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // deleted meanwhile, or not ours
		}
		path, age := filepath.Join(d.path, entry.Name()), now.Sub(info.ModTime())
		switch {
		case strings.HasPrefix(entry.Name(), temporary):
			if age > abandoned {
				d.remove(path, "was never finished")
			}
		case !strings.HasSuffix(entry.Name(), suffix):
		case age > d.opts.MaxAge:
			d.remove(path, "has not been used for long")
		default:
			files = append(files, file{path, info.ModTime(), info.Size()})
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b file) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	for _, f := range files {
		if total <= d.opts.MaxBytes {
			return
		}
		d.remove(f.path, "makes room")
		total -= f.size
	}
}

func (d *Dir) remove(path, why string) {
	err := os.Remove(path)
	if err != nil && !os.IsNotExist(err) {
		d.opts.Log("index cache: %v", err)
		return
	}
	d.opts.Log("index cache: %s is deleted: it %s", path, why)
}
