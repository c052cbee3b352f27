package marshal

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// planned is an item that was taken from the pipe and will be marshalled when
// its images have been compressed. Its images' forms are st.forms[first:first+n].
type planned struct {
	item     components.PipeItem
	cmd      *qxl.Drawable // of the item's drawable, or made for its pixels
	first, n int32
	// What the client has to forget for the images it is told to cache, and
	// wait for before: parts of st.evicted and st.waits.
	evicted, waits span
}

type span struct{ from, to int32 }

// MostMessages is how many messages an item may become: itself, one for each
// palette, and two about its images' places in the cache.
const MostMessages = 6

// Pending reports whether items have been planned and not marshalled.
func (st *State) Pending() bool { return len(st.plan) > 0 }

// Held is the drawables that messages planned or being sent refer to, and the
// number of such pixel buffers.
func (st *State) Held() (drawables []ecs.Entity, buffers int) { return st.held, len(st.pixels) }

// Plan takes an item that was popped from the pipe, with what it holds. Its
// images are compressed by the next run of the encoder. It reports false, and
// takes nothing, if the item needs exact pixels that the client has only
// roughly.
func (m *Marshaller) Plan(st *State, item *components.PipeItem) bool {
	p := planned{item: *item, first: int32(len(st.forms))}
	switch item.Kind {
	case components.ItemDraw:
		d := m.scene.Drawables.Get(item.Drawable)
		p.cmd = m.scene.Command(d)
		if st.lossy.conflict(p.cmd) {
			return false
		}
		m.planDrawable(st, &p, d)
		st.held = append(st.held, item.Drawable)
	case components.ItemImage:
		m.planPixels(st, item)
		return true
	case components.ItemStreamCreate, components.ItemStreamClip, components.ItemStreamDestroy:
		m.planStream(st, item)
	case components.ItemSurfaceDestroy:
		delete(st.lossy, item.Surface)
	}
	st.plan = append(st.plan, p)
	return true
}

// planDrawable plans a drawable's images.
func (m *Marshaller) planDrawable(st *State, p *planned, d *components.Drawable) {
	p.evicted.from, p.waits.from = int32(len(st.evicted)), int32(len(st.waits))
	lossySource := false
	for i := range p.cmd.Images {
		im := &p.cmd.Images[i]
		f := encode.Form{}
		mask := int8(i) == p.cmd.Mask.Image && p.cmd.Type != qxl.DrawComposite
		if im.Type != qxl.ImageSurface && !mask {
			f = m.planImage(st, d, i, im, int8(i) == p.cmd.Src && mayBeLossy(p.cmd))
		}
		lossySource = lossySource || f.Lossy && int8(i) == p.cmd.Src
		st.forms = append(st.forms, f)
	}
	p.n = int32(len(p.cmd.Images))
	p.evicted.to, p.waits.to = int32(len(st.evicted)), int32(len(st.waits))
	m.note(st, p.cmd, lossySource)
}

// planImage decides whether the client has an image already, and what form it
// gets if not.
func (m *Marshaller) planImage(st *State, d *components.Drawable, i int, im *qxl.Image, mayLose bool) encode.Form {
	if st.Caches == nil || im.Flags&qxl.ImageCacheMe == 0 {
		return m.form(st, d, i, im, mayLose)
	}
	present := st.Caches.Look(im.ID, st.Channel, !mayLose)
	switch present {
	case encode.Rough, encode.Exact:
		return encode.Form{Type: qxl.ImageFromCache, Lossy: present == encode.Rough, Cache: true, ID: im.ID}
	case encode.ExactNow:
		return encode.Form{Type: qxl.ImageFromCacheLossless, Cache: true, ID: im.ID}
	}
	f := m.form(st, d, i, im, mayLose)
	switch present {
	case encode.Stale:
		f.Flags, f.Cache, f.ID = qxl.ImageCacheReplaceMe, true, im.ID
	case encode.Absent:
		var ok bool
		ok, st.evicted, st.waits = st.Caches.Add(im.ID, pixels(im), f.Lossy, st.Channel, st.evicted, st.waits)
		if ok {
			f.Flags, f.Cache, f.ID = qxl.ImageCacheMe, true, im.ID
		}
	}
	return f
}

// pixels is what an image takes in the client's cache.
func pixels(im *qxl.Image) int64 {
	if im.Type == qxl.ImageBitmap {
		return int64(im.X) * int64(im.Y)
	}
	return int64(im.Width) * int64(im.Height)
}

// form plans an image that has to be sent. What the guest has compressed itself
// goes as it is.
func (m *Marshaller) form(st *State, d *components.Drawable, i int, im *qxl.Image, mayLose bool) encode.Form {
	if im.Type != qxl.ImageBitmap {
		return encode.Form{}
	}
	return m.encoder.Drawable(&st.Client, d, i, im, mayLose)
}

// note keeps account of lossy pixels.
func (m *Marshaller) note(st *State, cmd *qxl.Drawable, lossySource bool) {
	if !lossySource && len(st.lossy) == 0 {
		return
	}
	if st.lossy == nil {
		st.lossy = lossy{}
	}
	if m.box.SetRect(cmd.BBox); cmd.Clip.Type == qxl.ClipRects {
		m.box.SetRects(cmd.Clip.Rects)
		m.box.IntersectRect(cmd.BBox)
	}
	st.lossy.sent(cmd, lossySource, &m.box)
	if cmd.Surface == screen {
		st.keepRough()
	}
}

// Emit writes the messages of everything planned, whose images must have been
// compressed. monitors is called for what only the device knows.
func (m *Marshaller) Emit(w *wire.Writer, st *State, monitors func(*wire.Writer)) {
	for i := range st.plan {
		p := &st.plan[i]
		if p.item.Kind == components.ItemMonitorsConfig {
			monitors(w)
			continue
		}
		m.forget(w, st, p)
		m.item(w, st, p)
		st.used(p, w.Serial)
	}
	clear(st.plan)
	st.plan, st.commands = st.plan[:0], 0
	for i := range st.forms {
		if f := &st.forms[i]; f.Own {
			st.results = append(st.results, f.Result)
		}
	}
	st.forms, st.evicted, st.waits = st.forms[:0], st.evicted[:0], st.waits[:0]
	st.Emitted(w.Serial)
}

// used tells the caches in which message a planned item went.
func (st *State) used(p *planned, serial uint64) {
	for i := range st.forms[p.first : p.first+p.n] {
		if f := &st.forms[int(p.first)+i]; f.Cache {
			st.Caches.Used(f.ID, st.Channel, serial)
		}
	}
}

// forget tells the client which images leave its cache, and which messages of
// other channels, that use them, come first.
func (m *Marshaller) forget(w *wire.Writer, st *State, p *planned) {
	if waits := st.waits[p.waits.from:p.waits.to]; len(waits) > 0 {
		w.Begin(wire.MsgWaitForChannels)
		w.U8(uint8(len(waits)))
		for _, wt := range waits {
			w.U8(uint8(wire.ChannelDisplay))
			w.U8(wt.Channel)
			w.U64(wt.Serial)
		}
		w.End()
	}
	if evicted := st.evicted[p.evicted.from:p.evicted.to]; len(evicted) > 0 {
		w.Begin(wire.MsgDisplayInvalList)
		w.U16(uint16(len(evicted)))
		for _, id := range evicted {
			w.U8(wire.ResourcePixmap)
			w.U64(id)
		}
		w.End()
	}
}
