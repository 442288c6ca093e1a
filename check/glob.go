package check

import (
	"path"
	"strings"
)

func pathMatch(pattern, name string) (bool, error) { return path.Match(pattern, name) }

// matcher makes a function that tells whether a shell's glob matches a
// function's name, which has no slashes and no dots. What the glob begins and
// ends with is compared first: a kernel has 130,000 names.
func matcher(pattern string) func(name string) bool {
	const special = `*?[\`
	prefix, suffix := pattern, ""
	if i := strings.IndexAny(pattern, special); i >= 0 {
		prefix = pattern[:i]
		if j := strings.LastIndexByte(pattern, '*'); !strings.ContainsAny(pattern[j+1:], special+"]") {
			suffix = pattern[j+1:]
		}
	}
	return func(name string) bool {
		if !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, suffix) || strings.Contains(name, ".") {
			return false
		}
		ok, err := pathMatch(pattern, name)
		return ok && err == nil
	}
}
