package client

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/qxl"
)

// jpegSize reads the dimensions of a JPEG picture of at most limit pixels.
func jpegSize(src []byte, limit int) (width, height int, err error) {
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(src))
	if err != nil {
		return 0, 0, err
	}
	if cfg.Width < 1 || cfg.Height < 1 || uint64(cfg.Width)*uint64(cfg.Height) > uint64(limit) {
		return 0, 0, fmt.Errorf("JPEG of %dx%d: %w", cfg.Width, cfg.Height, ErrTooLarge)
	}
	return cfg.Width, cfg.Height, nil
}

// jpegPixels decodes a JPEG picture to lines of B,G,R,0 in dst, top line first.
func jpegPixels(dst, src []byte, width, height int) error {
	pic, err := jpeg.Decode(bytes.NewReader(src))
	if err != nil {
		return err
	}
	b := pic.Bounds()
	if b.Dx() != width || b.Dy() != height {
		return fmt.Errorf("JPEG of %dx%d: %w", b.Dx(), b.Dy(), ErrImage)
	}
	if ycc, ok := pic.(*image.YCbCr); ok {
		yccPixels(dst, ycc)
		return nil
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := pic.At(x, y).RGBA()
			dst[0], dst[1], dst[2], dst[3] = byte(bl>>8), byte(g>>8), byte(r>>8), 0
			dst = dst[4:]
		}
	}
	return nil
}

// yccPixels is jpegPixels for the usual colour space, by the integer
// arithmetic of JFIF.
func yccPixels(dst []byte, p *image.YCbCr) {
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			c := p.COffset(x, y)
			lum := int32(p.Y[p.YOffset(x, y)])<<16 + 1<<15
			cb, cr := int32(p.Cb[c])-128, int32(p.Cr[c])-128
			dst[0] = clampByte(lum + 116130*cb)
			dst[1] = clampByte(lum - 22554*cb - 46802*cr)
			dst[2] = clampByte(lum + 91881*cr)
			dst[3] = 0
			dst = dst[4:]
		}
	}
}

// clampByte is the integer part of a number in 16.16 fixed point, from 0 to 255.
func clampByte(v int32) byte { return byte(max(0, min(255, v>>16))) }

func (d *Display) decodeJPEG(im *pending) error {
	w, h, err := jpegSize(im.data, d.session.opts.Limits.Image)
	if err == nil {
		err = im.matches(w, h)
	}
	if err != nil {
		return err
	}
	pix := d.buffer(im, 4*w*h)
	if err := jpegPixels(pix, im.data, w, h); err != nil {
		return err
	}
	im.bitmap(qxl.Bitmap32Bit, true, 4*w, pix)
	return nil
}

// alphaTopDown is the flag of JPEG_ALPHA for an alpha plane whose top line
// comes first.
const alphaTopDown = 1 << 0

// decodeJPEGAlpha decodes a JPEG picture and, behind it, an LZ plane of alpha.
func (d *Display) decodeJPEGAlpha(im *pending) error {
	if uint64(im.Part) > uint64(len(im.data)) {
		return fmt.Errorf("JPEG of %d bytes in %d: %w", im.Part, len(im.data), ErrImage)
	}
	alpha := im.data[im.Part:]
	w, h, err := jpegSize(im.data[:im.Part], d.session.opts.Limits.Image)
	if err == nil {
		err = im.matches(w, h)
	}
	if err != nil {
		return err
	}
	head, err := lz.ParseHeader(alpha)
	if err != nil {
		return err
	}
	topDown := im.BitFlags&alphaTopDown != 0
	if head.Type != pixel.XXXA || head.TopDown != topDown || head.Width != w || head.Height != h {
		return fmt.Errorf("alpha of type %d, %dx%d, top-down %v: %w", head.Type, head.Width, head.Height, head.TopDown, ErrImage)
	}
	pix := d.buffer(im, 4*w*h)
	if err := jpegPixels(pix, im.data[:im.Part], w, h); err != nil {
		return err
	}
	if !topDown {
		flipLines(pix, 4*w)
	}
	if _, err := lz.Decode(pix, alpha); err != nil {
		return err
	}
	im.bitmap(qxl.BitmapRGBA, topDown, 4*w, pix)
	return nil
}

// flipLines reverses the order of lines of stride bytes.
func flipLines(pix []byte, stride int) {
	for a, b := 0, len(pix)-stride; a < b; a, b = a+stride, b-stride {
		for i := range stride {
			pix[a+i], pix[b+i] = pix[b+i], pix[a+i]
		}
	}
}
