package glz

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
)

// MinDeflate is the length below which a stream is not worth deflating.
const MinDeflate = 100

const deflateLevel = 3

// ErrInflate is a zlib stream that is not one, or not of the announced size.
var ErrInflate = errors.New("corrupt ZLIB_GLZ data")

// Deflater turns GLZ streams into the zlib streams of ZLIB_GLZ images. The
// zero value is ready. It is not for concurrent use.
type Deflater struct {
	w   *zlib.Writer
	out bytes.Buffer
}

// Deflate appends the zlib stream of a GLZ stream to dst. It reports false, and
// leaves dst as it was, if that saves nothing: send the GLZ stream plain then.
func (d *Deflater) Deflate(dst, stream []byte) ([]byte, bool) {
	if len(stream) < MinDeflate {
		return dst, false
	}
	d.out.Reset()
	if d.w == nil {
		w, err := zlib.NewWriterLevel(&d.out, deflateLevel)
		if err != nil {
			return dst, false
		}
		d.w = w
	}
	d.w.Reset(&d.out)
	if _, err := d.w.Write(stream); err != nil || d.w.Close() != nil || d.out.Len() >= len(stream) {
		return dst, false
	}
	return append(dst, d.out.Bytes()...), true
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
