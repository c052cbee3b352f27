package marshal_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/marshal"
	"github.com/spiceecs/spiceecs/systems/release"
)

// rig is a marshaller for one client.
type rig struct {
	t     testing.TB
	scene *components.Scene
	enc   *encode.Encoder
	msg   *marshal.Marshaller
	state marshal.State
	out   wire.Writer
	given int
}

func newRig(t testing.TB) *rig {
	pool := encode.NewPool()
	t.Cleanup(pool.Close)
	r := &rig{t: t, scene: components.NewScene(1)}
	rel := release.New(r.scene, func(qxl.Resource) { r.given++ })
	r.enc = encode.NewEncoder(r.scene, pool)
	r.msg = marshal.New(r.scene, rel, r.enc)
	r.state.Compression = encode.Off
	return r
}

// message is one message as it arrives.
type message struct {
	msg  uint16
	body []byte
}

// emit marshals items and returns the messages, which stay valid.
func (r *rig) emit(items ...components.PipeItem) (all []message) {
	r.t.Helper()
	for i := range items {
		if !r.msg.Plan(&r.state, &items[i]) {
			r.t.Fatal("an item is not taken")
		}
	}
	r.enc.Run()
	r.msg.Emit(&r.out, &r.state, func(w *wire.Writer) { w.Begin(wire.MsgDisplayMonitorsConfig); w.End() })
	for p := bytes.Join(r.out.Buffers(nil), nil); len(p) > 0; {
		n := wire.MiniHeaderSize + int(binary.LittleEndian.Uint32(p[2:]))
		all = append(all, message{binary.LittleEndian.Uint16(p), p[wire.MiniHeaderSize:n]})
		p = p[n:]
	}
	r.out.Reset()
	r.msg.Sent(&r.state)
	return all
}

// drawable makes a drawable to which the item's reference is the only one.
func (r *rig) drawable(change func(*qxl.Drawable)) components.PipeItem {
	h, cmd, _ := r.scene.Commands.Alloc()
	cmd.Reset()
	cmd.Type, cmd.BBox, cmd.Rop, cmd.Brush.Type = qxl.DrawFill, regions.XYWH(1, 2, 3, 4), qxl.RopPut, qxl.BrushSolid
	cmd.Resource.ID = 1
	change(cmd)
	e, d, _ := r.scene.NewDrawable.New()
	d.Command, d.BBox, d.Type, d.Refs = h, cmd.BBox, cmd.Type, 1
	return components.PipeItem{Kind: components.ItemDraw, Drawable: e, Surface: cmd.Surface}
}

