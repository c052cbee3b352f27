package qxl

import "github.com/spiceecs/spiceecs/regions"

// Resource names what has to be given back to the guest when a command is
// done with: the address of its release info, and the id found there.
type Resource struct {
	Data  PHYS
	ID    uint64
	Group uint32
}

// Blob is data in consecutive pieces, in guest memory or anywhere else.
// Size is the sum of the chunks' lengths.
type Blob struct {
	Chunks [][]byte
	Size   int
}

// What a recycled value keeps of a slice's storage, in elements. A guest that
// once sends enormous commands must not bind their memory for good.
const (
	keepItems = 1 << 12
	keepBytes = 1 << 16
)

// keep empties s, and gives up its storage if that has more than most elements.
func keep[T any](s []T, most int) []T {
	if cap(s) > most {
		return nil
	}
	return s[:0]
}

// Reset empties b and keeps its storage.
func (b *Blob) Reset() {
	clear(b.Chunks)
	b.Chunks, b.Size = keep(b.Chunks, keepItems), 0
}

// Append adds one piece; an empty one is left out.
func (b *Blob) Append(p []byte) {
	if len(p) > 0 {
		b.Chunks = append(b.Chunks, p)
		b.Size += len(p)
	}
}

// AppendTo copies all pieces behind dst.
func (b *Blob) AppendTo(dst []byte) []byte {
	for _, c := range b.Chunks {
		dst = append(dst, c...)
	}
	return dst
}

// Palette gives the colours of an indexed bitmap, as words of the target
// canvas' format. Unique 0 means that it must not be cached.
type Palette struct {
	Unique  uint64
	Entries []uint32
}

// Image is a source of pixels: the descriptor and, by Type, a bitmap, a
// compressed stream, or another surface.
type Image struct {
	ID            uint64
	Type          ImageType
	Flags         uint8
	Width, Height uint32

	// For ImageBitmap: X by Y pixels, Stride bytes a line. For ImageLZPalette
	// Palette holds the colours.
	Format     BitmapFormat
	BitFlags   uint8
	X, Y       uint32
	Stride     uint32
	HasPalette bool
	Palette    Palette

	// For ImageSurface.
	Surface uint32

	// On the wire only: how many of the bytes are the JPEG (ImageJPEGAlpha), or
	// what the stream inflates to (ImageZlibGLZRGB).
	Part uint32

	// The bitmap's lines, or the compressed stream.
	Data Blob
}

// reset empties im and keeps its storage.
func (im *Image) reset() {
	ents, data := im.Palette.Entries[:0], im.Data
	data.Reset()
	*im = Image{Palette: Palette{Entries: ents}, Data: data}
}

// NoImage is the index of an absent image.
const NoImage int8 = -1

// Brush paints with a colour (BrushSolid) or with the image Drawable.Images[Image],
// whose origin lies at Pos (BrushPattern).
type Brush struct {
	Type  BrushType
	Image int8
	Color uint32
	Pos   regions.Point
}

// Mask limits a drawable to the set bits of a 1-bit image; pixel (0,0) of the
// drawable's box belongs to Pos. Image is NoImage where there is no mask.
type Mask struct {
	Flags uint8
	Image int8
	Pos   regions.Point
}

// Clip limits a drawable to the union of Rects, for ClipRects.
type Clip struct {
	Type  ClipType
	Rects []regions.Rect
}

// PointFix is a position in 28.4 fixed point.
type PointFix struct{ X, Y int32 }

// PathSegment is Count points of Drawable.Points, from First on.
type PathSegment struct {
	Flags        uint8
	First, Count int32
}

// LineAttr is how a stroke's line is drawn. Style holds dash lengths in 28.4
// fixed point, for LineStyled.
type LineAttr struct {
	Flags uint8
	Style []int32
}

// Glyph is one character image: Width by Height pixels at Data bytes from
// Text.Data, rows stored bottom-up, each row a whole number of bytes.
type Glyph struct {
	Pos, Origin   regions.Point
	Width, Height uint16
	Data          int32
}

// Text is a run of glyphs of one depth.
type Text struct {
	Flags  uint8
	Glyphs []Glyph
	Data   []byte
}

// Transform is a 2x3 matrix in 16.16 fixed point, destination to source.
type Transform [6]int32

// Drawable is one decoded drawing command. The fields after Deps belong to
// some operations only:
//
//	fill        Brush Rop Mask
//	opaque      Src SrcArea Brush Rop Scale Mask
//	copy blend  Src SrcArea Rop Scale Mask
//	copy bits   SrcPos
//	blackness whiteness invers   Mask
//	rop3        Src SrcArea Brush Rop3 Scale Mask
//	stroke      Points Segments Line Brush Rop (fore mode) BackRop
//	text        Text BackArea Brush (fore) BackBrush Rop (fore mode) BackRop
//	transparent Src SrcArea SrcColor TrueColor
//	alpha blend AlphaFlags Alpha Src SrcArea
//	composite   CompositeFlags Src Mask.Image SrcTransform MaskTransform SrcPos MaskPos
//
// Src, Mask.Image and the brushes' Image are indices into Images or NoImage.
type Drawable struct {
	Resource       Resource
	Surface        uint32
	Type           DrawType
	Effect         Effect
	SelfBitmap     bool
	SelfBitmapArea regions.Rect
	BBox           regions.Rect
	Clip           Clip
	MMTime         uint32
	Deps           [3]int32 // surfaces read, -1 for none
	DepRects       [3]regions.Rect

	Src        int8
	Scale      uint8
	Rop3       uint8
	Alpha      uint8
	AlphaFlags uint8
	Rop        uint16
	BackRop    uint16
	SrcArea    regions.Rect
	SrcPos     regions.Point
	MaskPos    regions.Point
	Mask       Mask
	Brush      Brush
	BackBrush  Brush
	BackArea   regions.Rect
	SrcColor   uint32
	TrueColor  uint32

	CompositeFlags uint32
	SrcTransform   Transform
	MaskTransform  Transform

	Line     LineAttr
	Points   []PointFix
	Segments []PathSegment
	Text     Text
	Images   []Image
}

// Reset empties d and keeps the storage of its slices.
func (d *Drawable) Reset() {
	for i := range d.Images {
		d.Images[i].reset()
	}
	*d = Drawable{
		Clip:      Clip{Rects: keep(d.Clip.Rects, keepItems)},
		Deps:      [3]int32{-1, -1, -1},
		Src:       NoImage,
		Mask:      Mask{Image: NoImage},
		Brush:     Brush{Image: NoImage},
		BackBrush: Brush{Image: NoImage},
		Line:      LineAttr{Style: d.Line.Style[:0]},
		Points:    keep(d.Points, keepItems),
		Segments:  keep(d.Segments, keepItems),
		Text:      Text{Glyphs: keep(d.Text.Glyphs, keepItems), Data: keep(d.Text.Data, keepBytes)},
		Images:    d.Images[:0],
	}
}

// NewImage appends an empty image, with recycled storage where there is some,
// and returns it with its index.
func (d *Drawable) NewImage() (*Image, int8) {
	n := len(d.Images)
	if n < cap(d.Images) {
		d.Images = d.Images[:n+1]
	} else {
		d.Images = append(d.Images, Image{})
	}
	d.Images[n].reset()
	return &d.Images[n], int8(n)
}

// Image returns the image with index i, or nil for NoImage.
func (d *Drawable) Image(i int8) *Image {
	if i < 0 || int(i) >= len(d.Images) {
		return nil
	}
	return &d.Images[i]
}
