package flat

import (
	"encoding/binary"
	"io"
	"sync"
)

// Interner gives each string a number: what an encoding Coder writes for it.
type Interner interface{ Add(text string) uint64 }

// Lookup gives the string of a number: what a decoding Coder reads.
type Lookup interface {
	At(at uint64) (string, error)
}

// Strings collects the strings of a file.
type Strings struct {
	data []byte
	at   map[string]uint64
}

// Bytes are the strings collected, to be written to the file.
func (s *Strings) Bytes() []byte { return s.data }

// Add gives where the string stands. Position 0 is the empty string.
func (s *Strings) Add(text string) uint64 {
	if s.at == nil {
		s.at = map[string]uint64{"": 0}
		s.data = append(s.data, 0)
	}
	at, ok := s.at[text]
	if !ok {
		at = uint64(len(s.data))
		s.at[text] = at
		s.data = append(binary.AppendUvarint(s.data, uint64(len(text))), text...)
	}
	return at
}

// Texts reads strings that Strings collected. It is safe for concurrent use.
type Texts struct {
	r    io.ReaderAt
	size uint64

	mu    sync.RWMutex
	known map[uint64]string
}

// NewTexts reads strings from the first size bytes of r.
func NewTexts(r io.ReaderAt, size uint64) *Texts {
	return &Texts{r: r, size: size, known: map[uint64]string{}}
}

// typical is how long strings seldom are: read at once with their length.
const typical = 80

// At gives the string that stands at a position.
func (t *Texts) At(at uint64) (string, error) {
	t.mu.RLock()
	s, ok := t.known[at]
	t.mu.RUnlock()
	if ok {
		return s, nil
	}
	if at >= t.size {
		return "", ErrFormat
	}
	var buf [typical]byte
	b := buf[:min(typical, t.size-at)]
	if _, err := t.r.ReadAt(b, int64(at)); err != nil {
		return "", err
	}
	n, skip := binary.Uvarint(b)
	if skip <= 0 || n > t.size-at-uint64(skip) {
		return "", ErrFormat
	}
	if n <= uint64(len(b)-skip) {
		s = string(b[skip : skip+int(n)])
	} else {
		long := make([]byte, n)
		if _, err := t.r.ReadAt(long, int64(at)+int64(skip)); err != nil {
			return "", err
		}
		s = string(long)
	}
	t.mu.Lock()
	t.known[at] = s
	t.mu.Unlock()
	return s, nil
}
