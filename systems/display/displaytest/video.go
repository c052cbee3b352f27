package displaytest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// What a client shows of a video is not certain: frames lose quality, and are shown
// when their time has come. Wherever a stream's clip lets it, a program's clients
// show what is not known, after each message (see views). So nothing but what is
// sent exactly afterwards makes them show what is right.

// videos are a client's streams: their clips, by id.
type videos map[uint32]*regions.Region

func (v videos) clone() videos {
	c := videos{}
	for id, clip := range v {
		c[id] = new(regions.Region)
		c[id].Copy(clip)
	}
	return c
}

// shown is where videos show.
func (v videos) shown() *regions.Region {
	all := new(regions.Region)
	for _, clip := range v {
		all.Union(clip)
	}
	return all
}

// streamMessage obeys a message about streams.
func (c *client) streamMessage(msg uint16, r *wire.Reader) error {
	if msg == wire.MsgDisplayStreamCreate {
		return c.createStream(r)
	}
	id := r.U32()
	clip := c.videos[id]
	if clip == nil {
		return fmt.Errorf("there is no stream %d", id)
	}
	switch msg {
	case wire.MsgDisplayStreamData:
		r.U32()
		return c.frame(r)
	case wire.MsgDisplayStreamDataSized:
		r.U32()
		w, h, dest := r.U32(), r.U32(), r.Rect()
		if int64(w) != int64(dest.Width()) || int64(h) != int64(dest.Height()) {
			return fmt.Errorf("frame of %dx%d for %v", w, h, dest)
		}
		c.reached["sized frame"]++
		return c.frame(r)
	case wire.MsgDisplayStreamClip:
		return read(r, clip)
	case wire.MsgDisplayStreamDestroy:
		delete(c.videos, id)
		return nil
	case wire.MsgDisplayStreamActivateRep:
		_, _, _ = r.U32(), r.U32(), r.U32()
		return nil
	}
	return errors.New("not expected")
}

func (c *client) createStream(r *wire.Reader) error {
	surface, id, flags, codec := r.U32(), r.U32(), r.U8(), r.U8()
	r.U64()
	w, h := r.U32(), r.U32()
	r.U32()
	r.U32()
	dest := r.Rect()
	if surface != 0 || c.videos[id] != nil || flags != wire.StreamTopDown || codec != wire.VideoMJPEG ||
		int64(w) != int64(dest.Width()) || int64(h) != int64(dest.Height()) {
		return fmt.Errorf("stream %d on surface %d, flags %d, codec %d, %dx%d for %v", id, surface, flags, codec, w, h, dest)
	}
	c.videos[id] = new(regions.Region)
	return read(r, c.videos[id])
}

func (c *client) frame(r *wire.Reader) error {
	data := r.Bytes(int(r.U32()))
	if len(data) < 2 || data[0] != 0xff || data[1] != 0xd8 {
		return errors.New("frame is no JPEG")
	}
	c.reached[quality(data)]++
	return nil
}

// quality names how good a JPEG file is by its first quantization table, of which the
// first number is 16 at 50 of 100.
func quality(file []byte) string {
	const best, worst = 6, 40 // at 80 and 20
	table := bytes.Index(file, []byte{0xff, 0xdb})
	switch first := file[table+5]; {
	case first <= best:
		return "frame of the best quality"
	case first < worst:
		return "frame of less quality"
	}
	return "frame of the worst quality"
}

func read(r *wire.Reader, clip *regions.Region) error {
	var c qxl.Clip
	r.Clip(&c)
	if c.Type != qxl.ClipRects {
		return fmt.Errorf("clip of type %d", c.Type)
	}
	clip.SetRects(c.Rects)
	return nil
}

// film draws a picture again and again, each time with other pixels.
func (b *bench) film(s *Step) error {
	for n := range s.Count {
		d := *s.Draw
		src := *d.Src
		src.Seed += n
		d.Src = &src
		if err := b.guest.queue(b, &Step{Do: DrawOne, Draw: &d}); err != nil {
			return err
		}
		b.sim.Tick(1 << 10)
		if s.Every > 0 {
			if err := b.advance(s.Every); err != nil {
				return err
			}
		}
	}
	return b.guest.err
}
