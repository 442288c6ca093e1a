//go:build !amd64 && !arm64

package bench

func instructions() []instruction { return nil }
