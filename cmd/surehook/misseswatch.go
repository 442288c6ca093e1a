package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/misses"
	"github.com/surehook/surehook/report"
)

// watch shows samples until it is interrupted: on a terminal as a view with
// keys, elsewhere one table or one set of JSON lines after the other.
func (f *missesFlags) watch(ctx context.Context, s streams, format report.Format, sampler *misses.Sampler) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	in, out := asFile(s.in), asFile(s.out)
	if format == report.Text && in != nil && out != nil && isTerminal(in) && isTerminal(out) {
		return f.view(ctx, in, out, sampler)
	}
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	for before := (*misses.Sample)(nil); ; {
		sample, err := sampler.Read()
		if err != nil {
			return err
		}
		if err := f.write(s, format, sample, misses.Rates(before, sample)); errors.Is(err, syscall.EPIPE) {
			return nil
		} else if err != nil {
			return err
		}
		before = sample
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// write prints a sample of many.
func (f *missesFlags) write(s streams, format report.Format, sample *misses.Sample, rates map[uint32]misses.Rate) error {
	if format == report.JSON {
		return misses.WriteJSON(s.out, sample, rates, nil)
	}
	if _, err := fmt.Fprintf(s.out, "%s\n", sample.Time.Format(time.RFC3339)); err != nil {
		return err
	}
	if err := misses.WriteText(s.out, sample, rates); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out)
	return err
}

// Control sequences of terminals (ECMA-48; 1049 and 25 are xterm's).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
)

// view is the view on a terminal.
func (f *missesFlags) view(ctx context.Context, in, out *os.File, sampler *misses.Sampler) (err error) {
	restore, err := unix.KeyByKey(in)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, enterScreen); err != nil {
		return errors.Join(err, restore())
	}
	defer func() {
		_, left := io.WriteString(out, leaveScreen)
		err = errors.Join(err, left, restore())
	}()
	keys := make(chan byte)
	go func() { // ends with the program: a read of a terminal cannot be called off
		r := bufio.NewReader(in)
		for {
			b, err := r.ReadByte()
			if err != nil {
				close(keys)
				return
			}
			keys <- b
		}
	}()
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	var v misses.View
	var rates map[uint32]misses.Rate
	sample, err := sampler.Read()
	for err == nil {
		rows, columns, size := unix.TerminalSize(out)
		if size != nil {
			return size
		}
		frame := home + strings.Join(v.Frame(sample, rates, rows, columns), clearLine+"\r\n") + clearLine
		if _, err := io.WriteString(out, frame); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case key, ok := <-keys:
			if !ok || v.Key(key) {
				return nil
			}
		case <-tick.C:
			before := sample
			if sample, err = sampler.Read(); err == nil {
				rates = misses.Rates(before, sample)
			}
		}
	}
	return err
}

// asFile gives the file behind a stream; nil if it is none.
func asFile(stream any) *os.File {
	f, _ := stream.(*os.File)
	return f
}
