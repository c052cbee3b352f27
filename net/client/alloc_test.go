//go:build !race

package client

import (
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// steadyMessages are what a busy display gets, over and over.
func steadyMessages(t testing.TB) map[string][]byte {
	pix := gradient(16, 8)
	clipped := fill(regions.XYWH(1, 1, 30, 20), 5)
	clipped.Clip = qxl.Clip{Type: qxl.ClipRects, Rects: []regions.Rect{regions.XYWH(0, 0, 5, 5), regions.XYWH(7, 7, 5, 5)}}
	move := drawable(qxl.DrawCopyBits, regions.XYWH(0, 0, 20, 20))
	move.SrcPos = regions.Point{X: 3, Y: 4}
	return map[string][]byte{
		"fill":   drawBody(clipped),
		"move":   drawBody(move),
		"bitmap": drawBody(copyImage(bitmap(1, 16, 8, pix), 2, 2)),
		"LZ":     drawBody(copyImage(compressed(qxl.ImageLZRGB, 1, 16, 8, encodeLZ(t, pixel.New(pixel.RGB32, 16, 8, true), pix)), 2, 2)),
		"cached": drawBody(copyImage(qxl.Image{ID: 7, Type: qxl.ImageFromCache, Width: 8, Height: 1}, 0, 0)),
	}
}

var steadyTypes = map[string]uint16{
	"fill": wire.MsgDisplayDrawFill, "move": wire.MsgDisplayCopyBits, "bitmap": wire.MsgDisplayDrawCopy,
	"LZ": wire.MsgDisplayDrawCopy, "cached": wire.MsgDisplayDrawCopy,
}

// steadyDisplay is a display that is set up as for FuzzDisplay.
func steadyDisplay() *conn {
	_, c := offline(fuzzSetup(), channelKey{typ: wire.ChannelDisplay})
	_ = c.run()
	return c
}

// TestSteadyStateAllocatesNothing handles messages again and again.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for name, body := range steadyMessages(t) {
		c := steadyDisplay()
		handle := func() {
			if err := c.step(steadyTypes[name], 0, body); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(200, handle); n > 0 {
			t.Errorf("%s: %v allocations a message", name, n)
		}
	}
}

func BenchmarkDisplay(b *testing.B) {
	for name, body := range steadyMessages(b) {
		b.Run(name, func(b *testing.B) {
			c := steadyDisplay()
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if err := c.step(steadyTypes[name], 0, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
