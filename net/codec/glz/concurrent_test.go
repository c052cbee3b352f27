package glz

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// sent is a stream on its way, with what it should decode to.
type sent struct {
	im     Image
	pixels []byte
	stream []byte
}

// channel encodes images of its own and of the common stock until it made n. Others
// do the same, on channel 0 all of them, and stage images in turn.
func channel(seed uint64, dict *Dictionary, turn *sync.Mutex, stock [][]byte, n int) ([]sent, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	enc := new(Encoder)
	var out []sent
	for len(out) < n {
		im := randomImage(rng, dict.Window())
		pixels := variant(rng, im, stock)
		turn.Lock()
		slot, err := reserve(dict, im, [][]byte{pixels})
		turn.Unlock()
		if errors.Is(err, ErrBusy) || errors.Is(err, ErrTooLarge) {
			continue // such an image goes as LZ
		}
		if err != nil {
			return nil, err
		}
		out = append(out, sent{im, pixels, enc.EncodeSlot(nil, &slot)})
	}
	return out, nil
}

// TestChannels lets several channels share a dictionary, and several others
// decode what comes out, each in its own order and at its own pace.
func TestChannels(t *testing.T) {
	const channels, images = 4, 120
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var stock [][]byte
	for range 6 {
		im := pixel.New(pixel.RGB32, 80, 50, true)
		stock = append(stock, variant(rng, im, nil))
	}
	dict := NewDictionary(20000, 0)
	var queues [channels][]sent
	var turn sync.Mutex
	var wg sync.WaitGroup
	for i := range channels {
		wg.Go(func() {
			var err error
			if queues[i], err = channel(seed+uint64(i), dict, &turn, stock, images); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	w := NewWindow(1 << 30)
	missed := 0
	for left := channels * images; left > 0; {
		q := &queues[rng.IntN(channels)]
		if len(*q) == 0 {
			continue
		}
		s := (*q)[0]
		got, err := w.Decode(s.stream)
		if missing := (MissingError{}); errors.As(err, &missing) {
			missed++
			continue // this channel waits
		}
		if err != nil {
			t.Fatal(err)
		}
		if !same(s.im, got.Pix, s.pixels) {
			t.Fatalf("image %d differs", got.ID)
		}
		*q = (*q)[1:]
		left--
	}
	if w.Len() > int(w.images[w.gap-1].HeadDistance)+1 {
		t.Errorf("%d images are left in the window", w.Len())
	}
	t.Logf("%d waits", missed)
}

// TestForeign lets channels that know nothing of each other stage and encode images at
// the same time. Decoded in the order in which they were sent no stream misses any
// other. (With the race detector it fails if anybody reads what another one stages.)
func TestForeign(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dict := NewDictionary(20000, 0)
	var stock [][]byte
	for range 6 {
		stock = append(stock, variant(rand.New(rand.NewPCG(seed, 0)), pixel.New(pixel.RGB32, 80, 50, true), nil))
	}
	var order []sent
	var turn sync.Mutex
	var wg sync.WaitGroup
	for i := range MaxChannels {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i+1)))
			enc := new(Encoder)
			for range 150 {
				im := randomImage(rng, dict.Window())
				pixels := variant(rng, im, stock)
				slot, err := dict.Reserve(i, Unlike, im, false)
				if err != nil {
					continue // such an image goes as LZ
				}
				enc.Stage(&slot, [][]byte{pixels}, 0, 1)
				stream := enc.EncodeSlot(nil, &slot)
				turn.Lock()
				order = append(order, sent{im, pixels, stream})
				dict.Sent(i, slot.ID()+1)
				turn.Unlock()
			}
		})
	}
	wg.Wait()
	w := NewWindow(1 << 30)
	for _, s := range order {
		if got, err := w.Decode(s.stream); err != nil || !same(s.im, got.Pix, s.pixels) {
			t.Fatalf("%+v: %v", s.im, err)
		}
	}
}

// TestHollow has images adopt a stream although they were never staged: what comes
// after them is encoded without them.
func TestHollow(t *testing.T) {
	im := pixel.New(pixel.RGB32, 50, 40, true)
	rng := rand.New(rand.NewPCG(1, 1))
	pixels := [][]byte{testimage.Bytes(rng, "noise", im)}
	first, second := NewDictionary(100000, 0), NewDictionary(100000, 0)
	enc, w := new(Encoder), NewWindow(1<<20)
	decode := func(stream []byte) {
		t.Helper()
		if got, err := w.Decode(stream); err != nil || !same(im, got.Pix, pixels[0]) {
			t.Fatalf("decoding: %v", err)
		}
	}
	slot, err := first.Reserve(0, 7, im, false)
	hollow, err2 := second.Reserve(0, 7, im, true)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	enc.Stage(&slot, pixels, 0, 1)
	stream := enc.EncodeSlot(nil, &slot)
	decode(hollow.Adopt(nil, stream))
	hollow.Release()

	own, err := second.Reserve(0, Unlike, im, false)
	if err != nil {
		t.Fatal(err)
	}
	if !own.Follows([]uint64{7}) {
		t.Error("nothing follows a hollow image")
	}
	enc.Stage(&own, pixels, 0, 1)
	stream = enc.EncodeSlot(nil, &own)
	decode(stream)
	if enc.Back() > 0 || len(stream) < im.Size()/2 {
		t.Errorf("a stream of %d bytes refers to an image that was not staged", len(stream))
	}
}

// TestConcurrentWindow decodes the channels' streams concurrently.
func TestConcurrentWindow(t *testing.T) {
	dict := NewDictionary(20000, 0)
	w := NewWindow(1 << 30)
	arrived := sync.NewCond(new(sync.Mutex))
	count := 0
	var turn sync.Mutex
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			queue, err := channel(uint64(i), dict, &turn, nil, 100)
			if err != nil {
				t.Error(err)
			}
			for _, s := range queue {
				for {
					arrived.L.Lock()
					before := count
					arrived.L.Unlock()
					got, err := w.Decode(s.stream)
					if errors.As(err, &MissingError{}) {
						arrived.L.Lock()
						for count == before {
							arrived.Wait()
						}
						arrived.L.Unlock()
						continue
					}
					if err != nil || !same(s.im, got.Pix, s.pixels) {
						t.Errorf("decoding: %v", err)
					}
					break
				}
				arrived.L.Lock()
				count++
				arrived.L.Unlock()
				arrived.Broadcast()
			}
		})
	}
	wg.Wait()
}
