package glz

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// TestParts encodes the parts of images in any order, with several encoders at a
// time: one after the other they are a stream of the image.
func TestParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dict, w := NewDictionary(60000, 0), NewWindow(1<<30)
	var stock [][]byte
	for range 60 {
		im := randomImage(rng, 30000)
		pixels := variant(rng, im, stock)
		if im.Type == pixel.RGB32 && len(stock) < 10 {
			stock = append(stock, pixels)
		}
		slot, err := reserve(dict, im, testimage.Split(rng, pixels, rng.IntN(4)))
		if err != nil {
			t.Fatal(err)
		}
		strips := 1 + rng.IntN(5)
		parts := make([][]byte, slot.Parts(strips))
		var wg sync.WaitGroup
		for i := range parts {
			wg.Go(func() { parts[i] = new(Encoder).EncodePart([]byte{}, &slot, i, strips) })
		}
		wg.Wait()
		slot.Release()
		got, err := w.Decode(bytes.Join(parts, nil))
		if err != nil || !same(im, got.Pix, pixels) {
			t.Fatalf("%+v in %d strips: %v", im, strips, err)
		}
	}
	if len(dict.running) > 0 {
		t.Errorf("%d encoders still run", len(dict.running))
	}
}

// TestUnsent has a channel refer to what another one sends only when that has
// been sent.
func TestUnsent(t *testing.T) {
	im := pixel.New(pixel.RGB32, 50, 40, true)
	pixels := testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", im)
	dict, enc := NewDictionary(100000, 0), new(Encoder)
	size := func(channel int) int {
		t.Helper()
		slot, err := dict.Reserve(channel, Unlike, im, false)
		if err != nil {
			t.Fatal(err)
		}
		enc.Stage(&slot, [][]byte{pixels}, 0, 1)
		return len(enc.EncodeSlot(nil, &slot))
	}
	const known = 300
	if n := size(0); n < im.Size()/2 {
		t.Errorf("the first image takes %d bytes", n)
	}
	if n := size(0); n > known {
		t.Errorf("the channel's own image is not used: %d bytes", n)
	}
	if n := size(1); n < im.Size()/2 {
		t.Errorf("another channel refers to what has not been sent: %d bytes", n)
	}
	dict.Sent(0, 1)
	if n := size(2); n > known {
		t.Errorf("what has been sent is not used: %d bytes", n)
	}
}

// TestLost ends channels: one that has sent everything is not missed, after
// another one nothing more can be reserved.
func TestLost(t *testing.T) {
	im := pixel.New(pixel.RGB32, 8, 8, true)
	chunks := [][]byte{make([]byte, im.Size())}
	dict, enc := NewDictionary(1000, 0), new(Encoder)
	reserve := func(channel int) error {
		slot, err := dict.Reserve(channel, Unlike, im, false)
		if err == nil {
			enc.Stage(&slot, chunks, 0, 1)
			enc.EncodeSlot(nil, &slot)
		}
		return err
	}
	for _, channel := range []int{0, 1, 0, 1} {
		if err := reserve(channel); err != nil {
			t.Fatal(err)
		}
	}
	dict.Sent(0, 3)
	dict.Leave(0)
	dict.Leave(3) // had none
	if err := reserve(1); err != nil {
		t.Errorf("after a channel that sent everything: %v", err)
	}
	dict.Sent(1, 4)
	dict.Leave(1)
	if err := reserve(2); !errors.Is(err, ErrLost) {
		t.Errorf("after a channel that did not: %v", err)
	}
	for _, channel := range []int{-1, MaxChannels} {
		if err := NewDictionary(1000, 0).leave(channel, im); !errors.Is(err, ErrLost) {
			t.Errorf("channel %d: %v", channel, err)
		}
	}
}

// leave uses a channel there is not.
func (d *Dictionary) leave(channel int, im Image) error {
	d.Sent(channel, 1)
	d.Leave(channel)
	_, err := d.Reserve(channel, Unlike, im, false)
	return err
}
