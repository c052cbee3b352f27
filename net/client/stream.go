package client

import (
	"fmt"
	"time"

	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Constants of video streams.
const (
	codecMJPEG    = 1
	streamTopDown = 1 << 0
	noAudio       = 0xffffffff // audio delay of a report without audio
)

// stream is a video that replaces draws to an area of a surface.
type stream struct {
	surface       uint32
	topDown       bool
	width, height uint32 // of a frame
	dest          regions.Rect
	clip          qxl.Clip
	decoder       *jpeg.Decoder // remembers the tables that later frames leave out
	report        report
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
}

func (d *Display) streamMessage(msg uint16, r *wire.Reader) error {
	switch msg {
	case wire.MsgDisplayStreamCreate:
		return d.createStream(r)
	case wire.MsgDisplayStreamDestroyAll:
		clear(d.streams)
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
		r.Clip(&s.clip)
		err = r.Err()
	case wire.MsgDisplayStreamDestroy:
		delete(d.streams, id)
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
	s := &stream{surface: r.U32(), decoder: jpeg.NewPureDecoder()}
	id, flags, codec := r.U32(), r.U8(), r.U8()
	r.U64()
	r.U32()
	r.U32()
	s.width, s.height = r.U32(), r.U32()
	s.dest = r.Rect()
	r.Clip(&s.clip)
	s.topDown = flags&streamTopDown != 0
	switch {
	case r.Err() != nil:
		return r.Err()
	case id >= maxStreams || d.streams[id] != nil:
		return fmt.Errorf("id %d is not free: %w", id, ErrStream)
	case codec != codecMJPEG:
		return fmt.Errorf("video codec %d was not announced: %w", codec, ErrStream)
	}
	d.streams[id] = s
	return nil
}

// frame is one picture of a stream, as its message says.
type frame struct {
	at            uint32 // multimedia time, ms
	width, height uint32 // the part of the picture that is shown
	dest          regions.Rect
	data          []byte
}

// frame shows a frame at once. The time it should be shown at matters only for
// the report to the server.
func (d *Display) frame(id uint32, s *stream, f frame) error {
	pic, err := jpegPicture(f.data, d.session.opts.Limits.Image, true)
	if err != nil {
		return err
	}
	dr := &d.drawable
	dr.Reset()
	dr.Type, dr.Surface, dr.BBox, dr.Rop, dr.Scale = qxl.DrawCopy, s.surface, f.dest, qxl.RopPut, qxl.ScaleNearest
	dr.Clip.Type = s.clip.Type
	dr.Clip.Rects = append(dr.Clip.Rects, s.clip.Rects...)
	dr.SrcArea = regions.Rect{Right: int32(min(uint32(pic.Width), f.width)), Bottom: int32(min(uint32(pic.Height), f.height))}
	if dr.SrcArea.Empty() || f.dest.Empty() {
		return fmt.Errorf("frame of %dx%d to %v: %w", f.width, f.height, f.dest, ErrStream)
	}
	im := &d.pending
	*im = pending{}
	im.Image, dr.Src = dr.NewImage()
	im.Width, im.Height = uint32(pic.Width), uint32(pic.Height)
	pix := d.buffer(im, pic.Size())
	if err := s.decoder.Decode(pix, pic, f.data); err != nil {
		return err
	}
	im.bitmap(qxl.Bitmap32Bit, s.topDown, pic.Stride, pix)
	if err := d.paint(dr); err != nil {
		return err
	}
	return d.reportFrame(id, &s.report, f.at)
}

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
	if delay < 0 {
		rep.late++
	}
	if rep.frames < rep.window && now.Sub(rep.began) < rep.timeout {
		return nil
	}
	frames := rep.frames
	rep.frames = 0
	return d.send(wire.MsgcDisplayStreamReport, func(w *wire.Writer) {
		for _, v := range [...]uint32{id, rep.unique, rep.first, at, frames, rep.late, uint32(delay), noAudio} {
			w.U32(v)
		}
	})
}
