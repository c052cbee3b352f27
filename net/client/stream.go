package client

import (
	"fmt"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// stream is a video that replaces draws to an area of a surface.
type stream struct {
	surface       uint32
	codec         uint8
	topDown       bool
	width, height uint32 // of a frame
	dest          regions.Rect
	clip          qxl.Clip
	decoder       videoDecoder
	report        report
	play          playlist
}

// clipTo clips a frame.
func (s *stream) clipTo(dr *qxl.Drawable) {
	dr.Clip.Type = s.clip.Type
	dr.Clip.Rects = append(dr.Clip.Rects[:0], s.clip.Rects...)
}

// report is what a server wants to be told about a stream.
type report struct {
	active       bool
	unique       uint32
	window       uint32 // frames
	timeout      time.Duration
	began        time.Time // of the current report
	first        uint32    // multimedia time of its first frame
	frames, late uint32
	row          uint32 // late ones, one after the other
}

func (d *Display) streamMessage(msg uint16, r *wire.Reader) error {
	switch msg {
	case wire.MsgDisplayStreamCreate:
		return d.createStream(r)
	case wire.MsgDisplayStreamDestroyAll:
		d.mu.Lock()
		d.endStreams()
		d.mu.Unlock()
		return nil
	}
	id := r.U32()
	if r.Err() != nil {
		return r.Err()
	}
	s := d.streams[id]
	if s == nil {
		return fmt.Errorf("stream %d is not there: %w", id, ErrStream)
	}
	var err error
	switch msg {
	case wire.MsgDisplayStreamData:
		at := r.U32()
		data := r.Bytes(int(min(uint64(r.U32()), uint64(r.Left())+1)))
		if err = r.Err(); err == nil {
			err = d.frame(id, s, frame{at, s.width, s.height, s.dest, data})
		}
	case wire.MsgDisplayStreamDataSized:
		f := frame{at: r.U32(), width: r.U32(), height: r.U32(), dest: r.Rect()}
		f.data = r.Bytes(int(min(uint64(r.U32()), uint64(r.Left())+1)))
		if err = r.Err(); err == nil {
			err = d.frame(id, s, f)
		}
	case wire.MsgDisplayStreamClip:
		d.mu.Lock()
		r.Clip(&s.clip)
		d.mu.Unlock()
		err = r.Err()
	case wire.MsgDisplayStreamDestroy:
		d.mu.Lock()
		s.end()
		delete(d.streams, id)
		d.mu.Unlock()
	case wire.MsgDisplayStreamActivateRep:
		s.report = report{active: true, unique: r.U32(), window: r.U32(), timeout: time.Duration(r.U32()) * time.Millisecond}
		err = r.Err()
	}
	if err != nil {
		return fmt.Errorf("stream %d: %w", id, err)
	}
	return nil
}

func (d *Display) createStream(r *wire.Reader) error {
	s := &stream{surface: r.U32()}
	id, flags, codec := r.U32(), r.U8(), r.U8()
	r.U64()
	r.U32()
	r.U32()
	s.width, s.height = r.U32(), r.U32()
	s.dest = r.Rect()
	r.Clip(&s.clip)
	s.codec, s.topDown = codec, flags&wire.StreamTopDown != 0
	switch {
	case r.Err() != nil:
		return r.Err()
	case id >= maxStreams || d.streams[id] != nil:
		return fmt.Errorf("id %d is not free: %w", id, ErrStream)
	}
	var err error
	if s.decoder, err = d.newVideoDecoder(codec); err != nil {
		return err
	}
	d.mu.Lock()
	d.streams[id] = s
	d.mu.Unlock()
	return nil
}

// end forgets a stream's frames. The display's mutex is held.
func (s *stream) end() {
	s.play.stop()
	s.decoder.close()
}

// endStreams forgets all streams. The mutex is held.
func (d *Display) endStreams() {
	for _, s := range d.streams {
		s.end()
	}
	clear(d.streams)
}

// Frame is a frame of a video that has been shown.
type Frame struct {
	Stream uint32
	Codec  uint8        // wire.VideoMJPEG and so on
	Time   uint32       // the server's multimedia time at which it should be shown, ms
	Bytes  int          // compressed
	Dest   regions.Rect // on the screen
	Clip   *qxl.Clip    // of the stream; valid until OnFrame returns
}

// frame is one picture of a stream, as its message says.
type frame struct {
	at            uint32 // multimedia time, ms
	width, height uint32 // the part of the picture that is shown
	dest          regions.Rect
	data          []byte
}

// frame shows a frame at once, or at its time with Options.Timed, and reports.
func (d *Display) frame(id uint32, s *stream, f frame) error {
	dr, im := &d.drawable, &d.pending
	timed := d.session.opts.Timed
	if timed {
		dr, im = new(qxl.Drawable), new(pending)
	}
	dr.Reset()
	dr.Type, dr.Surface, dr.BBox, dr.Rop, dr.Scale = qxl.DrawCopy, s.surface, f.dest, qxl.RopPut, qxl.ScaleNearest
	s.clipTo(dr)
	*im = pending{keep: timed}
	im.Image, dr.Src = dr.NewImage()
	if err := s.decoder.decode(d, im, f.data, s.topDown); err != nil {
		return err
	}
	dr.SrcArea = regions.Rect{Right: int32(min(im.Width, f.width)), Bottom: int32(min(im.Height, f.height))}
	if dr.SrcArea.Empty() || f.dest.Empty() {
		return fmt.Errorf("frame of %dx%d to %v: %w", f.width, f.height, f.dest, ErrStream)
	}
	tf := timedFrame{Frame{Stream: id, Codec: s.codec, Time: f.at, Bytes: len(f.data), Dest: f.dest}, dr}
	if timed {
		d.await(s, tf)
	} else {
		if err := d.paint(dr); err != nil {
			return err
		}
		d.shown(tf)
	}
	return d.reportFrame(id, &s.report, f.at)
}

// lateRow is how many late frames in a row are reported at once.
const lateRow = 3

// reportFrame counts a frame, and reports when a window is full or over.
func (d *Display) reportFrame(id uint32, rep *report, at uint32) error {
	if !rep.active {
		return nil
	}
	now := d.session.opts.Clock.Now()
	if rep.frames == 0 {
		rep.began, rep.first, rep.late = now, at, 0
	}
	delay := int32(at - d.session.MMTime())
	rep.frames++
	if rep.row++; delay < 0 {
		rep.late++
	} else {
		rep.row = 0
	}
	if rep.frames < rep.window && rep.row < lateRow && now.Sub(rep.began) < rep.timeout {
		return nil
	}
	frames := rep.frames
	rep.frames, rep.row = 0, 0
	return d.send(wire.MsgcDisplayStreamReport, func(w *wire.Writer) {
		for _, v := range [...]uint32{id, rep.unique, rep.first, at, frames, rep.late, uint32(delay), wire.NoAudio} {
			w.U32(v)
		}
	})
}
