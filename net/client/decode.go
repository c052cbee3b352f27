package client

import (
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/qxl"
)

// bitmapFormats are the bitmap formats of the LZ family's image types.
var bitmapFormats = map[pixel.Type]qxl.BitmapFormat{
	pixel.PLT1LE: qxl.Bitmap1BitLE, pixel.PLT1BE: qxl.Bitmap1BitBE, pixel.PLT4LE: qxl.Bitmap4BitLE,
	pixel.PLT4BE: qxl.Bitmap4BitBE, pixel.PLT8: qxl.Bitmap8Bit, pixel.RGB16: qxl.Bitmap16Bit,
	pixel.RGB24: qxl.Bitmap24Bit, pixel.RGB32: qxl.Bitmap32Bit, pixel.RGBA: qxl.BitmapRGBA, pixel.A8: qxl.Bitmap8BitA,
}

// decodeLZ decodes LZ_RGB and LZ_PLT, of which only the latter has palettes.
func (d *Display) decodeLZ(im *pending) error {
	h, err := lz.ParseHeader(im.data)
	if err != nil {
		return err
	}
	format, ok := bitmapFormats[h.Type]
	if !ok || h.Type.Palette() != (im.Type == qxl.ImageLZPalette) {
		return fmt.Errorf("LZ type %d: %w", h.Type, ErrImage)
	}
	if err := im.matches(h.Width, h.Height); err != nil {
		return err
	}
	pix := d.buffer(im, h.Size())
	if _, err := lz.Decode(pix, im.data); err != nil {
		return err
	}
	stride := h.Stride
	if h.Type.Palette() {
		pix, stride = wholeLines(pix, h)
		im.Palette.Entries = wholePalette(im.Palette.Entries, h.Type)
	}
	im.bitmap(format, h.TopDown, stride, pix)
	return nil
}

// wholeLines adds the last byte of each line where a stream has left it out,
// being only partly used.
func wholeLines(pix []byte, h lz.Image) ([]byte, int) {
	ppb := h.Type.PixelsPerByte()
	stride := (h.Width + ppb - 1) / ppb
	if stride == h.Stride {
		return pix, stride
	}
	out := make([]byte, stride*h.Height)
	for y := range h.Height {
		copy(out[y*stride:], pix[y*h.Stride:][:h.Stride])
	}
	return out, stride
}

// wholePalette repeats a short palette of a 4-bit image: its indices count
// modulo the palette's length.
func wholePalette(ents []uint32, t pixel.Type) []uint32 {
	if n := len(ents); t.PixelsPerByte() == 2 && n > 0 {
		for i := n; i < 16; i++ {
			ents = append(ents, ents[i-n])
		}
	}
	return ents
}

func (d *Display) decodeLZ4(im *pending) error {
	t, topDown, err := lz4.ParseHeader(im.data)
	if err != nil {
		return err
	}
	stride := int(im.Width) * t.BytesPerPixel()
	pix := d.buffer(im, stride*int(im.Height))
	if err := lz4.Decode(pix, im.data); err != nil {
		return err
	}
	im.bitmap(bitmapFormats[t], topDown, stride, pix)
	return nil
}

// quicFormats are the bitmap formats of QUIC's image types. Servers do not send
// grey ones, and clients refuse them.
var quicFormats = map[quic.Type]qxl.BitmapFormat{
	quic.RGB16: qxl.Bitmap16Bit, quic.RGB24: qxl.Bitmap24Bit, quic.RGB32: qxl.Bitmap32Bit, quic.RGBA: qxl.BitmapRGBA,
}

func (d *Display) decodeQUIC(im *pending) error {
	h, err := quic.ParseHeader(im.data)
	if err != nil {
		return err
	}
	format, ok := quicFormats[h.Type]
	if !ok {
		return fmt.Errorf("QUIC type %d: %w", h.Type, ErrImage)
	}
	if err := im.matches(h.Width, h.Height); err != nil {
		return err
	}
	pix := d.buffer(im, h.Size())
	if err := d.quic.Decode(pix, h, im.data); err != nil {
		return err
	}
	im.bitmap(format, true, h.Stride, pix)
	return nil
}

func (d *Display) decodeGLZ(im *pending) error {
	h, err := glz.ParseHeader(im.data)
	if err != nil {
		return err
	}
	if err := im.matches(h.Width, h.Height); err != nil {
		return err
	}
	out, err := d.session.glz.decode(d.conn, im.data)
	if err != nil {
		return err
	}
	format := qxl.Bitmap32Bit
	if out.Type == pixel.RGBA {
		format = qxl.BitmapRGBA
	}
	im.shared = true
	if !im.keep {
		d.lent = append(d.lent, out)
	}
	im.bitmap(format, out.TopDown, 4*out.Width, out.Pix)
	return nil
}

// decodeZlibGLZ inflates a GLZ stream whose size is told beforehand: no more
// than the image as literals would take, since servers send no others.
func (d *Display) decodeZlibGLZ(im *pending) error {
	most := glz.MaxSize(pixel.New(pixel.RGBA, int(im.Width), int(im.Height), true))
	if uint64(im.Part) > uint64(most) {
		return fmt.Errorf("GLZ stream of %d bytes: %w", im.Part, ErrTooLarge)
	}
	d.inflated = slices.Grow(d.inflated[:0], int(im.Part))[:im.Part]
	if err := d.inflater.Inflate(d.inflated, im.data); err != nil {
		return err
	}
	im.data = d.inflated
	return d.decodeGLZ(im)
}

// jpegPicture describes the pixels that a JPEG file of at most limit pixels is
// decoded to.
func jpegPicture(file []byte, limit int, topDown bool) (jpeg.Image, error) {
	w, h, err := jpeg.ParseHeader(file)
	if err != nil {
		return jpeg.Image{}, err
	}
	if uint64(w)*uint64(h) > uint64(limit) {
		return jpeg.Image{}, fmt.Errorf("JPEG of %dx%d: %w", w, h, ErrTooLarge)
	}
	return jpeg.NewImage(jpeg.BGRX, w, h, topDown), nil
}

func (d *Display) decodeJPEG(im *pending) error {
	pic, err := jpegPicture(im.data, d.session.opts.Limits.Image, true)
	if err == nil {
		err = im.matches(pic.Width, pic.Height)
	}
	if err != nil {
		return err
	}
	pix := d.buffer(im, pic.Size())
	if err := d.jpeg.Decode(pix, pic, im.data); err != nil {
		return err
	}
	im.bitmap(qxl.Bitmap32Bit, true, pic.Stride, pix)
	return nil
}

// alphaTopDown is the flag of JPEG_ALPHA for pixels whose top line comes first.
const alphaTopDown = 1 << 0

// decodeJPEGAlpha decodes a JPEG file and, behind it, an LZ plane of alpha.
func (d *Display) decodeJPEGAlpha(im *pending) error {
	if uint64(im.Part) > uint64(len(im.data)) {
		return fmt.Errorf("JPEG of %d bytes in %d: %w", im.Part, len(im.data), ErrImage)
	}
	pic, err := jpegPicture(im.data[:im.Part], d.session.opts.Limits.Image, im.BitFlags&alphaTopDown != 0)
	if err == nil {
		err = im.matches(pic.Width, pic.Height)
	}
	if err != nil {
		return err
	}
	pix := d.buffer(im, pic.Size())
	if err := d.jpeg.DecodeAlpha(pix, pic, im.data, int(im.Part)); err != nil {
		return err
	}
	im.bitmap(qxl.BitmapRGBA, pic.TopDown, pic.Stride, pix)
	return nil
}
