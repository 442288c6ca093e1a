package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/daemon"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	common
	file      string
	noGap     bool
	inside    bool
	listen    string
	pin       string
	state     string
	logFormat string
	logLevel  string
}

func newWatch(s streams) *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch HOOK... | watch -f FILE",
		Short: "Keep hooks attached while their files are replaced, and say what was missed",
		Long: "watch attaches each hook at every place where an execution begins, and goes on doing\n" +
			"so while the file is replaced, rewritten, deleted or only appears later: every new\n" +
			"build is resolved anew. With --no-gap the first call in a new file is counted: opens\n" +
			"in its directory wait until the probes are there. Without it the gap is measured\n" +
			"and told. What happens is logged on standard error; at the end (Ctrl-C, SIGTERM) the\n" +
			"counts are printed.\n\n" +
			"With --containers each hook is watched at the same path in all containers too, those\n" +
			"that come later as well.\n\n" +
			"-f reads hooks from a YAML file (docs/supervision.md), and reads it again on SIGHUP\n" +
			"and when it changes; hooks that stay are not touched. --listen serves /metrics for\n" +
			"Prometheus, /healthz and /readyz. Under systemd the daemon tells when it is ready\n" +
			"and answers the watchdog.",
		Example: "  surehook watch --no-gap uprobe:libssl:SSL_write\n" +
			"  surehook watch --containers uprobe:/usr/lib/x86_64-linux-gnu/libssl.so.3:SSL_write\n" +
			"  surehook watch -f hooks.yaml --listen 127.0.0.1:9464",
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, s, args) },
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "read the hooks from this YAML `FILE`")
	flags.BoolVar(&f.noGap, "no-gap", false, "let opens of a new file wait until it is probed")
	flags.BoolVar(&f.inside, "containers", false, "watch each hook's path in all containers too")
	flags.StringVar(&f.listen, "listen", "", "serve /metrics, /healthz and /readyz at this `ADDR`, as 127.0.0.1:9464")
	flags.StringVar(&f.pin, "pin", "", "keep probes in this `DIR` of a BPF file system while no daemon runs: a restart loses nothing")
	flags.StringVar(&f.state, "state", "", "with --pin keep counts in this `DIR` (default "+daemon.DefaultState+")")
	flags.StringVar(&f.logFormat, "log-format", "text", "of what happens: text or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// load reads the configuration. Flags that are given weigh more than the file.
func (f *watchFlags) load(cmd *cobra.Command, args []string) (*daemon.Config, error) {
	var c *daemon.Config
	switch {
	case f.file != "" && len(args) > 0:
		return nil, errors.New("hooks and -f exclude each other; put the hooks into the file")
	case f.file != "":
		data, err := os.ReadFile(f.file)
		if err != nil {
			return nil, err
		}
		if c, err = daemon.ParseConfig(f.file, data); err != nil {
			return nil, err
		}
	default:
		if err := hooks(cmd, args); err != nil {
			return nil, err
		}
		var err error
		if c, err = daemon.HooksConfig(args); err != nil {
			return nil, err
		}
	}
	flags := cmd.Flags()
	if flags.Changed("containers") {
		for i := range c.Hooks {
			c.Hooks[i].Inside = f.inside
		}
	}
	if flags.Changed("no-gap") {
		c.NoGap = f.noGap
	}
	if flags.Changed("listen") {
		c.Listen = f.listen
	}
	if flags.Changed("pin") {
		c.Pin = f.pin
	}
	if flags.Changed("state") {
		c.State = f.state
	}
	c.Debuginfod = c.Debuginfod || f.fetch
	c.DebugDirs = append(c.DebugDirs, absolute(f.debugDirs)...)
	return c, nil
}

func (f *watchFlags) run(cmd *cobra.Command, s streams, args []string) error {
	format, err := f.parseFormat()
	if err != nil {
		return err
	}
	log, err := logger(s.err, f.logFormat, f.logLevel)
	if err != nil {
		return err
	}
	c, err := f.load(cmd, args)
	if err != nil {
		return err
	}
	if c.State != "" && c.Pin == "" {
		return errors.New("--state goes with --pin: without it nothing outlives the daemon")
	}
	f.fetch, f.debugDirs = c.Debuginfod, c.DebugDirs
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	changed, err := f.changed(ctx)
	if err != nil {
		return err
	}
	analyzer := f.analyzer()
	last, err := daemon.Run(ctx, daemon.Options{
		Config: c, Reload: func() (*daemon.Config, error) { return f.load(cmd, args) }, Changed: changed,
		Find: analyzer.Find, Sites: f.sites(), Logger: log, Version: version(), Notifier: daemon.NewNotifier(os.Getenv),
		Listening: func(a net.Addr) { log.Info("metrics", "address", a.String()) },
	})
	err = errors.Join(err, analyzer.Close())
	if len(last.Hooks) == 0 { // it has not begun
		return err
	}
	return errors.Join(err, report.WriteWatched(s.out, format, last.Watched()))
}

// sites are the options that files are resolved with.
func (f *watchFlags) sites() sites.Options {
	o := sites.Options{Cache: indexes(f.noCache, f.progress), Debug: elfbin.DebugOptions{Root: os.DirFS("/"), Fetch: f.fetcher()}}
	if len(f.debugDirs) > 0 {
		o.Debug.Dirs = append(absolute(f.debugDirs), elfbin.DefaultDebugDir)
	}
	return o
}

// changed tells when the file is to be read again.
func (f *watchFlags) changed(ctx context.Context) (<-chan struct{}, error) {
	if f.file == "" {
		return nil, nil
	}
	written, err := daemon.Changed(ctx, f.file)
	if err != nil {
		return nil, err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	out := make(chan struct{})
	go func() {
		defer close(out)
		defer signal.Stop(hup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			case _, ok := <-written:
				if !ok {
					return
				}
			}
			select {
			case out <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// logger writes what happens to w.
func logger(w io.Writer, format, level string) (*slog.Logger, error) {
	var at slog.Level
	if err := at.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level: %q is none of debug, info, warn, error", level)
	}
	opts := &slog.HandlerOptions{Level: at}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("--log-format: %q is neither text nor json", format)
}
