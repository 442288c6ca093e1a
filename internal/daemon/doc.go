// Package daemon is supervision as a service: what "surehook watch" runs. It
// reads a configuration, keeps the hooks in it attached through supervise, takes
// a new configuration without losing the hooks that stay, and tells metrics,
// health and the service manager how they are.
package daemon

//go:generate go run -C ../../tools/chart . ../../dist/helm/surehook ../../internal/daemon/testdata/chart
