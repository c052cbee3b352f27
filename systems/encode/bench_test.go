package encode

import (
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
	"github.com/spiceecs/spiceecs/qxl"
)

var pictures = []struct {
	name string
	draw func(w, h int, seed uint64) []byte
}{{"desktop", testimage.Page}, {"photo", testimage.Scene}}

// ways are the codecs, as settings that choose them.
var ways = []struct {
	name   string
	client Client
}{
	{"lz", Client{Compression: LZ}}, {"lz4", Client{Compression: LZ4, LZ4: true}}, {"quic", Client{Compression: QUIC}},
	{"jpeg", Client{Compression: QUIC, JPEG: true}}, {"glz", Client{Compression: GLZ}}, {"zlib_glz", Client{Compression: GLZ, Zlib: true}},
}

// tick compresses images of one tick for a number of clients, and gives the
// results back.
func (r *rig) tick(clients []*Client, ds []components.Drawable, images []*qxl.Image) (size int) {
	var forms [256]Form
	n := 0
	for i, im := range images {
		for _, c := range clients {
			forms[n] = r.enc.Drawable(c, &ds[i], 0, im, true)
			n++
		}
	}
	r.enc.Run()
	for i := range forms[:n] {
		size += len(r.scene.Encoded.Get(forms[i].Result).Data)
		if forms[i].Own {
			r.scene.FreeEncoded(forms[i].Result)
		}
	}
	for i := range ds {
		r.scene.FreeEncoded(ds[i].Encoded)
		ds[i].Encoded = 0
	}
	return size
}

// clientsFor makes n clients with settings alike.
func clientsFor(tb testing.TB, n int, c Client) []*Client {
	var all []*Client
	for range n {
		c := c
		if c.Compression == GLZ {
			c.Dictionary = newRig(tb, nil, GLZ).client.Dictionary
		}
		all = append(all, &c)
	}
	return all
}

func benchTick(b *testing.B, clients int, client Client, images []*qxl.Image) {
	r := newRig(b, newPool(b), Off)
	cs := clientsFor(b, clients, client)
	ds := make([]components.Drawable, len(images))
	raw := 0
	for _, im := range images {
		raw += im.Data.Size
	}
	r.tick(cs, ds, images)
	b.SetBytes(int64(raw))
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = r.tick(cs, ds, images)
	}
	b.ReportMetric(float64(raw*clients)/float64(size), "ratio")
}

// BenchmarkImage is one large image, by codec: with -cpu 1,2 it shows what
// strips are worth.
func BenchmarkImage(b *testing.B) {
	for _, p := range pictures {
		im := bitmap(qxl.Bitmap32Bit, 1920, 1080, 0, qxl.BitmapTopDown, p.draw(1920, 1080, 1))
		for _, w := range ways {
			b.Run(p.name+"/"+w.name, func(b *testing.B) { benchTick(b, 1, w.client, []*qxl.Image{im}) })
		}
	}
}

// scatter is the images of a busy tick: parts of pictures.
func scatter() (images []*qxl.Image) {
	rng := rand.New(rand.NewPCG(1, 5))
	for i := range 48 {
		p := pictures[i%2]
		w, h := 32+rng.IntN(300), 16+rng.IntN(200)
		images = append(images, bitmap(qxl.Bitmap32Bit, uint32(w), uint32(h), 0, qxl.BitmapTopDown, p.draw(w, h, 1)))
	}
	return images
}

// BenchmarkTick is many images, by codec: with -cpu 1,2 it shows how the pool
// scales.
func BenchmarkTick(b *testing.B) {
	images := scatter()
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) { benchTick(b, 1, w.client, images) })
	}
}

// BenchmarkClients is the same tick for one client and for two alike.
func BenchmarkClients(b *testing.B) {
	images := scatter()
	for _, w := range ways[:4] {
		b.Run(w.name+"/1", func(b *testing.B) { benchTick(b, 1, w.client, images) })
		b.Run(w.name+"/2", func(b *testing.B) { benchTick(b, 2, w.client, images) })
	}
	auto := Client{Compression: AutoLZ}
	b.Run("auto_lz/1", func(b *testing.B) { benchTick(b, 1, auto, images) })
	b.Run("auto_lz/2", func(b *testing.B) { benchTick(b, 2, auto, images) })
}

// BenchmarkIdle is a tick in which nothing is compressed.
func BenchmarkIdle(b *testing.B) {
	r := newRig(b, newPool(b), LZ)
	b.ReportAllocs()
	for b.Loop() {
		r.enc.Run()
	}
}

// TestSteadyState holds ticks to no allocation once everything has its size.
func TestSteadyState(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	images := append(scatter()[:12], bitmap(qxl.Bitmap32Bit, 900, 700, 0, 0, testimage.Page(900, 700, 1)))
	noise := make([]byte, 100*100*4)
	fillPixels(rand.New(rand.NewPCG(1, 1)), noise, "noise")
	images = append(images, bitmap(qxl.BitmapRGBA, 100, 100, 0, 0, noise), bitmap(qxl.Bitmap24Bit, 75, 100, 3, 0, noise[:228*100]))
	pool := newPool(t)
	for _, w := range ways {
		r := newRig(t, pool, Off)
		clients, ds := clientsFor(t, 1, w.client), make([]components.Drawable, len(images))
		for range 30 {
			r.tick(clients, ds, images)
		}
		if n := testing.AllocsPerRun(30, func() { r.tick(clients, ds, images) }); n > 0 {
			t.Errorf("%s: %v allocations for %d images", w.name, n, len(images))
		}
	}
}
