// Package marshal turns pipe items into display channel messages.
//
//	pipe item -> Plan: cached? which codec? -> jobs of package encode
//	          -> Emit, when the jobs are done: message in the connection's
//	             batch; pixels and compressed data are referenced, not copied
//
// What a message refers to, drawables, pixel buffers and results, stays alive
// in the client's State until the batch has been sent.
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
	encoder *encode.Encoder
	box     regions.Region // scratch
	rects   []regions.Rect // scratch
}

// New returns a marshaller for the scene.
func New(scene *components.Scene, rel *release.Releaser, encoder *encode.Encoder) *Marshaller {
	return &Marshaller{scene: scene, rel: rel, encoder: encoder}
}

// State is what one client's connection needs from message to message.
type State struct {
	encode.Client
	Reports bool                                // the client tells how streams do
	Video   [components.MaxStreams]encode.Video // encoders of streams that are no MJPEG
	Frames  []FrameSize                         // that were written, for the caller to look at and empty

	palettes palettes
	lossy    lossy
	videos   *videos // nil while there never was one

	plan     []planned
	forms    []encode.Form
	evicted  []uint64
	waits    []encode.Wait
	pixelCmd []*qxl.Drawable // commands that carry pixel buffers, recycled
	commands int             // of these in use

	images  []qxl.Image // wire forms of the message being written
	held    []ecs.Entity
	pixels  []ecs.Handle
	results []ecs.Handle
	clips   []ecs.Handle
}

// command lends a command until the next Emit.
func (st *State) command() *qxl.Drawable {
	if st.commands == len(st.pixelCmd) {
		st.pixelCmd = append(st.pixelCmd, new(qxl.Drawable))
	}
	st.commands++
	return st.pixelCmd[st.commands-1]
}

// item writes the messages of one planned item.
func (m *Marshaller) item(w *wire.Writer, st *State, p *planned) {
	item := &p.item
	switch item.Kind {
	case components.ItemDraw, components.ItemImage:
		m.command(w, st, p.cmd, st.forms[p.first:p.first+p.n])
	case components.ItemStreamCreate, components.ItemStreamFrame, components.ItemStreamClip, components.ItemStreamDestroy:
		m.streamMessage(w, st, p)
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
	st.Client.Sent()
	m.release(st)
}

func (m *Marshaller) release(st *State) {
	for _, e := range st.held {
		m.rel.Unref(e)
	}
	for _, h := range st.pixels {
		m.scene.Pixels.Free(h)
	}
	for _, h := range st.results {
		m.scene.FreeEncoded(h)
	}
	for _, h := range st.clips {
		m.scene.Clips.Free(h)
	}
	st.held, st.pixels, st.results, st.clips = st.held[:0], st.pixels[:0], st.results[:0], st.clips[:0]
}

// Drop releases everything, when the connection has ended.
func (m *Marshaller) Drop(st *State) {
	if st.Pending() {
		// What is still to be compressed must not go into results given up.
		m.encoder.Run()
	}
	for i := range st.forms {
		if f := &st.forms[i]; f.Own {
			st.results = append(st.results, f.Result)
		}
	}
	st.forms, st.plan = st.forms[:0], st.plan[:0]
	m.dropStreams(st)
	m.release(st)
	if st.Caches != nil {
		st.Caches.Leave(st.Channel)
	}
}

// command writes a drawing command with its images in their wire forms.
func (m *Marshaller) command(w *wire.Writer, st *State, cmd *qxl.Drawable, forms []encode.Form) {
	for len(st.images) < len(cmd.Images) {
		st.images = append(st.images, qxl.Image{})
	}
	for i := range cmd.Images {
		dst := &st.images[i]
		m.encoder.Fill(dst, &cmd.Images[i], &forms[i])
		if dst.HasPalette && (dst.Type == qxl.ImageBitmap || dst.Type == qxl.ImageLZPalette) {
			m.palette(w, st, dst)
		}
	}
	w.Draw(cmd, st.images[:len(cmd.Images)])
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
