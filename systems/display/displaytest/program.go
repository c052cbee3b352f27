package displaytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Box is a rectangle: left, top, right, bottom.
type Box [4]int32

// Rect is b as the engine has it.
func (b Box) Rect() regions.Rect {
	return regions.Rect{Left: b[0], Top: b[1], Right: b[2], Bottom: b[3]}
}

// Point is a position.
type Point [2]int32

func (p Point) point() regions.Point { return regions.Point{X: p[0], Y: p[1]} }

// Step is one thing that happens. Do says what; the comment at its constant
// names the fields that matter.
type Step struct {
	Do      Verb  `json:"do"`
	Surface int   `json:"surface,omitempty"`
	Size    Point `json:"size,omitzero"`
	Format  int   `json:"format,omitempty"`
	Keep    bool  `json:"keep,omitempty"` // the memory's content is the surface's
	Seed    int   `json:"seed,omitempty"` // of that content
	Area    Box   `json:"area,omitzero"`
	Client  int   `json:"client,omitempty"`
	Count   int   `json:"count,omitempty"`
	Draw    *Draw `json:"draw,omitempty"`
}

// Verb names a step.
type Verb string

// Verbs.
const (
	Primary        Verb = "primary"         // Size Format Keep Seed
	DestroyPrimary Verb = "destroy-primary" //
	Create         Verb = "create"          // Surface Size Format Keep Seed
	Destroy        Verb = "destroy"         // Surface
	DestroyAll     Verb = "destroy-all"     //
	DrawOne        Verb = "draw"            // Draw
	Update         Verb = "update"          // Surface Area: by request
	UpdateCommand  Verb = "update-command"  // Surface Area: through the ring
	Flush          Verb = "flush"           //
	Bound          Verb = "bound"           // Count: bytes held at most
	Restart        Verb = "restart"         //
	Join           Verb = "join"            // Client
	Leave          Verb = "leave"           // Client
	Lag            Verb = "lag"             // Client: it counts as not keeping up
	Send           Verb = "send"            // Client Count: items
	Sent           Verb = "sent"            // Client
)

// Draw is a drawing command. Fields that its type has no use for are ignored.
type Draw struct {
	Type     qxl.DrawType `json:"type"`
	Effect   qxl.Effect   `json:"effect,omitempty"`
	On       int          `json:"on,omitempty"`
	Box      Box          `json:"box"`
	Clip     []Box        `json:"clip,omitempty"`
	Rop      uint16       `json:"rop,omitempty"`
	Rop3     uint8        `json:"rop3,omitempty"`
	Scale    uint8        `json:"scale,omitempty"`
	Alpha    uint8        `json:"alpha,omitempty"`
	Color    uint32       `json:"color,omitempty"`
	Src      *Image       `json:"src,omitempty"`
	SrcArea  Box          `json:"srcarea,omitzero"`
	From     Point        `json:"from,omitzero"`
	Brush    *Image       `json:"brush,omitempty"` // none: Color
	BrushPos Point        `json:"brushpos,omitzero"`
	Mask     *Image       `json:"mask,omitempty"`
	MaskPos  Point        `json:"maskpos,omitzero"`
	Self     Box          `json:"self,omitzero"` // a self bitmap of this area
	Deps     []int        `json:"deps,omitempty"`
}

// Image is a bitmap of random pixels, or a surface where Format is 0.
type Image struct {
	Format  qxl.BitmapFormat `json:"format,omitempty"`
	Size    Point            `json:"size,omitzero"`
	Seed    int              `json:"seed,omitempty"`
	Surface int              `json:"surface,omitempty"`
}

// Program is a list of steps.
type Program []Step

// Text is the program with a step a line.
func (p Program) Text() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for i := range p {
		if err := enc.Encode(&p[i]); err != nil {
			panic(err) // plain data
		}
	}
	return b.Bytes()
}

// Parse reads what Text wrote. Lines that begin with # are comments.
func Parse(text []byte) (Program, error) {
	var p Program
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var s Step
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&s); err != nil {
			return nil, fmt.Errorf("program, line %d: %w", n, err)
		}
		p = append(p, s)
	}
	return p, lines.Err()
}

// drawable builds the command in d, recycling its storage.
func (dr *Draw) drawable(d *qxl.Drawable) {
	d.Reset()
	d.Type, d.Effect, d.Surface, d.BBox = dr.Type, dr.Effect, uint32(dr.On), dr.Box.Rect()
	if len(dr.Clip) > 0 {
		d.Clip.Type = qxl.ClipRects
		for _, b := range dr.Clip {
			d.Clip.Rects = append(d.Clip.Rects, b.Rect())
		}
	}
	if dr.Self != (Box{}) {
		d.SelfBitmap, d.SelfBitmapArea = true, dr.Self.Rect()
	}
	for i, dep := range dr.Deps {
		d.Deps[i] = int32(dep)
	}
	d.Rop, d.Rop3, d.Scale, d.Alpha = dr.Rop, dr.Rop3, dr.Scale, dr.Alpha
	d.SrcPos, d.SrcArea = dr.From.point(), dr.SrcArea.Rect()
	d.SrcColor, d.TrueColor = dr.Color, dr.Color
	d.Brush.Type, d.Brush.Color = qxl.BrushSolid, dr.Color
	d.Src = dr.Src.add(d)
	if dr.Brush != nil {
		d.Brush = qxl.Brush{Type: qxl.BrushPattern, Image: dr.Brush.add(d), Pos: dr.BrushPos.point()}
	}
	d.Mask.Image, d.Mask.Pos = dr.Mask.add(d), dr.MaskPos.point()
}

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
	out.Type, out.Format, out.BitFlags = qxl.ImageBitmap, im.Format, qxl.BitmapTopDown
	out.X, out.Y = uint32(im.Size[0]), uint32(im.Size[1])
	out.Width, out.Height = out.X, out.Y
	out.Stride = (out.X*uint32(im.Format.BitsPerPixel()) + 7) / 8
	out.Data.Append(noise(im.Seed, int(out.Stride*out.Y)))
	if im.Format.Indexed() && im.Format != qxl.Bitmap1BitBE {
		out.HasPalette = true
		out.Palette.Unique = uint64(im.Seed % 5)
		for k := range 1 << im.Format.BitsPerPixel() {
			out.Palette.Entries = append(out.Palette.Entries, uint32(k+im.Seed%5)*0x01030507)
		}
	}
	return i
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
