package glz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"slices"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
)

// MinDeflate is the length below which a stream is not worth deflating.
const MinDeflate = 100

const deflateLevel = 3

// A zlib stream of ours has the header of the GLZ stream as it is, so that it can
// be replaced: see Slot.AdoptDeflated.
//
//	 0   zlib header: deflate, a window of 32 KiB, fast
//	 2   stored block, not the last one: kind, length and its complement
//	 7   header of the GLZ stream
//	40   blocks of what follows it
//	-4   Adler-32 of the GLZ stream, big endian
//
// Those of a stream in parts end at whole bytes, each part's with an empty stored
// block and the last ones with an empty one more.
const (
	zlibHead   = "\x78\x5e\x00\x21\x00\xde\xff" // 0x21: headerSize
	zlibHeader = len(zlibHead) + headerSize
	lastBlock  = "\x03\x00"
	zlibSum    = 4
)

// ErrInflate is a zlib stream that is not one, or not of the announced size.
var ErrInflate = errors.New("corrupt ZLIB_GLZ data")

// Deflater turns GLZ streams into the zlib streams of ZLIB_GLZ images. The
// zero value is ready. It is not for concurrent use.
type Deflater struct {
	w   *flate.Writer
	out bytes.Buffer
}

// Deflate appends the zlib stream of a GLZ stream to dst. It reports false, and
// leaves dst as it was, if that saves nothing: send the GLZ stream plain then.
func (d *Deflater) Deflate(dst, stream []byte) ([]byte, bool) {
	if len(stream) < MinDeflate {
		return dst, false
	}
	if d.write(stream[headerSize:]); d.w.Close() != nil {
		return dst, false
	}
	if zlibHeader+d.out.Len()+zlibSum >= len(stream) {
		return dst, false
	}
	dst = append(append(dst, zlibHead...), stream[:headerSize]...)
	dst = append(dst, d.out.Bytes()...)
	return binary.BigEndian.AppendUint32(dst, adler32.Checksum(stream)), true
}

// write begins new blocks with body. What goes wrong shows at their end.
func (d *Deflater) write(body []byte) {
	d.out.Reset()
	if d.w == nil {
		d.w, _ = flate.NewWriter(&d.out, deflateLevel) // the level is a valid one
	}
	d.w.Reset(&d.out)
	_, _ = d.w.Write(body)
}

// Part is one part of a GLZ stream in two forms: as Encoder.EncodePart appends it,
// and deflated.
type Part struct {
	Stream, Blocks []byte
	sum            uint32 // of Stream
}

// DeflatePart appends the blocks of a part, the first one of its stream or another,
// to dst. The parts may be deflated in any order, by several deflaters at a time; see
// JoinDeflated.
func (d *Deflater) DeflatePart(dst, stream []byte, first bool) (out []byte, p Part) {
	body := stream
	if first {
		body = stream[headerSize:]
	}
	d.write(body)
	_ = d.w.Flush() // a buffer takes all
	out = append(dst, d.out.Bytes()...)
	return out, Part{Stream: stream, Blocks: out[len(dst):], sum: adler32.Checksum(stream)}
}

// JoinDeflated is Deflate for a GLZ stream in parts. It returns the size of that
// stream, 0 if deflating saves nothing.
func JoinDeflated(dst []byte, parts []Part) (out []byte, size int) {
	deflated := zlibHeader + len(lastBlock) + zlibSum
	for i := range parts {
		size += len(parts[i].Stream)
		deflated += len(parts[i].Blocks)
	}
	if deflated >= size {
		return dst, 0
	}
	out = append(slices.Grow(dst, deflated), zlibHead...)
	out = append(out, parts[0].Stream[:headerSize]...)
	sum := uint32(1) // of nothing
	for i := range parts {
		p := &parts[i]
		out = append(out, p.Blocks...)
		sum = joinSums(sum, p.sum, len(p.Stream))
	}
	out = append(out, lastBlock...)
	return binary.BigEndian.AppendUint32(out, sum), size
}

// joinSums is the Adler-32 of data with one sum and then size bytes with another. The
// low half is one more than the sum of the bytes, the high one the sum of the low
// halves after each byte.
func joinSums(sum, more uint32, size int) uint32 {
	const mod = 65521
	before := (sum&0xffff + mod - 1) % mod // without the one more
	low := (before + more&0xffff) % mod
	high := (sum>>16 + more>>16 + uint32(size%mod)*before%mod) % mod
	return high<<16 | low
}

// AdoptDeflated is Adopt for a zlib stream of Deflate's that inflates to size
// bytes.
func (s *Slot) AdoptDeflated(dst, deflated []byte, size int) []byte {
	at, end := len(dst)+len(zlibHead), len(dst)+len(deflated)-zlibSum
	dst = append(dst, deflated...)
	header := dst[at : at+headerSize]
	before := adler32.Checksum(header)
	appendHeader(header[:0], s.Header())
	sum := binary.BigEndian.Uint32(dst[end:])
	binary.BigEndian.PutUint32(dst[end:], replaceSum(sum, before, adler32.Checksum(header), size-headerSize))
	return dst
}

// replaceSum is the Adler-32 of data with sum when its beginning, with sum before,
// is replaced by one as long with sum after; rest bytes follow. The low half is
// the sum of the bytes, the high one that of the low halves after each byte.
func replaceSum(sum, before, after uint32, rest int) uint32 {
	const mod = 65521
	low := (after&0xffff + mod - before&0xffff) % mod
	high := (after>>16 + mod - before>>16 + uint32(rest%mod)*low%mod) % mod
	return (sum>>16+high)%mod<<16 | (sum&0xffff+low)%mod
}

// Inflater undoes Deflate. The zero value is ready. It is not for concurrent use.
type Inflater struct {
	r  io.ReadCloser
	in bytes.Reader
}

// Inflate fills dst, whose length is the announced size of the GLZ stream, from
// a zlib stream, or returns ErrInflate. The caller bounds the size.
func (f *Inflater) Inflate(dst, src []byte) error {
	f.in.Reset(src)
	if err := f.reset(); err != nil {
		return fmt.Errorf("%w: %w", ErrInflate, err)
	}
	if _, err := io.ReadFull(f.r, dst); err != nil {
		return fmt.Errorf("%w: %d bytes wanted: %w", ErrInflate, len(dst), err)
	}
	var more [1]byte
	if n, err := f.r.Read(more[:]); n != 0 || err != io.EOF {
		return fmt.Errorf("%w: longer than %d bytes, %v", ErrInflate, len(dst), err)
	}
	if f.in.Len() > 0 {
		return fmt.Errorf("%w: %d bytes behind the end", ErrInflate, f.in.Len())
	}
	return nil
}

func (f *Inflater) reset() (err error) {
	if f.r == nil {
		f.r, err = zlib.NewReader(&f.in)
		return err
	}
	return f.r.(zlib.Resetter).Reset(&f.in, nil)
}
