package client

import (
	"image/color"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// TestTimed has frames wait for their time by the multimedia clock, which is set
// meanwhile.
func TestTimed(t *testing.T) {
	clock := ecs.NewManualClock(time.Unix(50, 0))
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{display0}}, Options{Clock: clock, Timed: true})
	c, d := srv.Channel(wire.ChannelDisplay, 0), s.Display(0)
	sendSurface(c, 0, 64, 48, qxl.Surface32xRGB, wire.SurfaceFlagPrimary)
	c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(1, wire.VideoMJPEG, nil))
	shows := func(name string, want uint32) {
		t.Helper()
		if got, err := d.Snapshot(); err != nil || uint32(got.Pix[got.PixOffset(10, 10)]) != want&0xff {
			t.Fatalf("%s: the picture is not %#x (%v)", name, want, err)
		}
	}
	white, grey := encodeJPEG(t, 16, 16, solid(color.White)), encodeJPEG(t, 16, 16, solid(color.Gray{0x80}))
	mm := s.MMTime()
	sendFrame(c, 1, mm+100, white)
	sendFrame(c, 1, mm+200, grey)
	sendFrame(c, 1, mm-1, grey)
	c.Sync()
	shows("before its time, and a late one", 0)
	clock.Advance(99 * time.Millisecond)
	shows("1 ms before its time", 0)
	clock.Advance(time.Millisecond)
	shows("at its time", 0xff)

	// Set back by 300 ms, the clock reaches the second frame's time that much later.
	main := srv.Channel(wire.ChannelMain, 0)
	main.Send(wire.MsgMainMultiMediaTime, func(w *wire.Writer) { w.U32(mm - 200) })
	main.Sync()
	clock.Advance(399 * time.Millisecond)
	shows("the clock was set back", 0xff)
	clock.Advance(time.Millisecond)
	shows("400 ms after that", 0x80)

	// With the stream the frames that wait are gone.
	sendFrame(c, 1, s.MMTime()+50, white)
	c.Send(wire.MsgDisplayStreamDestroy, func(w *wire.Writer) { w.U32(1) })
	c.Sync()
	clock.Advance(time.Second)
	shows("the stream has ended", 0x80)
}

// TestLateRow has three late frames in a row reported at once.
func TestLateRow(t *testing.T) {
	c, d := connectDisplay(t, Options{Clock: ecs.NewManualClock(time.Unix(50, 0))})
	c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(2, wire.VideoMJPEG, nil))
	c.Send(wire.MsgDisplayStreamActivateRep, func(w *wire.Writer) {
		for _, v := range [...]uint32{2, 77, 9, 1000} {
			w.U32(v)
		}
	})
	c.Sync()
	mm := d.session.MMTime()
	for _, late := range []uint32{0, 7, 8, 9} {
		sendFrame(c, 2, mm-late, encodeJPEG(t, 16, 16, ramp))
	}
	wantReport(t, c, 2, 77, mm, mm-9, 4, 3, -9)
}
