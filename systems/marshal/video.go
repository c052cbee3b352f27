package marshal

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// A client shows the frames of a stream when their time has come, and only
// inside the stream's clip. Until a message has taken an area out of the clip,
// nothing is certain about its pixels: they count as lossy, and so they do
// afterwards, until something exact has been drawn over them.

// screen is the surface that shows videos.
const screen = 0

// How often a client is to tell how a stream does: after so many frames, or
// milliseconds.
const (
	reportFrames  = 5
	reportTimeout = 1000
)

// videos is what a client has been told of streams by the messages planned so far.
type videos struct {
	clips  [components.MaxStreams]ecs.Handle // Scene.Clips; 0: there is no such stream
	stamps [components.MaxStreams]uint32     // of the messages that began them
	all    regions.Region                    // of all clips
}

// FrameSize tells how large a frame of a stream got; 0: there is none.
type FrameSize struct {
	Stream uint8
	Bytes  int
}

// Shown is the clip of a stream at the client, nil if it has no such stream. One that
// was begun with another stamp is another stream, with the same id.
func (m *Marshaller) Shown(st *State, id uint8, stamp uint32) *regions.Region {
	if st.videos == nil || st.videos.clips[id] == 0 || st.videos.stamps[id] != stamp {
		return nil
	}
	return m.scene.Clips.Get(st.videos.clips[id])
}

// planStream plans the beginning or end of a stream, or a new clip, which becomes
// the state's.
func (m *Marshaller) planStream(st *State, item *components.PipeItem) {
	if st.videos == nil {
		st.videos = new(videos)
	}
	v := st.videos
	if old := v.clips[item.Stream]; old != 0 {
		st.clips = append(st.clips, old) // the message with it may not be written yet
	}
	v.clips[item.Stream] = item.Clip
	if item.Kind == components.ItemStreamCreate {
		v.stamps[item.Stream] = item.Stamp
	}
	v.all.Clear()
	for _, h := range v.clips {
		if h != 0 {
			v.all.Union(m.scene.Clips.Get(h))
		}
	}
	st.keepRough()
}

// keepRough sees to it that what videos cover counts as lossy.
func (st *State) keepRough() {
	if st.videos == nil || st.videos.all.Empty() {
		return
	}
	if st.lossy == nil {
		st.lossy = lossy{}
	}
	st.lossy.add(screen, &st.videos.all)
}

// dropStreams gives up what is known of the client's streams.
func (m *Marshaller) dropStreams(st *State) {
	if st.videos == nil {
		return
	}
	for _, h := range st.videos.clips {
		if h != 0 {
			st.clips = append(st.clips, h)
		}
	}
	st.videos = nil
}

// PlanFrame plans a picture of a stream, with what it holds. It returns the result,
// which may be shared: same is one of the same picture in the same quality, whose
// pixels the item lacks; 0: there is none.
func (m *Marshaller) PlanFrame(st *State, item *components.PipeItem, same ecs.Handle) (result ecs.Handle) {
	p := planned{item: *item, first: int32(len(st.forms)), n: 1}
	var form encode.Form
	if same != 0 {
		form = m.encoder.Share(same)
	} else {
		p.cmd = st.command()
		m.pixelCommand(p.cmd, item)
		form = m.encoder.Frame(&p.cmd.Images[0], int(item.Quality), st.Video[item.Stream])
		st.pixels = append(st.pixels, item.Pixels)
	}
	st.forms, st.plan = append(st.forms, form), append(st.plan, p)
	return form.Result
}

// streamMessage writes the messages about a stream.
func (m *Marshaller) streamMessage(w *wire.Writer, st *State, p *planned) {
	item := &p.item
	switch item.Kind {
	case components.ItemStreamCreate:
		m.streamCreate(w, st, item)
	case components.ItemStreamFrame:
		m.streamFrame(w, st, p)
	case components.ItemStreamClip:
		w.Begin(wire.MsgDisplayStreamClip)
		w.U32(uint32(item.Stream))
		m.clip(w, item.Clip)
		w.End()
	case components.ItemStreamDestroy:
		w.Begin(wire.MsgDisplayStreamDestroy)
		w.U32(uint32(item.Stream))
		w.End()
	}
}

func (m *Marshaller) streamCreate(w *wire.Writer, st *State, item *components.PipeItem) {
	w.Begin(wire.MsgDisplayStreamCreate)
	w.U32(screen)
	w.U32(uint32(item.Stream))
	w.U8(wire.StreamTopDown)
	w.U8(uint8(item.Format))
	w.U64(0)
	for range 2 { // of the stream, and of its source
		w.U32(uint32(item.Area.Width()))
		w.U32(uint32(item.Area.Height()))
	}
	w.Rect(item.Area)
	m.clip(w, item.Clip)
	w.End()
	if st.Reports {
		w.Begin(wire.MsgDisplayStreamActivateRep)
		w.U32(uint32(item.Stream))
		w.U32(item.Stamp)
		w.U32(reportFrames)
		w.U32(reportTimeout)
		w.End()
	}
}

// streamFrame writes a frame, or nothing if it could not be compressed.
func (m *Marshaller) streamFrame(w *wire.Writer, st *State, p *planned) {
	item, data := &p.item, m.encoder.Data(&st.forms[p.first])
	st.Frames = append(st.Frames, FrameSize{item.Stream, len(data)})
	if data == nil {
		return
	}
	if item.Sized {
		w.Begin(wire.MsgDisplayStreamDataSized)
	} else {
		w.Begin(wire.MsgDisplayStreamData)
	}
	w.U32(uint32(item.Stream))
	w.U32(item.Stamp)
	if item.Sized {
		w.U32(uint32(item.Area.Width()))
		w.U32(uint32(item.Area.Height()))
		w.Rect(item.Area)
	}
	w.U32(uint32(len(data)))
	w.Ref(data)
	w.End()
}

// clip writes a region; one of no pixels is a list of no rectangles.
func (m *Marshaller) clip(w *wire.Writer, h ecs.Handle) {
	m.rects = m.scene.Clips.Get(h).AppendRects(m.rects[:0])
	w.Clip(&qxl.Clip{Type: qxl.ClipRects, Rects: m.rects})
}

// Rough returns part of a surface that the client has only roughly and that no
// video covers: of the screen, if there is some.
func (st *State) Rough() (surface uint32, area regions.Rect, ok bool) {
	for id := range st.lossy {
		if r, rough := st.roughOn(id); rough && (!ok || id < surface) {
			surface, area, ok = id, r, true
		}
	}
	return surface, area, ok
}

func (st *State) roughOn(id uint32) (area regions.Rect, ok bool) {
	var rest regions.Region
	l := st.lossy[id]
	if id == screen && st.videos != nil && l.Overlaps(&st.videos.all) {
		rest.SetDifference(l, &st.videos.all)
		l = &rest
	}
	for r := range l.Rects {
		return r, true
	}
	return area, false
}
