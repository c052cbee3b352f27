package encode

import (
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
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
	CodecVideo // a frame, of whatever the stream's encoder makes
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
	Caches      *Caches         // nil before the client has told their sizes
	Channel     uint8           // of the device, for what the client's channels share

	// The ids behind the newest GLZ images that were planned and emitted, and
	// the serial of the last message that was.
	planned, emitted uint64
	serial           uint64

	adopted int // GLZ images in a row whose streams were other clients'
}

// Emitted notes that everything planned so far is in messages up to serial.
func (c *Client) Emitted(serial uint64) { c.emitted, c.serial = c.planned, serial }

// Sent tells what the client's channels share that everything emitted so far has
// been sent.
func (c *Client) Sent() {
	if c.Caches != nil {
		c.Caches.Sent(c.Channel, c.serial)
	}
	if c.Dictionary != nil {
		c.Dictionary.Sent(int(c.Channel), c.emitted)
	}
}

// Bounds below which compressing is not worth it, or not possible.
const (
	minBytes = 54       // of raw data
	minQUIC  = 3        // pixels, either way
	minOwn   = 32 << 10 // of a part of the screen, for it to resemble what was sent
)

// choose picks the codec for a bitmap. lossy allows JPEG; own marks images of
// the server's, parts of a surface, of which only large ones are worth a place in
// the client's dictionary.
func (c *Client) choose(l look, lossy, own bool) Codec {
	im := l.im
	if mustCompress(im) {
		return CodecLZ
	}
	if uint64(im.Stride)*uint64(im.Y) < minBytes {
		return CodecRaw
	}
	prefer := c.Compression
	photo := !im.Format.Indexed() && im.X >= minQUIC && im.Y >= minQUIC
	switch prefer {
	case Off:
		return CodecRaw
	case QUIC:
		if !photo {
			return CodecRaw
		}
		// JPEG halves the resolution of colours: that of small coloured letters is
		// lost on half of the pixels, and everybody sees it.
		return c.photo(im, lossy && c.JPEG && l.level() != GradualityLow)
	case AutoGLZ, AutoLZ:
		if photo && im.Format != qxl.Bitmap8BitA && (padded(im) || l.level() == GradualityHigh) {
			return c.photo(im, lossy)
		}
		if prefer == AutoLZ {
			prefer = LZ
		} else {
			prefer = GLZ
		}
	}
	if im.Format.Indexed() || im.Format == qxl.Bitmap8BitA {
		return CodecLZ
	}
	switch {
	case prefer == GLZ && (!own || uint64(im.Stride)*uint64(im.Y) >= minOwn) && c.Dictionary != nil && int64(im.X)*int64(im.Y) < int64(c.Dictionary.Window()):
		if c.Zlib {
			return CodecZlibGLZ
		}
		return CodecGLZ
	case prefer == LZ4 && c.LZ4:
		return CodecLZ4
	}
	return CodecLZ
}

// photo picks the codec for what looks like a photo.
func (c *Client) photo(im *qxl.Image, lossy bool) Codec {
	fits := im.X <= jpeg.MaxDimension && im.Y <= jpeg.MaxDimension
	switch {
	case im.Format == qxl.Bitmap8BitA:
		return CodecRaw
	case !lossy || !c.JPEG || !fits:
	case im.Format != qxl.BitmapRGBA:
		return CodecJPEG
	case !padded(im):
		return CodecJPEGAlpha
	}
	return CodecQUIC
}

// Lossy reports whether the codec changes pixels.
func (c Codec) Lossy() bool { return c == CodecJPEG || c == CodecJPEGAlpha }

// mustCompress tells formats that clients decode only inside LZ.
func mustCompress(im *qxl.Image) bool {
	return im.Format == qxl.Bitmap1BitLE || im.Format == qxl.Bitmap4BitLE
}

// lineBytes is the size of a line's pixels.
func lineBytes(im *qxl.Image) uint64 {
	return (uint64(im.X)*uint64(im.Format.BitsPerPixel()) + 7) / 8
}

// padded reports whether lines have more bytes than that.
func padded(im *qxl.Image) bool { return lineBytes(im) != uint64(im.Stride) }

// Raw fills dst, recycling its storage, with the wire form of an uncompressed
// image, or one that the guest has compressed itself.
//
// Clients look every index up without asking how many colours there are: a
// palette goes with all of them, those that the guest left out being 0.
func Raw(dst, src *qxl.Image) {
	ents, chunks := dst.Palette.Entries, dst.Data.Chunks[:0]
	*dst = *src
	dst.Palette = qxl.Palette{Unique: src.Palette.Unique, Entries: append(ents[:0], src.Palette.Entries...)}
	dst.Data = qxl.Blob{Chunks: append(chunks, src.Data.Chunks...), Size: src.Data.Size}
	dst.Flags &= qxl.ImageHighBitsSet
	if dst.Type == qxl.ImageBitmap {
		dst.BitFlags &= wire.BitmapTopDown
		dst.Width, dst.Height = src.X, src.Y
	}
	if dst.HasPalette {
		for len(dst.Palette.Entries) < 1<<src.Format.BitsPerPixel() {
			dst.Palette.Entries = append(dst.Palette.Entries, 0)
		}
	}
}
