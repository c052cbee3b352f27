package displaytest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// maxPalettes is what clients cache.
const maxPalettes = 128

// pixmap is an image that the client was told to cache.
type pixmap struct {
	image qxl.Image // a bitmap
	lossy bool
}

func (p *pixmap) pixels() int64 { return int64(p.image.X) * int64(p.image.Y) }

// cache is the images and palettes that a client was told to keep, and the
// window of its GLZ images.
type cache struct {
	pixmaps  map[uint64]*pixmap
	budget   int64 // pixels
	palettes map[uint64][]uint32
	window   *glz.Window
	reached  map[string]int
}

func newCache(j *JoinOptions, reached map[string]int) cache {
	return cache{
		pixmaps: map[uint64]*pixmap{}, budget: int64(j.Pixmaps), palettes: map[uint64][]uint32{},
		window: glz.NewWindow(2*j.Window + 1), reached: reached,
	}
}

// typeNames are what images of these types are counted by.
var typeNames = map[qxl.ImageType]string{
	qxl.ImageBitmap: "raw image", qxl.ImageQUIC: "QUIC image", qxl.ImageLZPalette: "LZ palette image",
	qxl.ImageLZRGB: "LZ image", qxl.ImageGLZRGB: "GLZ image", qxl.ImageZlibGLZRGB: "zlib GLZ image", qxl.ImageLZ4: "LZ4 image",
	qxl.ImageJPEG: "JPEG image", qxl.ImageJPEGAlpha: "JPEG image with alpha", qxl.ImageSurface: "image of a surface",
	qxl.ImageFromCache: "cached image", qxl.ImageFromCacheLossless: "cached exact image",
}

// Reachable lists what RunCounting counts.
func Reachable() []string {
	all := []string{
		"acknowledgement window full", "line full", "lossy area", "pixmap evicted", "pixmap replaced", "stalled client dropped",
		"video", "video refused", "sized frame", "frame of the best quality", "frame of less quality",
	}
	return slices.AppendSeq(all, maps.Values(typeNames))
}

// resolve makes an image that came in a message a bitmap, unless it is a
// surface, does what its flags say, and reports whether it is lossy.
func (c *cache) resolve(im *qxl.Image) (lossy bool, err error) {
	c.reached[typeNames[im.Type]]++
	switch im.Type {
	case qxl.ImageSurface:
		return false, nil
	case qxl.ImageFromCache, qxl.ImageFromCacheLossless:
		p := c.pixmaps[im.ID]
		if p == nil {
			return false, fmt.Errorf("image %#x is not cached", im.ID)
		}
		if p.lossy && im.Type == qxl.ImageFromCacheLossless {
			return false, fmt.Errorf("image %#x is cached, but not losslessly", im.ID)
		}
		*im = clone(&p.image)
		return p.lossy, nil
	}
	if err := c.palette(im); err != nil {
		return false, err
	}
	lossy = im.Type == qxl.ImageJPEG || im.Type == qxl.ImageJPEGAlpha
	if err := c.decode(im); err != nil {
		return false, fmt.Errorf("image of %dx%d, type %d: %w", im.Width, im.Height, im.Type, err)
	}
	return lossy, c.keep(im, lossy)
}

// keep obeys an image's cache flags.
func (c *cache) keep(im *qxl.Image, lossy bool) error {
	old := c.pixmaps[im.ID]
	switch im.Flags & (qxl.ImageCacheMe | qxl.ImageCacheReplaceMe) {
	case 0:
		return nil
	case qxl.ImageCacheMe:
		if old != nil {
			return fmt.Errorf("image %#x is cached already", im.ID)
		}
	default:
		if old == nil || lossy {
			return fmt.Errorf("image %#x is to be replaced: cached %t, lossy %t", im.ID, old != nil, lossy)
		}
		c.reached["pixmap replaced"]++
	}
	c.pixmaps[im.ID] = &pixmap{lossy: lossy, image: clone(im)}
	sum := int64(0)
	for _, p := range c.pixmaps {
		sum += p.pixels()
	}
	if sum > c.budget {
		return fmt.Errorf("%d pixels are cached, the budget is %d", sum, c.budget)
	}
	return nil
}

// clone copies an image with its pixels.
func clone(im *qxl.Image) qxl.Image {
	c := *im
	c.Palette.Entries = append([]uint32{}, im.Palette.Entries...)
	c.Data = qxl.Blob{}
	c.Data.Append(im.Data.AppendTo(nil))
	return c
}

// forget obeys an INVAL_LIST message.
func (c *cache) forget(r *wire.Reader) error {
	for n := r.U16(); n > 0 && r.Err() == nil; n-- {
		kind, id := r.U8(), r.U64()
		if kind != wire.ResourcePixmap || c.pixmaps[id] == nil {
			return fmt.Errorf("image %#x, kind %d, is not cached", id, kind)
		}
		delete(c.pixmaps, id)
		c.reached["pixmap evicted"]++
	}
	return nil
}

// palette obeys an image's palette flags.
func (c *cache) palette(im *qxl.Image) error {
	if !im.HasPalette {
		return nil
	}
	id := im.Palette.Unique
	switch {
	case im.BitFlags&wire.BitmapPalFromCache != 0:
		entries, ok := c.palettes[id]
		if !ok {
			return fmt.Errorf("palette %d is not cached", id)
		}
		im.Palette.Entries = append(im.Palette.Entries[:0], entries...)
	case im.BitFlags&wire.BitmapPalCacheMe != 0:
		if id == 0 || c.palettes[id] != nil || len(c.palettes) == maxPalettes {
			return fmt.Errorf("caching palette %d, %d cached", id, len(c.palettes))
		}
		c.palettes[id] = append([]uint32{}, im.Palette.Entries...)
	}
	return nil
}

