package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	_ "image/png" // the format of picture files
	"io"
	"os"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// bitmap is an image for codecs: 16, 24 or 32 bits a pixel, lines without
// padding, top line first, bits that do not count 0.
type bitmap struct {
	format        qxl.BitmapFormat
	width, height int
	pix           []byte
}

// album is the pictures that codecs are compared on.
type album struct {
	pictures []bitmap
	limit    int64 // bytes
	bytes    int64
	pixels   int64
	skipped  int
	full     bool
}

// maxPicture bounds the pixels of a picture file.
const maxPicture = 1 << 27

// load adds the pictures of a file.
func (a *album) load(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	src := bufio.NewReader(f)
	head, err := src.Peek(8)
	if err == nil && bytes.Equal(head, []byte("\x89PNG\r\n\x1a\n")) {
		return a.loadPicture(name, f, src)
	}
	r, err := record.NewReader(src)
	if err != nil {
		return explainRecording(name, err)
	}
	defer r.Close()
	var ev record.Event
	for ctx.Err() == nil && !a.full {
		err := r.Next(&ev)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return explainRecording(name, err)
		}
		if ev.Kind == record.Command && qxl.CommandType(ev.Type) == qxl.CommandDraw {
			for i := range ev.Drawable.Images {
				a.addBitmap(&ev.Drawable.Images[i])
			}
		}
	}
	return context.Cause(ctx)
}

// loadPicture adds a PNG file, of which src is the content.
func (a *album) loadPicture(name string, f io.ReadSeeker, src io.Reader) error {
	cfg, _, err := image.DecodeConfig(src)
	if err == nil && int64(cfg.Width)*int64(cfg.Height) > maxPicture {
		err = fmt.Errorf("%dx%d pixels are too many", cfg.Width, cfg.Height)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	var m image.Image
	if err == nil {
		m, _, err = image.Decode(bufio.NewReader(f))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b := m.Bounds()
	rgba := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(rgba, rgba.Rect, m, b.Min, draw.Src)
	p := bitmap{qxl.BitmapRGBA, b.Dx(), b.Dy(), rgba.Pix}
	if rgba.Opaque() {
		p.format = qxl.Bitmap32Bit
	}
	for i := 0; i < len(p.pix); i += 4 {
		p.pix[i], p.pix[i+2] = p.pix[i+2], p.pix[i]
	}
	a.add(p)
	return nil
}

// addBitmap adds an image of a command, if it is a bitmap that all codecs take.
func (a *album) addBitmap(im *qxl.Image) {
	if im.Type != qxl.ImageBitmap {
		return
	}
	bits := im.Format.BitsPerPixel()
	line, stride := int(im.X)*bits/8, int(im.Stride)
	if bits < 16 || stride < line || im.Data.Size < stride*int(im.Y) {
		a.skipped++
		return
	}
	raw := im.Data.AppendTo(make([]byte, 0, im.Data.Size))
	pix := make([]byte, 0, line*int(im.Y))
	for y := range int(im.Y) {
		if im.BitFlags&qxl.BitmapTopDown == 0 {
			y = int(im.Y) - 1 - y
		}
		pix = append(pix, raw[y*stride:][:line]...)
	}
	a.add(bitmap{im.Format, int(im.X), int(im.Y), pix})
}

// add adds a picture, unless it is too small for some codec or the album is full.
func (a *album) add(p bitmap) {
	switch {
	case p.width < 3 || p.height < 3:
		a.skipped++
		return
	case a.bytes > 0 && a.bytes+int64(len(p.pix)) > a.limit:
		a.full = true
		return
	}
	switch p.format {
	case qxl.Bitmap32Bit:
		for i := 3; i < len(p.pix); i += 4 {
			p.pix[i] = 0
		}
	case qxl.Bitmap16Bit:
		for i := 1; i < len(p.pix); i += 2 {
			p.pix[i] &= 0x7f
		}
	}
	a.pictures = append(a.pictures, p)
	a.bytes += int64(len(p.pix))
	a.pixels += int64(p.width) * int64(p.height)
}
