//go:build !unix

package accuracy

import "errors"

func lockFile(string) (func(), error) {
	return nil, errors.New("the accuracy harness needs Linux")
}
