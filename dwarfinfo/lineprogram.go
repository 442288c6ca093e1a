package dwarfinfo

import "errors"

var (
	errLineRange = errors.New("line_range is 0")
	errManyPaths = errors.New("file names are out of all proportion to the file table")
)

// Opcodes of line number programs (DWARF5 §6.2.5).
const (
	lnsCopy = iota + 1
	lnsAdvancePC
	lnsAdvanceLine
	lnsSetFile
	lnsSetColumn
	lnsNegateStmt
	lnsSetBasicBlock
	lnsConstAddPC
	lnsFixedAdvancePC
)

const (
	lneEndSequence = iota + 1
	lneSetAddress
	lneDefineFile
)

// lineMachine is the state machine of §6.2.2. Every row costs at least one
// byte of program, so the program's size bounds the table.
type lineMachine struct {
	h       *lineHeader
	c       cursor
	row     Row
	opIndex uint64
	rows    []Row
	start   int   // first row of the running sequence
	seqs    []seq // finished ones, indexes in rows
}

func (m *lineMachine) reset() {
	m.row = Row{File: 1, Line: 1, IsStmt: m.h.isStmt}
	m.opIndex = 0
	m.start = len(m.rows)
}

// run decodes the program. A sequence that its end mark does not close is
// dropped: where its last row ends is not known.
func (m *lineMachine) run() error {
	m.reset()
	for m.c.pos < len(m.c.data) {
		switch op := m.c.u8(); {
		case op >= m.h.opcodeBase:
			m.special(op)
		case op == 0:
			m.extended()
		default:
			m.standard(op)
		}
	}
	m.rows = m.rows[:m.start]
	return m.c.err
}

func (m *lineMachine) special(op uint8) {
	if m.h.lineRange == 0 {
		m.c.fail(errLineRange)
		return
	}
	adj := op - m.h.opcodeBase
	m.advance(uint64(adj / m.h.lineRange))
	m.row.Line = uint32(int64(m.row.Line) + m.h.lineBase + int64(adj%m.h.lineRange))
	m.rows = append(m.rows, m.row)
}

// advance is the operation advance of §6.2.5.1, for VLIW machines too.
func (m *lineMachine) advance(n uint64) {
	if m.h.maxOps == 1 {
		m.row.Addr += m.h.minInst * n
		return
	}
	n += m.opIndex
	m.row.Addr += m.h.minInst * (n / m.h.maxOps)
	m.opIndex = n % m.h.maxOps
}

func (m *lineMachine) standard(op uint8) {
	c := &m.c
	if standard := [...]uint8{0, 0, 1, 1, 1, 1, 0, 0, 0, 1}; int(op) < len(standard) &&
		m.h.opLens[op-1] != standard[op] {
		op = 0xff // the header redefines it: step over as if unknown
	}
	switch op {
	case lnsCopy:
		m.rows = append(m.rows, m.row)
	case lnsAdvancePC:
		m.advance(c.uleb())
	case lnsAdvanceLine:
		m.row.Line = uint32(int64(m.row.Line) + c.sleb())
	case lnsSetFile:
		m.row.File = uint32(c.uleb())
	case lnsSetColumn:
		m.row.Column = uint32(c.uleb())
	case lnsNegateStmt:
		m.row.IsStmt = !m.row.IsStmt
	case lnsSetBasicBlock:
	case lnsConstAddPC:
		if m.h.lineRange == 0 {
			c.fail(errLineRange)
			return
		}
		m.advance(uint64((255 - m.h.opcodeBase) / m.h.lineRange))
	case lnsFixedAdvancePC:
		m.row.Addr += uint64(c.u16())
		m.opIndex = 0
	default:
		m.unknown(c.data[c.pos-1])
	}
}

// unknown steps over an opcode by the operand count in the header.
func (m *lineMachine) unknown(op uint8) {
	for range m.h.opLens[op-1] {
		m.c.skipLEB()
	}
}

func (m *lineMachine) extended() {
	c := &m.c
	n := c.uleb()
	if n > uint64(len(c.data)-c.pos) {
		c.fail(errTruncated)
		return
	}
	if n == 0 {
		return
	}
	next := c.pos + int(n)
	switch c.u8() {
	case lneEndSequence:
		m.end()
	case lneSetAddress:
		m.row.Addr, m.opIndex = c.uint(uint8(min(n-1, 16))), 0
	case lneDefineFile:
		m.h.files = append(m.h.files, fileEntry{name: c.cstring(), dir: c.uleb()})
	}
	if c.err == nil {
		c.pos = next
	}
}

func (m *lineMachine) end() {
	m.row.EndSeq = true
	m.rows = append(m.rows, m.row)
	s := seq{first: m.start, end: len(m.rows), low: m.row.Addr, high: m.row.Addr, sorted: true}
	for i, r := range m.rows[s.first:s.end] {
		s.low, s.high = min(s.low, r.Addr), max(s.high, r.Addr)
		if i > 0 && r.Addr < m.rows[s.first+i-1].Addr {
			s.sorted = false
		}
	}
	m.seqs = append(m.seqs, s)
	m.reset()
}
