package displaytest

import (
	"fmt"
	"hash/fnv"

	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// add makes im one of d's images and returns its index.
func (im *Image) add(d *qxl.Drawable) int8 {
	if im == nil {
		return qxl.NoImage
	}
	out, i := d.NewImage()
	if im.Format == 0 {
		out.Type, out.Surface = qxl.ImageSurface, uint32(im.Surface)
		return i
	}
	out.Type, out.Format = qxl.ImageBitmap, im.Format
	out.X, out.Y = uint32(im.Size[0]), uint32(im.Size[1])
	out.Width, out.Height = out.X, out.Y
	line := (int(out.X)*im.Format.BitsPerPixel() + 7) / 8
	out.Stride = uint32(line + im.Pad)
	if !im.BottomUp {
		out.BitFlags = qxl.BitmapTopDown
	}
	if im.Opaque {
		out.Flags |= qxl.ImageHighBitsSet
	}
	if im.Cache {
		h := fnv.New64a()
		fmt.Fprint(h, *im)
		out.Flags |= qxl.ImageCacheMe
		out.ID = h.Sum64()
	}
	pix := content(im.Seed, line+im.Pad, int(out.Y))
	if format, ok := quicTypes[im.Format]; ok && im.QUIC {
		var e quic.Encoder
		stream, err := e.Encode(nil, quic.Image{
			Type: format, Width: int(out.X), Height: int(out.Y), Stride: int(out.Stride), TopDown: !im.BottomUp,
		}, [][]byte{pix})
		if err == nil {
			out.Type, out.Format, out.BitFlags, out.Stride, out.X, out.Y = qxl.ImageQUIC, 0, 0, 0, 0, 0
			pix = stream
		}
	}
	out.Data.Append(pix)
	if im.Format.Indexed() && im.Format != qxl.Bitmap1BitBE && out.Type == qxl.ImageBitmap {
		im.palette(&out.Palette)
		out.HasPalette = true
	}
	return i
}

// quicTypes are the image types of what a guest may compress.
var quicTypes = map[qxl.BitmapFormat]quic.Type{
	qxl.Bitmap24Bit: quic.RGB24, qxl.Bitmap32Bit: quic.RGB32, qxl.BitmapRGBA: quic.RGBA,
}

// palette is one of a few of each size, some of them short; the first may not be
// cached.
func (im *Image) palette(p *qxl.Palette) {
	kind := im.Seed % 5
	if p.Unique = 0; kind > 0 {
		p.Unique = uint64(kind<<8 | im.Format.BitsPerPixel())
	}
	colours := 1 << im.Format.BitsPerPixel()
	if kind == 3 {
		colours = max(1, colours*3/4)
	}
	for k := range colours {
		p.Entries = append(p.Entries, uint32(k+kind)*0x01030507)
	}
}

// Kinds of content, by the seed modulo 3; others are noise.
const (
	contentPhoto = 1
	contentRuns  = 2
)

// content is the pixels of an image.
func content(seed, line, lines int) []byte {
	b := noise(seed, line*lines)
	switch seed % 3 {
	case contentPhoto:
		for i := range b {
			b[i] = byte(i%4*30+i/line*2+i%line/4*3) + b[i]&1
		}
	case contentRuns:
		for i := range b {
			b[i] = byte(seed>>(i/12%8)&3) * 0x35
		}
	}
	return b
}

// noise is n bytes that depend on seed.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 12345
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x >> 11)
	}
	return b
}

// shape gives a drawing what only some types have.
func (dr *Draw) shape(d *qxl.Drawable) {
	switch dr.Type {
	case qxl.DrawAlphaBlend:
		d.AlphaFlags = uint8(dr.Flags)
	case qxl.DrawComposite:
		d.CompositeFlags, d.SrcPos, d.MaskPos = dr.Flags, dr.From.point(), dr.MaskPos.point()
		d.SrcTransform = qxl.Transform{1 << 15, 0, 0, 0, 3 << 15, 1 << 14}
		d.MaskTransform = qxl.Transform{1 << 16, 1 << 13, 0, 0, 1 << 16, 0}
	case qxl.DrawStroke:
		dr.stroke(d)
	case qxl.DrawText:
		dr.text(d)
	}
}

// stroke is lines and curves in the box, and a little beyond.
func (dr *Draw) stroke(d *qxl.Drawable) {
	b := noise(dr.Shape, 32)
	n := 2 + int(b[0]%6)
	seg := qxl.PathSegment{Flags: qxl.PathBegin | qxl.PathEnd}
	if b[1]%4 == 0 {
		seg.Flags |= qxl.PathBezier
		n = 4
	}
	if b[2]%3 == 0 {
		seg.Flags |= qxl.PathClose
	}
	w, h := d.BBox.Width()+4, d.BBox.Height()+4
	for i := range n {
		d.Points = append(d.Points, qxl.PointFix{
			X: (d.BBox.Left-2)<<4 + int32(b[4+2*i])*w>>4,
			Y: (d.BBox.Top-2)<<4 + int32(b[5+2*i])*h>>4,
		})
	}
	seg.Count = int32(n)
	d.Segments = append(d.Segments, seg)
	d.BackRop = d.Rop
	if d.Line.Flags = uint8(dr.Flags); d.Line.Flags&qxl.LineStyled != 0 {
		d.Line.Style = append(d.Line.Style, int32(1+b[3]%5)<<4, int32(1+b[20]%4)<<4)
	}
}

// text is a few glyphs of random pixels in a row.
func (dr *Draw) text(d *qxl.Drawable) {
	b := noise(dr.Shape, 512)
	d.Text.Flags = uint8(dr.Flags)
	bits := map[uint32]int{qxl.StringA1: 1, qxl.StringA4: 4, qxl.StringA8: 8}[dr.Flags&(qxl.StringA1|qxl.StringA4|qxl.StringA8)]
	at := regions.Point{X: d.BBox.Left, Y: d.BBox.Top}
	for i := range 1 + int(b[0]%4) {
		g := qxl.Glyph{
			Pos: at, Origin: regions.Point{X: int32(b[1+i]%5) - 2, Y: int32(b[5+i]%5) - 2},
			Width: uint16(1 + b[9+i]%7), Height: uint16(1 + b[13+i]%7), Data: int32(len(d.Text.Data)),
		}
		at.X += int32(g.Width)
		n := (int(g.Width)*bits + 7) / 8 * int(g.Height)
		d.Text.Data = append(d.Text.Data, b[20+40*i:][:n]...)
		d.Text.Glyphs = append(d.Text.Glyphs, g)
	}
	d.BackRop = qxl.RopPut
	if b[18]%2 == 0 {
		d.BackArea, d.BackBrush = d.BBox, qxl.Brush{Type: qxl.BrushSolid, Image: qxl.NoImage, Color: ^dr.Color & 0xffffff}
	}
}
