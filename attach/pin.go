//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/internal/bpf"
)

// ErrUnknown means that no session of that name was left.
var ErrUnknown = errors.New("no such session was left")

// remnant is what a former process has left of a session.
type remnant struct {
	first uint32 // its room
	count uint32
	links []string // files, by their number; empty: missing
}

func (r *remnant) whole() bool { return len(r.links) > 0 && !slices.Contains(r.links, "") }

// openPinned makes a Base whose maps are pinned, with those of a former process
// if there are any.
func openPinned(n int, opts BaseOptions, can abilities) (*Base, error) {
	if !can.multi {
		return nil, fmt.Errorf("%w: probes that outlive their process need uprobe_multi links (Linux 6.6)", ErrNotSupported)
	}
	if err := os.MkdirAll(opts.Pin, 0o700); err != nil {
		return nil, fmt.Errorf("directory of pins: %w", err)
	}
	pinned, err := bpf.OpenPinned(opts.Pin)
	if err != nil {
		return nil, classify(err)
	}
	if pinned != nil {
		defer pinned.Close()
		n = pinned.Room()
	}
	b, err := newBase(n, opts.Logger, can, pinned)
	if err != nil {
		return nil, err
	}
	b.pin = opts.Pin
	if pinned == nil {
		err = b.objs.Pin(b.pin)
	}
	if err == nil {
		b.left, err = remnants(b.pin)
	}
	for _, r := range b.left {
		if err == nil && !b.room.occupy(r.first, r.count) {
			err = fmt.Errorf("the pins in %s contradict each other: remove it", b.pin)
		}
	}
	if err != nil {
		return nil, errors.Join(classify(err), b.Leave())
	}
	return b, nil
}

// A session's room has a pin room_NAME_FIRST_COUNT, which is there before its
// links and after them, so that what it counted can be read until it is closed.
const roomPrefix = "room"

func roomName(name string, first, count uint32) string {
	return fmt.Sprintf("%s_%s_%d_%d", roomPrefix, name, first, count)
}

// A link's pin is named link_NAME_FIRST_COUNT_K_OF: the room of its session's
// entries, and which of its links it is. A BPF file system takes no dots.
const pinPrefix = "link"

func pinName(name string, first, count uint32, k, of int) string {
	return fmt.Sprintf("%s_%s_%d_%d_%d_%d", pinPrefix, name, first, count, k, of)
}

// maxLinks bounds the links of a session: one each for entries and returns,
// and those that were found by halving.
const maxLinks = 1 << 12

func remnants(dir string) (map[string]*remnant, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]*remnant{}
	for _, f := range files {
		if !strings.Contains(f.Name(), "_") {
			continue // a map
		}
		if err := remember(found, dir, f.Name()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// remember takes in one pin.
func remember(found map[string]*remnant, dir, file string) error {
	strange := fmt.Errorf("the pin %s is none of ours: remove it", filepath.Join(dir, file))
	parts := strings.Split(file, "_")
	isLink := len(parts) == 6 && parts[0] == pinPrefix
	if !isLink && (len(parts) != 4 || parts[0] != roomPrefix) {
		return strange
	}
	var n [4]uint64
	for i, p := range parts[2:] {
		var err error
		if n[i], err = strconv.ParseUint(p, 10, 32); err != nil {
			return strange
		}
	}
	r := found[parts[1]]
	if r == nil {
		r = &remnant{first: uint32(n[0]), count: uint32(n[1])}
		found[parts[1]] = r
	}
	if r.first != uint32(n[0]) || r.count != uint32(n[1]) {
		return strange
	}
	if !isLink {
		return nil
	}
	k, of := n[2], n[3]
	if r.links == nil && of <= maxLinks {
		r.links = make([]string, of)
	}
	if k >= uint64(len(r.links)) {
		return strange
	}
	r.links[k] = filepath.Join(dir, file)
	return nil
}

// pin has the links outlive this process.
func (s *Session) pin(dir, name string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	}) {
		return fmt.Errorf("%w: %q cannot be the name of a pin", ErrInvalid, name)
	}
	s.roomPin = filepath.Join(dir, roomName(name, s.room, uint32(len(s.layout.slots))))
	if err := s.objs.PinRoom(s.roomPin); err != nil {
		return err
	}
	for k, c := range s.links {
		l, ok := c.(link.Link)
		if !ok {
			return fmt.Errorf("%w: a link that cannot be pinned", ErrNotSupported)
		}
		if err := l.Pin(filepath.Join(dir, pinName(name, s.room, uint32(len(s.layout.slots)), k, len(s.links)))); err != nil {
			return fmt.Errorf("pinning a link: %w", err)
		}
		s.links[k] = pinnedLink{l}
	}
	return nil
}

// pinnedLink is detached when it is closed.
type pinnedLink struct{ link.Link }

func (p pinnedLink) Close() error { return errors.Join(p.Unpin(), p.Link.Close()) }

// Left are the sessions that a former process has left and that nobody has
// adopted or abandoned yet, by name.
func (b *Base) Left() []Left {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Left
	for name, r := range b.left {
		list = append(list, Left{Name: name, Probes: int(r.count), Whole: r.whole()})
	}
	slices.SortFunc(list, func(a, b Left) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Adopt takes over a session that was left: its counts go on. The probes must
// be those that it was attached with, ErrInvalid otherwise; ErrUnknown means that there is
// no such session.
func (b *Base) Adopt(name, path string, probes []Probe) (*Session, error) {
	l, err := arrange([]Plan{{Path: path, Probes: probes}}, bpf.MaxGroup)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.left[name]
	if b.closed || r == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	same := len(l.slots) == int(r.count)
	if same {
		if same, err = b.objs.Are(r.first, l.entries); err != nil {
			return nil, err
		}
	}
	if !same {
		return nil, fmt.Errorf("%w: the session %s was attached with other probes", ErrInvalid, name)
	}
	s := &Session{layout: l, mech: multi{prog: b.objs.Hit, filter: b.can.pidFilter}, log: b.log, objs: b.objs, base: b, room: r.first, shape: []int{len(probes)}}
	s.roomPin = filepath.Join(b.pin, roomName(name, r.first, r.count))
	for _, file := range r.links {
		if file == "" {
			continue // its counts are there all the same
		}
		k, err := link.LoadPinnedLink(file, nil)
		if err != nil {
			return nil, fmt.Errorf("a link that was left: %w", err)
		}
		s.links = append(s.links, pinnedLink{k})
	}
	delete(b.left, name)
	b.sessions[s] = true
	return s, nil
}

// Abandon detaches a session that was left and forgets its counts.
func (b *Base) Abandon(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.left[name]
	if r == nil {
		return fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	var errs []error
	for _, file := range r.links {
		if file != "" {
			errs = append(errs, os.Remove(file))
		}
	}
	if err := os.Remove(filepath.Join(b.pin, roomName(name, r.first, r.count))); !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	delete(b.left, name)
	b.room.give(r.first, r.count)
	return errors.Join(errs...)
}

// Leave ends the Base and leaves attached what is pinned, for another process;
// what is not is detached.
func (b *Base) Leave() error { return b.close((*Session).leave) }

func (s *Session) leave() error {
	s.roomPin = ""
	for i, c := range s.links {
		if p, ok := c.(pinnedLink); ok {
			s.links[i] = io.Closer(p.Link)
		}
	}
	return s.Close()
}
