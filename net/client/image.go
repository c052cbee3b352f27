package client

import (
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// decoders turn the data of compressed images into bitmaps. A decoder calls
// bitmap once with its result.
var decoders = map[qxl.ImageType]func(*Display, *pending) error{
	qxl.ImageLZRGB:      (*Display).decodeLZ,
	qxl.ImageLZPalette:  (*Display).decodeLZ,
	qxl.ImageLZ4:        (*Display).decodeLZ4,
	qxl.ImageGLZRGB:     (*Display).decodeGLZ,
	qxl.ImageZlibGLZRGB: (*Display).decodeZlibGLZ,
	qxl.ImageJPEG:       (*Display).decodeJPEG,
	qxl.ImageJPEGAlpha:  (*Display).decodeJPEGAlpha,
	qxl.ImageQUIC:       (*Display).decodeQUIC,
}

// pending is an image of a drawable while it becomes a bitmap.
type pending struct {
	*qxl.Image
	index  int    // among the drawable's images
	data   []byte // as received
	keep   bool   // the bitmap goes into the cache
	shared bool   // its memory belongs to the GLZ window
}

// resolve makes every image of a drawable a bitmap, but for surfaces, and
// keeps what the server wants kept.
func (d *Display) resolve(dr *qxl.Drawable) error {
	d.lent = d.session.glz.release(d.lent) // the drawable before has been drawn
	im := &d.pending
	for i := range dr.Images {
		*im = pending{Image: &dr.Images[i], index: i}
		d.countImage(im.Image)
		if err := d.resolveImage(im); err != nil {
			return fmt.Errorf("image %#x of type %d, %dx%d: %w", im.ID, im.Type, im.Width, im.Height, err)
		}
	}
	return nil
}

func (d *Display) resolveImage(im *pending) error {
	switch im.Type {
	case qxl.ImageSurface:
		return nil
	case qxl.ImageFromCache, qxl.ImageFromCacheLossless:
		cached, err := d.session.images.get(d.conn, im.ID, im.Type == qxl.ImageFromCacheLossless)
		if err == nil {
			im.use(cached)
		}
		return err
	}
	if uint64(im.Width)*uint64(im.Height) > uint64(d.session.opts.Limits.Image) {
		return ErrTooLarge
	}
	if err := d.keepPalette(im.Image); err != nil {
		return err
	}
	if len(im.Data.Chunks) > 0 {
		im.data = im.Data.Chunks[0]
	}
	im.keep = im.Flags&(qxl.ImageCacheMe|qxl.ImageCacheReplaceMe) != 0
	lossy := im.Type == qxl.ImageJPEG || im.Type == qxl.ImageJPEGAlpha
	if im.Type == qxl.ImageBitmap {
		if im.X != im.Width || im.Y != im.Height {
			return fmt.Errorf("bitmap of %dx%d: %w", im.X, im.Y, ErrImage)
		}
	} else {
		decode := decoders[im.Type]
		if decode == nil {
			return fmt.Errorf("unknown type: %w", ErrImage)
		}
		if err := decode(d, im); err != nil {
			return err
		}
	}
	if !im.keep {
		return nil
	}
	return d.session.images.put(im.ID, im.pixmap(lossy), im.Flags&qxl.ImageCacheReplaceMe != 0)
}

// buffer returns memory for n bytes of decoded pixels: the display's own, or
// fresh one if the cache will keep it.
func (d *Display) buffer(im *pending, n int) []byte {
	if im.keep {
		return make([]byte, n)
	}
	for im.index >= len(d.scratch) {
		d.scratch = append(d.scratch, nil)
	}
	if cap(d.scratch[im.index]) < n {
		d.scratch[im.index] = make([]byte, n)
	}
	return d.scratch[im.index][:n]
}

// bitmap makes im a bitmap of decoded lines; palettes stay as they are.
func (im *pending) bitmap(format qxl.BitmapFormat, topDown bool, stride int, pix []byte) {
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, format, 0
	if topDown {
		im.BitFlags = wire.BitmapTopDown
	}
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(stride)
	im.Data.Reset()
	im.Data.Append(pix)
}

// matches reports whether a stream's own size is the descriptor's.
func (im *pending) matches(width, height int) error {
	if width != int(im.Width) || height != int(im.Height) {
		return fmt.Errorf("data is of %dx%d: %w", width, height, ErrImage)
	}
	return nil
}

// use makes im the bitmap that the cache holds.
func (im *pending) use(p *pixmap) {
	im.Width, im.Height = p.width, p.height
	im.bitmap(p.format, p.flags&wire.BitmapTopDown != 0, int(p.stride), p.pix)
	im.Palette.Entries = append(im.Palette.Entries[:0], p.palette...)
}

// pixmap makes the cache's copy of im, which is a bitmap.
func (im *pending) pixmap(lossy bool) *pixmap {
	var pix []byte
	if len(im.Data.Chunks) > 0 {
		pix = im.Data.Chunks[0]
	}
	highBits := im.Flags&qxl.ImageHighBitsSet != 0 && im.Format == qxl.Bitmap32Bit
	if im.data != nil && len(pix) > 0 && &im.data[0] == &pix[0] || im.shared && highBits {
		pix = slices.Clone(pix) // the message's bytes, or the GLZ window's
	}
	if highBits {
		for i := 3; i < len(pix); i += 4 {
			pix[i] = 0xff
		}
	}
	return &pixmap{
		format: im.Format, flags: im.BitFlags & wire.BitmapTopDown, width: im.Width, height: im.Height,
		stride: im.Stride, pix: pix, palette: slices.Clone(im.Palette.Entries), lossy: lossy,
	}
}