// layouts are the bitmap formats of the LZ family's and QUIC's image types.
var (
	layouts = map[pixel.Type]qxl.BitmapFormat{
		pixel.PLT1LE: qxl.Bitmap1BitLE, pixel.PLT1BE: qxl.Bitmap1BitBE, pixel.PLT4LE: qxl.Bitmap4BitLE,
		pixel.PLT4BE: qxl.Bitmap4BitBE, pixel.PLT8: qxl.Bitmap8Bit, pixel.RGB16: qxl.Bitmap16Bit,
		pixel.RGB24: qxl.Bitmap24Bit, pixel.RGB32: qxl.Bitmap32Bit, pixel.RGBA: qxl.BitmapRGBA, pixel.A8: qxl.Bitmap8BitA,
	}
	quicLayouts = map[quic.Type]qxl.BitmapFormat{
		quic.RGB16: qxl.Bitmap16Bit, quic.RGB24: qxl.Bitmap24Bit, quic.RGB32: qxl.Bitmap32Bit, quic.RGBA: qxl.BitmapRGBA,
	}
)

var errSize = errors.New("the stream is of another size")

// decode makes a compressed image a bitmap.
func (c *cache) decode(im *qxl.Image) error {
	data := im.Data.AppendTo(nil)
	switch im.Type {
	case qxl.ImageBitmap:
		if im.X != im.Width || im.Y != im.Height {
			return errSize
		}
		return nil
	case qxl.ImageLZRGB, qxl.ImageLZPalette:
		return decodeLZ(im, data)
	case qxl.ImageLZ4:
		return decodeLZ4(im, data)
	case qxl.ImageQUIC:
		return decodeQUIC(im, data)
	case qxl.ImageZlibGLZRGB:
		stream := make([]byte, im.Part)
		if err := new(glz.Inflater).Inflate(stream, data); err != nil {
			return err
		}
		return c.decodeGLZ(im, stream)
	case qxl.ImageGLZRGB:
		return c.decodeGLZ(im, data)
	case qxl.ImageJPEG, qxl.ImageJPEGAlpha:
		return decodeJPEG(im, data)
	}
	return errors.New("unknown type")
}

// bitmap makes im a bitmap of decoded lines.
func bitmap(im *qxl.Image, format qxl.BitmapFormat, w, h, stride int, topDown bool, pix []byte) error {
	if uint32(w) != im.Width || uint32(h) != im.Height {
		return errSize
	}
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, format, 0
	if topDown {
		im.BitFlags = qxl.BitmapTopDown
	}
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(stride)
	im.Data = qxl.Blob{}
	im.Data.Append(pix)
	return nil
}

func decodeLZ(im *qxl.Image, data []byte) error {
	h, err := lz.ParseHeader(data)
	if err != nil {
		return err
	}
	if h.Type.Palette() != (im.Type == qxl.ImageLZPalette) || h.Type.Palette() && len(im.Palette.Entries) < 1<<(8/h.Type.PixelsPerByte()) {
		return fmt.Errorf("LZ type %d, %d colours", h.Type, len(im.Palette.Entries))
	}
	pix := make([]byte, h.Size())
	if _, err := lz.Decode(pix, data); err != nil {
		return err
	}
	return bitmap(im, layouts[h.Type], h.Width, h.Height, h.Stride, h.TopDown, pix)
}

func decodeLZ4(im *qxl.Image, data []byte) error {
	t, topDown, err := lz4.ParseHeader(data)
	if err != nil {
		return err
	}
	h := pixel.New(t, int(im.Width), int(im.Height), topDown)
	pix := make([]byte, h.Size())
	if err := lz4.Decode(pix, data); err != nil {
		return err
	}
	return bitmap(im, layouts[t], h.Width, h.Height, h.Stride, topDown, pix)
}

func decodeQUIC(im *qxl.Image, data []byte) error {
	h, err := quic.ParseHeader(data)
	if err != nil {
		return err
	}
	pix := make([]byte, h.Size())
	if err := new(quic.Decoder).Decode(pix, h, data); err != nil {
		return err
	}
	return bitmap(im, quicLayouts[h.Type], h.Width, h.Height, h.Stride, true, pix)
}

func (c *cache) decodeGLZ(im *qxl.Image, stream []byte) error {
	out, err := c.window.Decode(stream)
	if err != nil {
		return err
	}
	format := qxl.Bitmap32Bit
	if out.Type == pixel.RGBA {
		format = qxl.BitmapRGBA
	}
	return bitmap(im, format, out.Width, out.Height, 4*out.Width, out.TopDown, bytes.Clone(out.Pix))
}

func decodeJPEG(im *qxl.Image, data []byte) error {
	file, format, topDown := data, qxl.Bitmap32Bit, true
	if im.Type == qxl.ImageJPEGAlpha {
		const flagTopDown = 1
		file, format, topDown = data[:im.Part], qxl.BitmapRGBA, im.BitFlags&flagTopDown != 0
	}
	w, h, err := jpeg.ParseHeader(file)
	if err != nil {
		return err
	}
	pic := jpeg.NewImage(jpeg.BGRX, w, h, topDown)
	pix := make([]byte, pic.Size())
	dec := jpeg.NewPureDecoder()
	if im.Type == qxl.ImageJPEGAlpha {
		err = dec.DecodeAlpha(pix, pic, data, int(im.Part))
	} else {
		err = dec.Decode(pix, pic, file)
	}
	if err != nil {
		return err
	}
	return bitmap(im, format, w, h, pic.Stride, topDown, pix)
}
