//go:build !unix

package live

import "errors"

const heldName = ""

// Held does nothing: no command can be held on this system.
func Held() {}

type hold struct{}

func newHold() (*hold, error)                { return nil, errors.ErrUnsupported }
func self() (string, error)                  { return "", errors.ErrUnsupported }
func (*hold) args(string, []string) []string { return nil }
func (*hold) started()                       {}
func (*hold) release() error                 { return errors.ErrUnsupported }
func (*hold) close()                         {}
