package record

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

const (
	// readSize is how much is read at a time where no more is needed: little
	// enough for the text being scanned to stay in the processor's cache.
	readSize = 128 << 10
	// lineMax is more than any line of numbers takes.
	lineMax = 128
	// maxBinary is the largest size that the format can express.
	maxBinary = 0x7fffffff
)

// FormatError tells where a recording is not one. Everything before the event
// has been delivered.
type FormatError struct {
	Offset int64  // byte in the decompressed recording
	Event  uint64 // number of events before the damaged one
	What   string // what was expected there, or is wrong
	Err    error  // io.ErrUnexpectedEOF for a cut recording, or the source's error
}

func (e *FormatError) Error() string {
	s := fmt.Sprintf("recording: event %d, byte %d: %s", e.Event, e.Offset, e.What)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the source's error, if that is the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// scanner is a window into the decompressed recording: buf[r:w] is read and not
// yet scanned. Bytes of the current event never move: when the window is full
// a larger one takes over what is not yet scanned, and slices of the old one
// stay as they are.
//
// The first error sticks; after it every scan yields zero.
type scanner struct {
	src   io.Reader
	buf   []byte
	r, w  int
	base  int64 // offset of buf[0] in the recording
	start int64 // offset of the current event
	limit int   // bytes of one event
	n     uint64
	end   error // why src yields no more
	err   *FormatError
}

func (s *scanner) offset() int64 { return s.base + int64(s.r) }

// begin starts an event and makes room for it at the window's end.
func (s *scanner) begin() {
	if s.r >= readSize && s.r >= s.w-s.r {
		s.base += int64(s.r)
		s.w = copy(s.buf, s.buf[s.r:s.w])
		s.r = 0
	}
	s.start = s.offset()
}

// fill reads until n unscanned bytes are there; false means that there are fewer.
func (s *scanner) fill(n int) bool {
	for empty := 0; s.w-s.r < n; {
		if s.err != nil || s.end != nil {
			return false
		}
		if s.w == len(s.buf) {
			s.grow()
		}
		m, err := s.src.Read(s.buf[s.w:min(len(s.buf), s.w+max(readSize, n-(s.w-s.r)))])
		s.w += m
		if s.end = err; m > 0 {
			empty = 0
		} else if empty++; err == nil && empty > 100 {
			s.end = io.ErrNoProgress
		}
	}
	return true
}

func (s *scanner) grow() {
	buf := make([]byte, max(4*readSize, 2*len(s.buf)))
	s.base += int64(s.r)
	s.w = copy(buf, s.buf[s.r:s.w])
	s.r, s.buf = 0, buf
}

// fail notes an error at the offset at, which may be a lack of bytes.
func (s *scanner) fail(at int64, what string, cut bool) {
	if s.err != nil {
		return
	}
	s.err = &FormatError{Offset: at, Event: s.n, What: what}
	if cut {
		s.err.Err = s.end
		if errors.Is(s.end, io.EOF) {
			s.err.Err = io.ErrUnexpectedEOF
		}
	}
	s.r = s.w
}

// failf is fail at the current position for what is there and wrong.
func (s *scanner) failf(format string, args ...any) {
	s.fail(s.offset(), fmt.Sprintf(format, args...), false)
}

// line gets the whole line that starts here into the window.
func (s *scanner) line() {
	if s.w-s.r < lineMax {
		s.fill(lineMax)
	}
}

// lit scans the text l at the start of a line.
func (s *scanner) lit(l string) {
	s.line()
	b := s.buf[s.r:s.w]
	if len(b) >= len(l) && string(b[:len(l)]) == l {
		s.r += len(l)
		return
	}
	s.fail(s.offset(), "want "+strconv.Quote(l), len(b) < len(l) && string(b) == l[:len(b)])
}

// int scans a decimal number and the byte end behind it. The line must be in
// the window. Range: -(2^64-1) to 2^64-1, as magnitude and sign.
func (s *scanner) int(end byte) (v uint64, neg bool) {
	b, i := s.buf[:s.w], s.r
	if i < len(b) && b[i] == '-' {
		neg = true
		i++
	}
	first := i
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c > 9 {
			break
		}
		v = v*10 + uint64(c)
	}
	if i < len(b) && i > first && i-first < 20 && b[i] == end {
		s.r = i + 1
		return v, neg
	}
	return s.oddInt(first, i, end), neg
}

// oddInt is int for numbers that may not fit, and for what is none: the digits
// are buf[first:i].
func (s *scanner) oddInt(first, i int, end byte) uint64 {
	at := s.base + int64(i)
	if i == s.w || i == first || s.buf[i] != end {
		s.fail(at, "want a number and "+strconv.QuoteRune(rune(end)), i == s.w)
		return 0
	}
	v, err := strconv.ParseUint(string(s.buf[first:i]), 10, 64)
	if err != nil {
		s.fail(at, "number does not fit 64 bits", false)
		return 0
	}
	s.r = i + 1
	return v
}

// i32 scans a 32-bit number, written as signed or unsigned.
func (s *scanner) i32(end byte) int32 {
	v, neg := s.int(end)
	switch {
	case !neg && v <= math.MaxUint32:
		return int32(v)
	case neg && v <= 1<<31:
		return int32(-v)
	}
	s.failf("number does not fit 32 bits")
	return 0
}

// i16 scans a signed 16-bit number.
func (s *scanner) i16(end byte) int16 {
	v := s.i32(end)
	if v != int32(int16(v)) {
		s.failf("%d does not fit 16 bits", v)
		return 0
	}
	return int16(v)
}

// upTo scans a number between 0 and limit.
func (s *scanner) upTo(limit uint32, end byte) uint32 {
	v, neg := s.int(end)
	if neg && v != 0 || v > uint64(limit) {
		s.failf("number is not in 0…%d", limit)
		return 0
	}
	return uint32(v)
}

// u64 scans an unsigned 64-bit number.
func (s *scanner) u64(end byte) uint64 {
	v, neg := s.int(end)
	if neg {
		s.failf("number is negative")
		return 0
	}
	return v
}

// The following scan a line of a name and one number.

func (s *scanner) fieldI32(name string) int32  { s.lit(name); return s.i32('\n') }
func (s *scanner) fieldU32(name string) uint32 { s.lit(name); return uint32(s.i32('\n')) }
func (s *scanner) fieldU16(name string) uint16 { s.lit(name); return uint16(s.upTo(0xffff, '\n')) }
func (s *scanner) fieldU8(name string) uint8   { s.lit(name); return uint8(s.upTo(0xff, '\n')) }
func (s *scanner) fieldU64(name string) uint64 { s.lit(name); return s.u64('\n') }
func (s *scanner) fieldBool(name string) bool  { s.lit(name); return s.i32('\n') != 0 }
