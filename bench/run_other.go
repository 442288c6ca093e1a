//go:build !linux || !(amd64 || arm64)

package bench

import (
	"context"

	"github.com/surehook/surehook/attach"
)

// Run fails with attach.ErrNotSupported.
func Run(context.Context, Options) (*Report, error) { return nil, attach.ErrNotSupported }

// RunWorkload fails with attach.ErrNotSupported.
func RunWorkload(context.Context, Workload, []attach.Plan, Options) (*Report, error) {
	return nil, attach.ErrNotSupported
}
