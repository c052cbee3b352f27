// Package encode turns the images of drawables into what goes over the wire.
//
//	guest image -> Encoder.Image: which form? -> raw reference, or LZ into a recycled buffer
//
// Raw forms refer to guest memory; encoded ones lie in the client's Buffers
// until the batch they belong to has been sent.
package encode

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// Compression is the image compression an administrator chose.
type Compression uint8

// Compressions.
const (
	Off Compression = iota
	LZ
)

// ErrCompression reports a name that is no compression.
var ErrCompression = errors.New("unknown image compression")

var compressionNames = [...]string{Off: "off", LZ: "lz"}

// ParseCompression returns the compression with this name.
func ParseCompression(name string) (Compression, error) {
	for c, n := range compressionNames {
		if n == name {
			return Compression(c), nil
		}
	}
	return Off, fmt.Errorf("%w %q: want one of %v", ErrCompression, name, compressionNames)
}

// String is the name in settings.
func (c Compression) String() string { return compressionNames[c] }

// minSize is the size in bytes below which compressing is not worth its header.
const minSize = 54

// Buffers lends byte slices out and takes all of them back at once.
type Buffers struct {
	all  [][]byte
	used int
}

// Get returns an empty slice with whatever capacity it has grown to.
func (b *Buffers) Get() []byte {
	if b.used == len(b.all) {
		b.all = append(b.all, nil)
	}
	b.used++
	return b.all[b.used-1][:0]
}

// Keep stores the slice last got, so that its growth is not lost.
func (b *Buffers) Keep(p []byte) { b.all[b.used-1] = p }

// Drop takes the slice last got back.
func (b *Buffers) Drop() { b.used-- }

// Reset takes all slices back.
func (b *Buffers) Reset() { b.used = 0 }

// Encoder chooses and makes wire forms. It belongs to the device worker.
type Encoder struct{ lz lz.Encoder }

// Image fills dst, recycling its storage, with the wire form of src. mask says
// that src is a mask, which clients take only uncompressed.
func (e *Encoder) Image(dst, src *qxl.Image, mask bool, c Compression, b *Buffers) {
	ents, chunks := dst.Palette.Entries, dst.Data.Chunks[:0]
	*dst = *src
	dst.Palette = qxl.Palette{Unique: src.Palette.Unique, Entries: append(ents[:0], src.Palette.Entries...)}
	dst.Data = qxl.Blob{Chunks: append(chunks, src.Data.Chunks...), Size: src.Data.Size}
	dst.Flags &= qxl.ImageHighBitsSet
	if dst.Type != qxl.ImageBitmap {
		return
	}
	dst.BitFlags &= wire.BitmapTopDown
	if !mask && (c == LZ || mustCompress(src)) && compressible(src) {
		e.compressLZ(dst, src, b)
	}
}

// mustCompress tells formats that clients decode only inside LZ.
func mustCompress(im *qxl.Image) bool {
	return im.Format == qxl.Bitmap1BitLE || im.Format == qxl.Bitmap4BitLE
}

// compressible reports whether LZ can carry the bitmap: it knows no padding
// between lines, needs data that stays as it is, and costs more than it saves
// on tiny images.
func compressible(im *qxl.Image) bool {
	return lineBytes(im) == uint64(im.Stride) && im.BitFlags&qxl.BitmapUnstable == 0 &&
		(uint64(im.Stride)*uint64(im.Y) >= minSize || mustCompress(im))
}

func lineBytes(im *qxl.Image) uint64 {
	return (uint64(im.X)*uint64(im.Format.BitsPerPixel()) + 7) / 8
}

// compressLZ replaces dst's data by an LZ stream, unless that would be larger.
func (e *Encoder) compressLZ(dst, src *qxl.Image, b *Buffers) {
	typ := lz.Type(src.Format)
	if src.Format == qxl.Bitmap8BitA {
		typ = lz.A8
	}
	im := lz.Image{
		Type: typ, Width: int(src.X), Height: int(src.Y), Stride: int(src.Stride),
		TopDown: src.BitFlags&qxl.BitmapTopDown != 0,
	}
	if e.lz.Limit = src.Data.Size; mustCompress(src) {
		e.lz.Limit = 0
	}
	out, err := e.lz.Encode(b.Get(), im, src.Data.Chunks)
	if b.Keep(out); err != nil {
		b.Drop()
		return
	}
	dst.Type = qxl.ImageLZRGB
	if src.Format.Indexed() {
		dst.Type = qxl.ImageLZPalette
	}
	dst.Width, dst.Height = src.X, src.Y
	dst.Data.Reset()
	dst.Data.Append(out)
}
