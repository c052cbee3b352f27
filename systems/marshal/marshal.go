// Package marshal turns pipe items into display channel messages.
//
//	pipe item -> images to wire form (package encode) -> message in the
//	connection's batch; pixels are referenced, not copied
//
// What a message refers to, drawables and pixel buffers, stays alive in the
// client's State until the batch has been sent.
package marshal

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/release"
)

// Marshaller writes messages for all clients of a device.
type Marshaller struct {
	scene   *components.Scene
	rel     *release.Releaser
	encoder encode.Encoder
	image   qxl.Drawable // scratch: the command that carries a pixel buffer
}

// New returns a marshaller for the scene.
func New(scene *components.Scene, rel *release.Releaser) *Marshaller {
	return &Marshaller{scene: scene, rel: rel}
}

// State is what one client's connection needs from message to message.
type State struct {
	Compression encode.Compression

	palettes palettes
	buffers  encode.Buffers
	images   []qxl.Image // wire forms of the message being written
	held     []ecs.Entity
	pixels   []ecs.Handle
}

// Item writes the messages of one item that was popped from the pipe, and
// takes over what the item held.
func (m *Marshaller) Item(w *wire.Writer, st *State, item *components.PipeItem) {
	switch item.Kind {
	case components.ItemDraw:
		m.draw(w, st, item.Drawable)
	case components.ItemImage:
		m.pixels(w, st, item)
	case components.ItemSurfaceCreate:
		w.Begin(wire.MsgDisplaySurfaceCreate)
		w.U32(item.Surface)
		w.U32(item.Width)
		w.U32(item.Height)
		w.U32(item.Format)
		if item.Primary {
			w.U32(wire.SurfaceFlagPrimary)
		} else {
			w.U32(0)
		}
		w.End()
	case components.ItemSurfaceDestroy:
		w.Begin(wire.MsgDisplaySurfaceDestroy)
		w.U32(item.Surface)
		w.End()
	case components.ItemMark:
		w.Begin(wire.MsgDisplayMark)
		w.End()
	case components.ItemInvalAllPalettes:
		st.palettes.reset()
		w.Begin(wire.MsgDisplayInvalAllPalettes)
		w.End()
	}
}

// Sent releases what the batch that has been sent referred to.
func (m *Marshaller) Sent(st *State) {
	for _, e := range st.held {
		m.rel.Unref(e)
	}
	for _, h := range st.pixels {
		m.scene.Pixels.Free(h)
	}
	st.held, st.pixels = st.held[:0], st.pixels[:0]
	st.buffers.Reset()
}

// draw writes a drawable.
func (m *Marshaller) draw(w *wire.Writer, st *State, e ecs.Entity) {
	st.held = append(st.held, e)
	m.command(w, st, m.scene.Command(m.scene.Drawables.Get(e)))
}

// command writes a drawing command, its images first made fit for the wire.
func (m *Marshaller) command(w *wire.Writer, st *State, cmd *qxl.Drawable) {
	for len(st.images) < len(cmd.Images) {
		st.images = append(st.images, qxl.Image{})
	}
	for i := range cmd.Images {
		src, dst := &cmd.Images[i], &st.images[i]
		mask := int8(i) == cmd.Mask.Image && cmd.Type != qxl.DrawComposite
		m.encoder.Image(dst, src, mask, st.Compression, &st.buffers)
		if dst.Type == qxl.ImageSurface {
			m.surfaceSize(dst)
		}
		if dst.HasPalette {
			m.palette(w, st, dst)
		}
	}
	w.Draw(cmd, st.images[:len(cmd.Images)])
}

// surfaceSize gives an image that stands for a surface that surface's size.
func (m *Marshaller) surfaceSize(im *qxl.Image) {
	if s := m.scene.Surface(im.Surface); s != nil {
		im.Width, im.Height = uint32(s.Width), uint32(s.Height)
	}
}

// palette decides whether the client has the image's palette. A palette that
// has to go is named in a message of its own, ahead of the drawable.
func (m *Marshaller) palette(w *wire.Writer, st *State, im *qxl.Image) {
	if im.Palette.Unique == 0 {
		return
	}
	cached, evicted := st.palettes.use(im.Palette.Unique)
	if evicted != 0 {
		w.Begin(wire.MsgDisplayInvalPalette)
		w.U64(evicted)
		w.End()
	}
	if cached {
		im.BitFlags |= wire.BitmapPalFromCache
	} else {
		im.BitFlags |= wire.BitmapPalCacheMe
	}
}

// pixels writes part of a surface as a copy.
func (m *Marshaller) pixels(w *wire.Writer, st *State, item *components.PipeItem) {
	st.pixels = append(st.pixels, item.Pixels)
	d := &m.image
	d.Reset()
	d.Type, d.Effect, d.Surface, d.BBox = qxl.DrawCopy, qxl.EffectOpaque, item.Surface, item.Area
	d.SrcArea = regions.Rect{Right: item.Area.Width(), Bottom: item.Area.Height()}
	d.Rop, d.Scale = qxl.RopPut, qxl.ScaleNearest
	im, i := d.NewImage()
	d.Src = i
	pix := *m.scene.Pixels.Get(item.Pixels)
	format, flags := bitmapOf(qxl.SurfaceFormat(item.Format), item.Primary, pix)
	im.ID = m.scene.NextImageID()
	im.Flags = flags
	im.Width, im.Height = uint32(d.SrcArea.Right), uint32(d.SrcArea.Bottom)
	im.X, im.Y = im.Width, im.Height
	im.Format, im.BitFlags = format, qxl.BitmapTopDown
	im.Stride = uint32(len(pix)) / im.Y
	im.Data.Append(pix)
	m.command(w, st, d)
}

// bitmapOf names the layout in which a surface's pixels travel. High bytes of
// an off-screen surface may be alpha, and must arrive.
func bitmapOf(f qxl.SurfaceFormat, primary bool, pix []byte) (qxl.BitmapFormat, uint8) {
	switch f {
	case qxl.Surface32ARGB:
		return qxl.BitmapRGBA, 0
	case qxl.Surface8A:
		return qxl.Bitmap8BitA, 0
	case qxl.Surface16x555:
		return qxl.Bitmap16Bit, 0
	case qxl.Surface32xRGB:
		if primary {
			break
		}
		zero, ones := highBytes(pix)
		switch {
		case ones:
			return qxl.Bitmap32Bit, qxl.ImageHighBitsSet
		case !zero:
			return qxl.BitmapRGBA, 0
		}
	}
	return qxl.Bitmap32Bit, 0
}

// highBytes reports whether all high bytes of 32-bit pixels are 0, or all 0xff.
func highBytes(pix []byte) (zero, ones bool) {
	or, and := byte(0), byte(0xff)
	for i := 3; i < len(pix); i += 4 {
		or |= pix[i]
		and &= pix[i]
	}
	return or == 0, and == 0xff
}
