package displaytest

import (
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// TestJoinInPieces has clients join a device with a large screen and a large
// surface beside it, while the guest goes on drawing. They get the surfaces as
// they are, by messages of which none is large, and what is drawn meanwhile in
// between; a client whose line is slow keeps nobody waiting.
func TestJoinInPieces(t *testing.T) {
	for _, compression := range []encode.Compression{encode.Off, encode.LZ, encode.QUIC} {
		t.Run(compression.String(), func(t *testing.T) { joinInPieces(t, compression) })
	}
}

func joinInPieces(t *testing.T, compression encode.Compression) {
	b, err := newBench(map[string]int{})
	if err != nil {
		t.Fatal(err)
	}
	do := func(s Step) {
		t.Helper()
		if err := b.step(&s); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(on int, box Box, color uint32) {
		t.Helper()
		do(Step{Do: DrawOne, Draw: &Draw{Type: qxl.DrawFill, Effect: qxl.EffectOpaque, On: on, Box: box, Rop: qxl.RopPut, Color: color}})
	}
	const slow, fast = 0, 1
	do(Step{Do: Primary, Size: Point{900, 700}, Format: int(qxl.Surface32xRGB), Keep: true, Seed: 3})
	do(Step{Do: Create, Surface: 1, Size: Point{500, 400}, Format: int(qxl.Surface32xRGB), Keep: true, Seed: 6})
	do(Step{Do: Join, Client: slow, Join: &JoinOptions{Compression: compression, Line: true, Buffer: 1, Ack: 3}})
	do(Step{Do: Join, Client: fast, Join: &JoinOptions{Compression: compression}})
	// What is beside the screen is sent when something needs it.
	do(Step{Do: DrawOne, Draw: &Draw{
		Type: qxl.DrawCopy, Effect: qxl.EffectOpaque, Box: Box{10, 10, 60, 60}, Rop: qxl.RopPut,
		Src: &Image{Surface: 1}, SrcArea: Box{0, 0, 50, 50},
	}})
	images := 0
	for _, item := range b.sim.Items(b.clients[slow].slot) {
		if item.Kind == components.ItemImage {
			images++
		}
	}
	if want := 4 * (900*700 + 500*400) / components.MaxPixelBuffer; images < want {
		t.Errorf("%d images wait, want at least %d", images, want)
	}
	for i := range 40 {
		fill(i%2, Box{int32(i), int32(i), 100, 100}, uint32(i)*0x050301)
		do(Step{Do: Send, Client: slow})
		do(Step{Do: Sent, Client: slow, Count: 1000})
		for b.clients[fast].surface(0) == nil || !b.sim.Settled(b.clients[fast].slot) {
			do(Step{Do: Send, Client: fast, Count: 1000})
			do(Step{Do: Sent, Client: fast})
		}
		if i%10 > 0 {
			continue
		}
		if err := b.check(); err != nil {
			t.Fatalf("while joining, %d: %v", i, err)
		}
	}
	if b.sim.Settled(b.clients[slow].slot) {
		t.Error("the slow client has got everything already")
	}
	do(Step{Do: Settle})
	for n, v := range b.clients {
		if most := components.MaxPixelBuffer + 4<<10; v.largest > most {
			t.Errorf("client %d got a message of %d bytes, want at most %d", n, v.largest, most)
		}
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
}
