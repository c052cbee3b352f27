package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/gst"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/stream"
)

// Bit rates of encoders that have one.
const (
	bestBits  = 0.75 // for each pixel of a frame: more is not seen
	leastBits = 0.03 // below, there are fewer frames
	leastRate = 64 << 10
	leastFPS  = 2
	rateStep  = 1.15 // changes by less are not worth it
)

// VideoCodecs changes which video codecs may be used, as a request.
func VideoCodecs(cs stream.Codecs) Request {
	return func(w *Worker) error {
		w.setVideoCodecs(cs)
		w.endStreams()
		return nil
	}
}

func (w *Worker) setVideoCodecs(cs stream.Codecs) {
	if len(cs) == 0 {
		cs, _ = stream.ParseCodecs(stream.DefaultCodecs) // it is valid
	}
	w.cfg.VideoCodecs, w.missing = cs, 0
	if cs[0].GStreamer {
		go func() {
			if err := gst.Load(); err != nil {
				w.log.Warn("video codecs not used", "err", err)
			}
		}()
	}
}

// preferVideo takes the video codecs that a client prefers. Its streams begin anew.
func (c *client) preferVideo(r *wire.Reader) error {
	list := r.Bytes(int(r.U8()))
	if r.Err() != nil || len(list) == 0 {
		return r.Err()
	}
	c.prefers = append(c.prefers[:0], list...)
	go gst.Load()
	for s := range c.w.streams.All {
		c.endStream(s.ID)
	}
	return nil
}

// plays reports whether the client is sent a stream as such.
func (c *client) plays(id uint8) bool {
	if a := c.agents[id]; a != nil && a.refused {
		return false
	}
	if stream.Decodes(c.caps, wire.VideoMJPEG) {
		return true // that is there if nothing else is, listed or not
	}
	for _, codec := range c.w.cfg.VideoCodecs {
		if stream.Decodes(c.caps, codec.Video) && c.usable(codec.Video) {
			return true
		}
	}
	return false
}

// usable reports whether GStreamer encodes a codec for the client.
func (c *client) usable(video uint8) bool {
	bit := uint8(1) << video
	format := c.w.Scene.Surface(0).Format
	return c.w.missing&bit == 0 && c.broken&bit == 0 && gst.Loaded() &&
		(format == qxl.Surface32xRGB || format == qxl.Surface32ARGB)
}

// openVideo starts the encoder of a stream's frames of an area and returns its codec: the first of the
// list that the client decodes and that can be used, or else MJPEG; 0: there is none.
func (c *client) openVideo(s *components.Stream, area regions.Rect) (video uint8) {
	for _, codec := range c.w.cfg.VideoCodecs.Prefer(c.prefers) {
		switch {
		case !stream.Decodes(c.caps, codec.Video):
		case codec.Video == wire.VideoMJPEG:
			return codec.Video
		case c.usable(codec.Video):
			e, err := gst.NewEncoder(gst.Codec(codec.Video), gst.Format{
				Width: int(area.Width()), Height: int(area.Height()), FPS: int(s.Rate + .5), BitRate: c.bitRate(s),
			})
			if err == nil {
				c.state.Video[s.ID] = e
				return codec.Video
			}
			c.w.missing |= 1 << codec.Video
			c.w.log.Warn("video codec not used", "err", err)
		}
	}
	if stream.Decodes(c.caps, wire.VideoMJPEG) {
		return wire.VideoMJPEG
	}
	return 0
}

// bitRate is the bits a second that a stream's encoder is to produce.
func (c *client) bitRate(s *components.Stream) int {
	bits := bestBits * float64(s.Area.Area()) * float64(s.Rate)
	if b := c.bandwidth(s); b > 0 {
		bits = min(bits, 8*b)
	}
	return int(max(bits, leastRate))
}

// pace decides how the next frame of a stream is encoded, and returns how long it
// has to wait.
func (c *client) pace(now time.Time, s *components.Stream, a *agent) time.Duration {
	bandwidth := c.bandwidth(s)
	e, ok := c.state.Video[s.ID].(*gst.Encoder)
	if !ok {
		return a.rate.Plan(now, bandwidth, s.Rate)
	}
	bits, is := c.bitRate(s), e.Format().BitRate
	if float64(bits) > rateStep*float64(is) || float64(is) > rateStep*float64(bits) {
		e.SetBitRate(bits)
	}
	fps := float64(s.Rate)
	if bandwidth > 0 {
		fps = min(fps, max(8*bandwidth/(leastBits*float64(s.Area.Area())), leastFPS))
	}
	return a.rate.Pace(now, fps, s.Rate)
}

// failed deals with a frame that could not be encoded: another codec takes over.
func (c *client) failed(id uint8) {
	if a := c.agents[id]; a != nil && a.on && c.state.Video[id] != nil {
		c.w.log.Warn("video encoder fails", "client", c.id, "codec", a.video)
		c.broken |= 1 << a.video
		c.endStream(id)
	}
}

func (c *client) closeVideo(id uint8) {
	if e, ok := c.state.Video[id].(*gst.Encoder); ok {
		e.Close()
	}
	c.state.Video[id] = nil
}

func (c *client) closeVideos() {
	for id := range c.state.Video {
		c.closeVideo(uint8(id))
	}
}