// draw decodes a drawing message.
func (r *rig) draw(m message) *qxl.Drawable {
	r.t.Helper()
	typ, ok := wire.DrawOf(m.msg)
	if !ok {
		r.t.Fatalf("message %d draws nothing", m.msg)
	}
	d := new(qxl.Drawable)
	if err := wire.ReadDraw(m.body, typ, d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

// TestItems checks the messages that are no drawing.
func TestItems(t *testing.T) {
	words := func(v ...uint32) (b []byte) {
		for _, w := range v {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
		return b
	}
	r := newRig(t)
	got := r.emit(
		components.PipeItem{Kind: components.ItemSurfaceCreate, Primary: true, Width: 640, Height: 480, Format: 32},
		components.PipeItem{Kind: components.ItemSurfaceCreate, Surface: 5, Width: 6, Height: 7, Format: 96},
		components.PipeItem{Kind: components.ItemMonitorsConfig},
		components.PipeItem{Kind: components.ItemMark},
		components.PipeItem{Kind: components.ItemInvalAllPalettes},
		components.PipeItem{Kind: components.ItemSurfaceDestroy, Surface: 5},
	)
	want := []message{
		{wire.MsgDisplaySurfaceCreate, words(0, 640, 480, 32, 1)},
		{wire.MsgDisplaySurfaceCreate, words(5, 6, 7, 96, 0)},
		{wire.MsgDisplayMonitorsConfig, nil},
		{wire.MsgDisplayMark, nil},
		{wire.MsgDisplayInvalAllPalettes, nil},
		{wire.MsgDisplaySurfaceDestroy, words(5)},
	}
	if !slices.EqualFunc(got, want, func(a, b message) bool { return a.msg == b.msg && bytes.Equal(a.body, b.body) }) {
		t.Errorf("messages %v, want %v", got, want)
	}
}

// TestDrawable sends a drawable as it is, and lets go of it afterwards.
func TestDrawable(t *testing.T) {
	r := newRig(t)
	pix := bytes.Repeat([]byte{1, 2, 3, 4}, 3*4)
	item := r.drawable(func(d *qxl.Drawable) {
		d.Type, d.Src, d.SrcArea = qxl.DrawCopy, 0, regions.XYWH(0, 0, 3, 4)
		d.Clip = qxl.Clip{Type: qxl.ClipRects, Rects: []regions.Rect{regions.XYWH(1, 2, 1, 1), regions.XYWH(2, 2, 1, 1)}}
		im, _ := d.NewImage()
		im.ID, im.X, im.Y, im.Width, im.Height, im.Stride = 99, 3, 4, 3, 4, 12
		im.Format, im.BitFlags = qxl.Bitmap32Bit, qxl.BitmapTopDown|qxl.BitmapUnstable
		im.Data.Append(pix[:20])
		im.Data.Append(pix[20:])
	})
	got := r.emit(item)
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	d := r.draw(got[0])
	im := d.Image(d.Src)
	if d.BBox != regions.XYWH(1, 2, 3, 4) || len(d.Clip.Rects) != 2 || d.Rop != qxl.RopPut ||
		im.ID != 99 || im.BitFlags != wire.BitmapTopDown || !bytes.Equal(im.Data.AppendTo(nil), pix) {
		t.Errorf("a client gets %+v", d)
	}
	if r.given != 1 || r.scene.World.Alive(item.Drawable) {
		t.Errorf("%d commands were given back", r.given)
	}
}

// TestDrop lets go of what was planned, and of what was marshalled.
func TestDrop(t *testing.T) {
	for _, emitted := range []bool{false, true} {
		r := newRig(t)
		a, b := r.drawable(func(*qxl.Drawable) {}), r.pixels(qxl.Surface32xRGB, false, 4, 4, func(int) byte { return 0 })
		if !r.msg.Plan(&r.state, &a) || !r.msg.Plan(&r.state, &b) || !r.state.Pending() {
			t.Fatal("an item is not taken")
		}
		if emitted {
			r.enc.Run()
			r.msg.Emit(&r.out, &r.state, nil)
		}
		r.msg.Drop(&r.state)
		if n := r.scene.Commands.Len() + r.scene.Pixels.Len() + r.scene.Encoded.Len(); n != 0 || r.given != 1 {
			t.Errorf("emitted: %t, %d things are left, %d commands given back", emitted, n, r.given)
		}
	}
}

// pixels makes an image item of an area of a surface with this format.
func (r *rig) pixels(f qxl.SurfaceFormat, primary bool, w, h int32, at func(int) byte) components.PipeItem {
	handle, pix, _ := r.scene.Pixels.Alloc()
	*pix = (*pix)[:0]
	for i := range int(w*h) * f.Depth() / 8 {
		*pix = append(*pix, at(i))
	}
	id := uint32(1)
	if primary {
		id = 0
	}
	return components.PipeItem{
		Kind: components.ItemImage, Surface: id, Primary: primary, Area: regions.XYWH(2, 1, w, h), Pixels: handle, Format: uint32(f),
	}
}

// TestPixels sends parts of surfaces: on a client's surface of the same format
// every bit arrives that can be seen or read.
func TestPixels(t *testing.T) {
	noise := func(i int) byte { return byte(i*i + i>>3 + 1) }
	for _, test := range []struct {
		name    string
		format  qxl.SurfaceFormat
		primary bool
		at      func(int) byte
		padded  bool // the high bytes need not arrive
	}{
		{"screen", qxl.Surface32xRGB, true, noise, true},
		{"off-screen", qxl.Surface32xRGB, false, noise, false},
		{"clear pad", qxl.Surface32xRGB, false, func(i int) byte { return noise(i) * byte(min(1, (i+1)%4)) }, false},
		{"set pad", qxl.Surface32xRGB, false, func(i int) byte {
			if i%4 == 3 {
				return 0xff
			}
			return noise(i)
		}, false},
		{"alpha", qxl.Surface32ARGB, false, noise, false},
		{"mask", qxl.Surface8A, false, noise, false},
		{"15 bits", qxl.Surface16x555, false, noise, false},
		{"15 bits screen", qxl.Surface16x555, true, noise, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			item := r.pixels(test.format, test.primary, 7, 5, test.at)
			want := slices.Clone(*r.scene.Pixels.Get(item.Pixels))
			got := r.emit(item)
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			c := canvas.New(test.format, 12, 9)
			d := r.draw(got[0])
			if err := c.Draw(d, nil); err != nil {
				t.Fatal(err)
			}
			pix := c.ReadRect(nil, item.Area)
			if test.padded {
				for i := 3; i < len(pix); i += 4 {
					pix[i], want[i] = 0, 0
				}
			}
			if d.Surface != item.Surface || !bytes.Equal(pix, want) {
				t.Errorf("surface %d shows\n%x, want\n%x", d.Surface, pix, want)
			}
			if r.scene.Pixels.Len() != 0 {
				t.Error("the pixel buffer is kept")
			}
		})
	}
}

// palettes is a client's palette cache.
type palettes map[uint64]bool

const paletteSlots = 128

// obey follows the messages for drawables whose only image has a palette.
func (p palettes) obey(r *rig, all []message, id uint64) error {
	for _, m := range all {
		switch m.msg {
		case wire.MsgDisplayInvalPalette:
			gone := binary.LittleEndian.Uint64(m.body)
			if !p[gone] {
				return fmt.Errorf("palette %d is to be forgotten, but not cached", gone)
			}
			delete(p, gone)
		case wire.MsgDisplayInvalAllPalettes:
			clear(p)
		default:
			d := r.draw(m)
			im := d.Image(d.Src)
			cached := im.BitFlags&wire.BitmapPalFromCache != 0
			if im.Palette.Unique != id || cached != p[id] || cached == (len(im.Palette.Entries) > 0) {
				return fmt.Errorf("palette %d, from cache: %t, client has it: %t, %d entries", im.Palette.Unique, cached, p[id], len(im.Palette.Entries))
			}
			if cache := im.BitFlags&wire.BitmapPalCacheMe != 0; cache != (id != 0 && !cached) {
				return fmt.Errorf("palette %d is to be cached: %t", id, cache)
			} else if cache {
				p[id] = true
			}
		}
		if len(p) > paletteSlots {
			return fmt.Errorf("%d palettes", len(p))
		}
	}
	return nil
}

// TestPalettes mirrors the client's cache: random palettes, now and then all
// are forgotten. What was not used for long goes first.
func TestPalettes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	r, p := newRig(t), palettes{}
	indexed := func(id uint64) components.PipeItem {
		return r.drawable(func(d *qxl.Drawable) {
			d.Type, d.Src, d.SrcArea = qxl.DrawCopy, 0, regions.XYWH(0, 0, 2, 1)
			im, _ := d.NewImage()
			im.X, im.Y, im.Width, im.Height, im.Stride, im.Format, im.HasPalette = 2, 1, 2, 1, 2, qxl.Bitmap8Bit, true
			im.Palette.Unique, im.Palette.Entries = id, append(im.Palette.Entries[:0], 1, 2, 3)
			im.Data.Append([]byte{0, 2})
		})
	}
	var recent []uint64 // most recently used last
	for step := range 4000 {
		if rnd.IntN(500) == 0 {
			if err := p.obey(r, r.emit(components.PipeItem{Kind: components.ItemInvalAllPalettes}), 0); err != nil {
				t.Fatal(err)
			}
			recent = nil
		}
		id := uint64(rnd.IntN(200))
		if err := p.obey(r, r.emit(indexed(id)), id); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if id == 0 {
			continue
		}
		recent = append(slices.DeleteFunc(recent, func(i uint64) bool { return i == id }), id)
		if len(recent) > paletteSlots {
			recent = recent[1:]
		}
		for _, id := range recent {
			if !p[id] {
				t.Fatalf("step %d: palette %d was forgotten too early", step, id)
			}
		}
	}
}

// TestSteadyState allocates nothing for drawables without images.
func TestSteadyState(t *testing.T) {
	r := newRig(t)
	var e ecs.Entity
	step := func() {
		item := r.drawable(func(*qxl.Drawable) {})
		e = item.Drawable
		r.msg.Plan(&r.state, &item)
		r.enc.Run()
		r.msg.Emit(&r.out, &r.state, nil)
		r.out.Reset()
		r.msg.Sent(&r.state)
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if r.scene.World.Alive(e) {
		t.Error("a drawable was kept")
	}
}
