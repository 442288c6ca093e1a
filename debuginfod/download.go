package debuginfod

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// download gets one URL into its slot. Without an error a status says that
// the server does not have the file; "" that the file is in its place.
func (c *Client) download(ctx context.Context, u *url.URL, s *slot) (status string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", "surehook")
	// Transparent compression would hide the length; the files hold
	// compressed sections where it matters.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return resp.Status, nil
	default:
		return resp.Status, fmt.Errorf("the server cannot answer")
	}
	if resp.ContentLength > c.opts.MaxSize {
		return resp.Status, fmt.Errorf("%w: %d bytes, %d allowed (DEBUGINFOD_MAXSIZE)", ErrTooLarge, resp.ContentLength, c.opts.MaxSize)
	}
	body := &meter{ctx: ctx, from: resp.Body, url: u.Redacted(), total: total(resp), report: c.opts.Progress}
	stop := body.watch(cancel, c.opts.Stall)
	defer stop()
	err = s.store(body, c.opts.MaxSize)
	body.say(true)
	if err != nil {
		return resp.Status, err
	}
	return "", nil
}

// total is the size that the server announces, -1 if it does not. Of files
// that it unpacks while it sends them only its own header says it.
func total(resp *http.Response) int64 {
	if resp.ContentLength >= 0 {
		return resp.ContentLength
	}
	if n, err := strconv.ParseInt(resp.Header.Get("X-DEBUGINFOD-SIZE"), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// meter counts what is read, reports it, and watches that something comes.
type meter struct {
	ctx    context.Context
	from   io.Reader
	url    string
	total  int64
	report func(Progress)
	last   time.Time
	n      atomic.Int64
}

// Read implements io.Reader.
func (m *meter) Read(b []byte) (int, error) {
	n, err := m.from.Read(b)
	m.n.Add(int64(n))
	if now := time.Now(); now.Sub(m.last) >= progressEvery {
		m.last = now
		m.say(false)
	}
	if err != nil && err != io.EOF {
		if cause := context.Cause(m.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

func (m *meter) say(done bool) {
	if m.report != nil {
		m.report(Progress{URL: m.url, Bytes: m.n.Load(), Total: m.total, Done: done})
	}
}

// watch cancels the download when a period brings less than minPace bytes.
func (m *meter) watch(cancel context.CancelCauseFunc, period time.Duration) (stop func()) {
	tick := time.NewTicker(period)
	done := make(chan struct{})
	go func() {
		defer tick.Stop()
		before := int64(0)
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			now := m.n.Load()
			if now-before < minPace {
				cancel(fmt.Errorf("%w: %d bytes in %v", ErrStalled, now-before, period))
				return
			}
			before = now
		}
	}()
	return func() { close(done) }
}
