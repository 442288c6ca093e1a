package debuginfod

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/surehook/surehook/elfbin"
)

// Client gets debug files. It is safe for concurrent use.
type Client struct {
	opts Options
	http *http.Client

	mu      sync.Mutex
	flights map[string]*flight
}

// flight is a file on its way, for all that ask for it.
type flight struct {
	done chan struct{}
	path string
	err  error
}

// New makes a client.
func New(opts Options) *Client {
	opts.Stall = cmp.Or(opts.Stall, DefaultStall)
	opts.MaxSize = cmp.Or(opts.MaxSize, DefaultMaxSize)
	return &Client{opts: opts, flights: map[string]*flight{}, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: dialTime}).DialContext,
			TLSHandshakeTimeout:    dialTime,
			ResponseHeaderTimeout:  opts.Stall,
			MaxResponseHeaderBytes: maxHeader,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: checkRedirect,
	}}
}

// checkRedirect keeps what began encrypted encrypted.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("it redirects from https to %s", next.URL.Redacted())
	}
	return nil
}

// Fetch gives the debug file of a build id (hex), from the cache or a server.
// Its build id is verified. The caller closes it. Errors: ErrNoServer, *Error,
// which is fs.ErrNotExist when no server has the file, or one of the cache's
// directory. Several calls for one file wait for one download, which ends
// when the context of the first one does.
func (c *Client) Fetch(ctx context.Context, buildID string) (*elfbin.File, error) {
	if raw, err := hex.DecodeString(buildID); err != nil || len(raw) == 0 || len(raw) > maxID {
		return nil, fmt.Errorf("%q is no build id", buildID)
	}
	buildID = strings.ToLower(buildID)
	c.mu.Lock()
	f := c.flights[buildID]
	first := f == nil
	if first {
		f = &flight{done: make(chan struct{})}
		c.flights[buildID] = f
	}
	c.mu.Unlock()
	if first {
		f.path, f.err = c.locate(ctx, buildID)
		c.mu.Lock()
		delete(c.flights, buildID)
		c.mu.Unlock()
		close(f.done)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if f.err != nil {
		return nil, f.err
	}
	return elfbin.Open(f.path)
}

// locate gives the path of the file in the cache, once it is there.
func (c *Client) locate(ctx context.Context, id string) (string, error) {
	s, err := openSlot(c.opts.Dir, id)
	if err != nil {
		return "", err
	}
	if ok, err := s.cached(); ok || err != nil {
		return s.path, err
	}
	if len(c.opts.URLs) == 0 {
		return "", ErrNoServer
	}
	failed := &Error{BuildID: id}
	absent := true
	for _, base := range c.opts.URLs {
		a := c.ask(ctx, base, s)
		if a == nil {
			return s.path, nil
		}
		failed.Attempts = append(failed.Attempts, *a)
		absent = absent && a.Err == nil
		if ctx.Err() != nil {
			break
		}
	}
	failed.Hint = "try again later, or another server in DEBUGINFOD_URLS"
	if absent {
		failed.Hint = "install the package with the debug file, or name another server in DEBUGINFOD_URLS"
		if err := s.miss(); err != nil {
			return "", errors.Join(failed, err)
		}
	}
	return "", failed
}

// ask gets the file from one server into its place, or says why not.
func (c *Client) ask(ctx context.Context, base string, s *slot) *Attempt {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return &Attempt{URL: "a server in DEBUGINFOD_URLS", Err: errors.New("its URL cannot be read")} // may hold a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return &Attempt{URL: u.Redacted(), Err: errors.New("only http and https servers are asked")}
	}
	if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/buildid") {
		u = u.JoinPath(s.id, "debuginfo")
	} else {
		u = u.JoinPath("buildid", s.id, "debuginfo")
	}
	a := &Attempt{URL: u.Redacted()}
	if a.Status, a.Err = c.download(ctx, u, s); a.Err == nil && a.Status == "" {
		return nil
	}
	var of *url.Error // repeats the URL
	if errors.As(a.Err, &of) {
		a.Err = of.Err
	}
	return a
}
