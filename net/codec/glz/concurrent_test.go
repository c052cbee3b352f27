package glz

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// sent is a stream on its way, with what it should decode to.
type sent struct {
	im     Image
	pixels []byte
	stream []byte
}

// channel encodes images of its own and of the common stock until it made n.
func channel(seed uint64, dict *Dictionary, stock [][]byte, n int) ([]sent, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	enc := new(Encoder)
	var out []sent
	for len(out) < n {
		im := randomImage(rng, dict.Window())
		pixels := variant(rng, im, stock)
		stream, _, err := enc.Encode(nil, dict, im, [][]byte{pixels})
		if errors.Is(err, ErrBusy) || errors.Is(err, ErrTooLarge) {
			continue // such an image goes as LZ
		}
		if err != nil {
			return nil, err
		}
		out = append(out, sent{im, pixels, stream})
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
	var wg sync.WaitGroup
	for i := range channels {
		wg.Go(func() {
			var err error
			if queues[i], err = channel(seed+uint64(i), dict, stock, images); err != nil {
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

// TestConcurrentWindow decodes the channels' streams concurrently.
func TestConcurrentWindow(t *testing.T) {
	dict := NewDictionary(20000, 0)
	w := NewWindow(1 << 30)
	arrived := sync.NewCond(new(sync.Mutex))
	count := 0
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			queue, err := channel(uint64(i), dict, nil, 100)
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
