package record

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/spiceecs/spiceecs/qxl"
)

const maxName = 64

// inflater unpacks an event's zlib binaries one behind the other.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser
	buf []byte // pieces of this event, which never move: a larger buffer takes over when it is full
	sum int    // of the sizes of this event's pieces
}

func (f *inflater) reset() { f.buf, f.sum = f.buf[:0], 0 }

// inflate unpacks p to exactly size bytes. Storage grows as bytes arrive.
func (f *inflater) inflate(p []byte, size int) ([]byte, error) {
	f.src.Reset(p)
	var err error
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.src)
	} else {
		err = f.z.(zlib.Resetter).Reset(&f.src, nil)
	}
	if err != nil {
		return nil, err
	}
	start := len(f.buf)
	for len(f.buf)-start < size {
		if len(f.buf) == cap(f.buf) {
			part := f.buf[start:]
			f.buf = append(make([]byte, 0, max(readSize, 2*cap(f.buf))), part...)
			start = 0
		}
		have := len(f.buf)
		n, err := f.z.Read(f.buf[have:min(cap(f.buf), start+size)])
		f.buf = f.buf[:have+n]
		if err != nil && (err != io.EOF || have+n-start < size) {
			return nil, noEOF(err)
		}
	}
	var one [1]byte
	if n, err := io.ReadFull(f.z, one[:]); n != 0 || err != io.EOF {
		return nil, io.ErrShortBuffer
	}
	return f.buf[start:len(f.buf):len(f.buf)], nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bytes scans n raw bytes and returns them where they lie in the window.
func (s *scanner) bytes(n int) []byte {
	if int64(n)+s.offset()-s.start > int64(s.limit) {
		s.failf("event is larger than %d bytes", s.limit)
		return nil
	}
	if !s.fill(n) {
		s.fail(s.base+int64(s.w), "want the rest of a binary", true)
		return nil
	}
	p := s.buf[s.r : s.r+n : s.r+n]
	s.r += n
	return p
}

// name scans a word and the space behind it, whatever it is.
func (s *scanner) name() {
	line := s.buf[s.r:min(s.w, s.r+maxName)]
	i := bytes.IndexByte(line, ' ')
	if i <= 0 {
		s.fail(s.offset(), "want a binary's name", len(line) < maxName)
		return
	}
	s.r += i + 1
}

// binary scans one binary, plain or zlib.
func (r *Reader) binary() []byte {
	s := &r.s
	s.lit("binary ")
	packed := s.upTo(1, ' ') != 0
	s.name()
	size := int(s.upTo(maxBinary, ':'))
	var p []byte
	if packed {
		p = s.bytes(int(s.upTo(maxBinary, ':')))
	} else {
		p = s.bytes(size)
	}
	s.lit("\n")
	if !packed || s.err != nil {
		return p
	}
	if r.inflater.sum += size; r.inflater.sum > s.limit {
		s.failf("event inflates to more than %d bytes", s.limit)
		return nil
	}
	p, err := r.inflater.inflate(p, size)
	if err != nil {
		s.failf("zlib binary of %d bytes: %v", size, err)
	}
	return p
}

// chunks scans a chunk list into b, empty pieces included.
func (r *Reader) chunks(b *qxl.Blob) {
	s := &r.s
	s.lit("data_chunks ")
	more := s.upTo(MaxChunks-1, ' ')
	s.upTo(maxBinary, '\n') // the total, which the pieces say themselves
	for i := uint32(0); i <= more && s.err == nil; i++ {
		p := r.binary()
		if b.Size+len(p) > maxBinary {
			s.failf("chunk list is larger than %d bytes", maxBinary)
			return
		}
		b.Chunks = append(b.Chunks, p)
		b.Size += len(p)
	}
}

// joined scans a chunk list and returns the data in one piece, in the window or
// in r.scratch; sizes gets the sizes of the pieces.
func (r *Reader) joined(sizes []int) ([]byte, []int) {
	r.list.Reset()
	r.chunks(&r.list)
	for _, c := range r.list.Chunks {
		sizes = append(sizes, len(c))
	}
	if len(r.list.Chunks) == 1 {
		return r.list.Chunks[0], sizes
	}
	r.scratch = r.list.AppendTo(r.scratch[:0])
	return r.scratch, sizes
}
