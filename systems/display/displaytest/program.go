package displaytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/display"
	"github.com/spiceecs/spiceecs/systems/encode"
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
	Every   int   `json:"every,omitempty"` // milliseconds between frames
	Draw    *Draw `json:"draw,omitempty"`

	Join *JoinOptions `json:"join,omitempty"`
}

// JoinOptions are what a client is like: a display.SimClient, and what it says.
type JoinOptions struct {
	Compression encode.Compression `json:"compression,omitempty"`
	LZ4         bool               `json:"lz4,omitempty"`
	Monitors    bool               `json:"monitors,omitempty"`
	Slow        bool               `json:"slow,omitempty"`
	Pixmaps     int                `json:"pixmaps,omitempty"`
	Window      int                `json:"window,omitempty"`
	Line        bool               `json:"line,omitempty"`
	Ack         uint32             `json:"ack,omitempty"`
	Buffer      int                `json:"buffer,omitempty"`
	Sized       bool               `json:"sized,omitempty"`
	Reports     bool               `json:"reports,omitempty"`
	NoVideo     bool               `json:"novideo,omitempty"`
	Refuses     bool               `json:"refuses,omitempty"` // says of each stream that it cannot play it
}

// sim is what of the options matters to the device.
func (o *JoinOptions) sim() display.SimClient {
	return display.SimClient{
		Compression: o.Compression, LZ4: o.LZ4, Monitors: o.Monitors, Slow: o.Slow, Pixmaps: o.Pixmaps, Window: o.Window,
		Line: o.Line, Ack: o.Ack, Buffer: o.Buffer, Sized: o.Sized, Reports: o.Reports, NoVideo: o.NoVideo,
	}
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
	Film           Verb = "film"            // Draw Count Every: again and again, the seed growing
	Rest           Verb = "rest"            // Count: videos rest; end, if it is not 0
	Update         Verb = "update"          // Surface Area: by request
	UpdateCommand  Verb = "update-command"  // Surface Area: through the ring
	Flush          Verb = "flush"           //
	Bound          Verb = "bound"           // Count: bytes held at most
	Restart        Verb = "restart"         //
	Monitors       Verb = "monitors"        // Count: of them, and what they are
	Advance        Verb = "advance"         // Count: milliseconds, in which the device serves its lines and clients read
	Settle         Verb = "settle"          // all clients get everything
	Join           Verb = "join"            // Client Join
	Leave          Verb = "leave"           // Client
	Hangup         Verb = "hangup"          // Client: its end of the line is gone, of which the device learns later
	Rate           Verb = "rate"            // Client Count: bytes a second that it reads from its line as time passes
	Lag            Verb = "lag"             // Client: it counts as not keeping up
	Send           Verb = "send"            // Client Count: items. The device serves its lines, if the client has one
	Sent           Verb = "sent"            // Client Count: bytes that it reads, if it has a line; else everything
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
	Flags    uint32       `json:"flags,omitempty"` // of an alpha blend, a composite, a line or a string
	Shape    int          `json:"shape,omitempty"` // of a line or a string
}

// Image is a bitmap, or a surface where Format is 0. A bitmap's content follows
// from the fields, so that an image which clients may cache is always the same.
type Image struct {
	Format   qxl.BitmapFormat `json:"format,omitempty"`
	Size     Point            `json:"size,omitzero"`
	Seed     int              `json:"seed,omitempty"`
	Pad      int              `json:"pad,omitempty"` // bytes behind each line
	BottomUp bool             `json:"bottomup,omitempty"`
	Opaque   bool             `json:"opaque,omitempty"` // the high bits count as set
	QUIC     bool             `json:"quic,omitempty"`   // the guest has compressed it
	Cache    bool             `json:"cache,omitempty"`  // clients may cache it
	Surface  int              `json:"surface,omitempty"`
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
	dr.shape(d)
}
