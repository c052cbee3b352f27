//go:build !race && !invariants

package spiceecs_test

import (
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

// BenchmarkCopiesWithin copies parts of a window of 600x600 over others, 100x100
// pixels at a time, while nobody looks: all that is read has to be kept.
func BenchmarkCopiesWithin(b *testing.B) {
	const side, most = 100, 600 - 100
	rnd := rand.New(rand.NewPCG(1, 1))
	vram, err := guest.NewVRAM(32 << 20)
	noError(b, err)
	asm := guest.NewAssembler(vram)
	c := &conveyor{place: map[qxl.PHYS]int{}, done: make(chan struct{}, 1)}
	for i := range 1 << 14 {
		from := regions.XYWH(rnd.Int32N(most), rnd.Int32N(most), side, side)
		d := fill(regions.XYWH(rnd.Int32N(most), rnd.Int32N(most), side, side), 0)
		d.Type, d.Brush = qxl.DrawCopyBits, qxl.Brush{Image: qxl.NoImage}
		d.SrcArea, d.SrcPos = from, regions.Point{X: from.Left, Y: from.Top}
		cmd, err := asm.Drawable(d)
		noError(b, err)
		c.place[cmd.Data] = i
		c.commands, c.busy = append(c.commands, cmd), append(c.busy, false)
	}
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true})
	noError(b, err)
	defer func() { noError(b, server.Close()) }()
	c.device, err = server.AddDevice(spiceecs.DeviceOptions{Ring: c})
	noError(b, err)
	noError(b, c.device.AddMemSlot(vram.Slot()))
	noError(b, c.device.CreatePrimary(qxl.PrimarySurface{
		Width: 1024, Height: 768, Stride: 4 * 1024, Format: qxl.Surface32xRGB, Memory: make([]byte, 4*1024*768),
	}))
	b.ResetTimer()
	c.run(b, int64(b.N))
}
