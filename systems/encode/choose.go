package encode

import (
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// Codec is the way one image goes over the wire.
type Codec uint8

// Codecs.
const (
	CodecRaw Codec = iota
	CodecQUIC
	CodecLZ
	CodecLZ4
	CodecJPEG
	CodecJPEGAlpha
	CodecGLZ
	CodecZlibGLZ
)

// Client is what the choice depends on, besides the image.
type Client struct {
	Compression Compression
	JPEG        bool            // lossy where nobody needs the exact pixels
	Zlib        bool            // zlib around GLZ
	LZ4         bool            // the client can decode it
	Dictionary  *glz.Dictionary // nil: no GLZ
}

// Bounds below which compressing is not worth it, or not possible.
const (
	minBytes = 54 // of raw data
	minQUIC  = 3  // pixels, either way
)

// choose picks the codec for a bitmap. lossy allows JPEG; own marks images of
// the server's, which no later image will resemble.
func (c *Client) choose(im *qxl.Image, lossy, own bool) Codec {
	bytes := uint64(im.Stride) * uint64(im.Y)
	if mustCompress(im) {
		return CodecLZ
	}
	if bytes < minBytes || c.Compression == Off {
		return CodecRaw
	}
	packed := lineBytes(im) == uint64(im.Stride) && im.BitFlags&qxl.BitmapUnstable == 0
	photo := !im.Format.Indexed() && im.X >= minQUIC && im.Y >= minQUIC
	prefer := c.Compression
	switch prefer {
	case QUIC:
		if !photo {
			return CodecRaw
		}
		return c.photo(im, lossy)
	case AutoGLZ, AutoLZ:
		if photo && (!packed || Graduality(im) == GradualityHigh) {
			return c.photo(im, lossy)
		}
		if prefer == AutoLZ {
			prefer = LZ
		} else {
			prefer = GLZ
		}
	}
	if !packed {
		return CodecRaw
	}
	plain := im.Format.Indexed() || im.Format == qxl.Bitmap8BitA
	switch {
	case prefer == GLZ && !own && !plain && c.Dictionary != nil && int64(im.X)*int64(im.Y) < int64(c.Dictionary.Window()):
		if c.Zlib {
			return CodecZlibGLZ
		}
		return CodecGLZ
	case prefer == LZ4 && !plain && c.LZ4:
		return CodecLZ4
	}
	return CodecLZ
}

// photo picks the codec for what looks like a photo.
func (c *Client) photo(im *qxl.Image, lossy bool) Codec {
	switch {
	case !lossy || !c.JPEG || im.Format == qxl.Bitmap8BitA:
	case im.Format != qxl.BitmapRGBA:
		return CodecJPEG
	case lineBytes(im) == uint64(im.Stride):
		return CodecJPEGAlpha
	}
	if im.Format == qxl.Bitmap8BitA {
		return CodecRaw
	}
	return CodecQUIC
}

// Lossy reports whether the codec changes pixels.
func (c Codec) Lossy() bool { return c == CodecJPEG || c == CodecJPEGAlpha }

// mustCompress tells formats that clients decode only inside LZ.
func mustCompress(im *qxl.Image) bool {
	return (im.Format == qxl.Bitmap1BitLE || im.Format == qxl.Bitmap4BitLE) &&
		lineBytes(im) == uint64(im.Stride)
}

func lineBytes(im *qxl.Image) uint64 {
	return (uint64(im.X)*uint64(im.Format.BitsPerPixel()) + 7) / 8
}

// Raw fills dst, recycling its storage, with the wire form of an uncompressed
// image, or one that the guest has compressed itself.
func Raw(dst, src *qxl.Image) {
	ents, chunks := dst.Palette.Entries, dst.Data.Chunks[:0]
	*dst = *src
	dst.Palette = qxl.Palette{Unique: src.Palette.Unique, Entries: append(ents[:0], src.Palette.Entries...)}
	dst.Data = qxl.Blob{Chunks: append(chunks, src.Data.Chunks...), Size: src.Data.Size}
	dst.Flags &= qxl.ImageHighBitsSet
	if dst.Type == qxl.ImageBitmap {
		dst.BitFlags &= wire.BitmapTopDown
	}
}
