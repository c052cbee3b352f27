package wire

import (
	"encoding/binary"
	"errors"

	"github.com/spiceecs/spiceecs/regions"
)

// ErrShort reports a body that ends before its fields do, or a pointer that
// leads out of it.
var ErrShort = errors.New("message too short")

// Reader takes fields from a message body, front to back. The first field that
// does not fit makes it fail: all further ones read as zero and Err says so.
type Reader struct {
	body []byte
	pos  int
	err  error
}

// NewReader reads body.
func NewReader(body []byte) Reader { return Reader{body: body} }

// At returns a reader of the same body that starts at offset off.
func (r *Reader) At(off uint32) Reader {
	n := Reader{body: r.body, pos: int(off)}
	if uint64(off) >= uint64(len(r.body)) {
		n.err, n.pos = ErrShort, len(r.body)
	}
	return n
}

// Err is the first failure, or nil.
func (r *Reader) Err() error { return r.err }

// Fail makes the reader fail with err unless it did before.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Left is the number of bytes not read yet.
func (r *Reader) Left() int { return len(r.body) - r.pos }

// Rest takes everything that is left, without copying.
func (r *Reader) Rest() []byte { return r.Bytes(r.Left()) }

// Bytes takes n bytes, without copying.
func (r *Reader) Bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.body)-r.pos {
		r.Fail(ErrShort)
		return nil
	}
	p := r.body[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return p
}

// Skip passes over n bytes.
func (r *Reader) Skip(n int) { r.Bytes(n) }

// U8 takes a byte.
func (r *Reader) U8() uint8 {
	if p := r.Bytes(1); p != nil {
		return p[0]
	}
	return 0
}

// U16 takes a 16-bit integer.
func (r *Reader) U16() uint16 {
	if p := r.Bytes(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

// U32 takes a 32-bit integer.
func (r *Reader) U32() uint32 {
	if p := r.Bytes(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// I32 takes a signed 32-bit integer.
func (r *Reader) I32() int32 { return int32(r.U32()) }

// U64 takes a 64-bit integer.
func (r *Reader) U64() uint64 {
	if p := r.Bytes(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// Point takes x and y.
func (r *Reader) Point() regions.Point { return regions.Point{X: r.I32(), Y: r.I32()} }

// Rect takes top, left, bottom, right.
func (r *Reader) Rect() regions.Rect {
	return regions.Rect{Top: r.I32(), Left: r.I32(), Bottom: r.I32(), Right: r.I32()}
}
