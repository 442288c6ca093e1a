//go:build !linux || !(amd64 || arm64)

package attach

import (
	"context"
	"io"
	"os"
	"time"
)

// Session is a set of attached plans.
type Session struct{}

// Open fails with ErrNotSupported.
func Open([]Plan, Options) (*Session, error) { return nil, ErrNotSupported }

// Permitted fails with ErrNotSupported.
func Permitted() error { return ErrNotSupported }

// Counts gives nothing.
func (*Session) Counts() ([][]uint64, error) { return nil, ErrNotSupported }

// Undecided gives nothing.
func (*Session) Undecided() ([][]uint64, error) { return nil, ErrNotSupported }

// Lost gives nothing.
func (*Session) Lost() (uint64, error) { return 0, ErrNotSupported }

// Strayed gives nothing.
func (*Session) Strayed() (uint64, error) { return 0, ErrNotSupported }

// Read gives nothing.
func (*Session) Read(context.Context) (Event, error) { return Event{}, io.EOF }

// Failures gives nothing.
func (*Session) Failures() []Failure { return nil }

// Unverified gives nothing.
func (*Session) Unverified() []int { return nil }

// Mechanism gives nothing.
func (*Session) Mechanism() string { return "" }

// Detach does nothing.
func (*Session) Detach() error { return nil }

// Close does nothing.
func (*Session) Close() error { return nil }

// Base is a BPF program that counts for many sessions.
type Base struct{}

// NewBase fails with ErrNotSupported.
func NewBase(BaseOptions) (*Base, error) { return nil, ErrNotSupported }

// Attach fails with ErrNotSupported.
func (*Base) Attach(*os.File, string, []Probe, Options) (*Session, error) {
	return nil, ErrNotSupported
}

// Close does nothing.
func (*Base) Close() error { return nil }

// Ready does nothing.
func (*Base) Ready(time.Duration) {}

// Left gives nothing.
func (*Base) Left() []Left { return nil }

// Adopt fails with ErrNotSupported.
func (*Base) Adopt(string, string, []Probe) (*Session, error) { return nil, ErrNotSupported }

// Abandon fails with ErrNotSupported.
func (*Base) Abandon(string) error { return ErrNotSupported }

// Leave does nothing.
func (*Base) Leave() error { return nil }
