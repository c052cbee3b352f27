// Command encode measures the engine's encoder, and prints a table in Markdown:
//
//	go run ./bench/encode [-rounds 30] [-only codec]
//
// Each codec compresses a tick of many images of all sizes, one large image of text,
// and one large photo: on one core, on all there are, and with a whole encoder of its
// own on each core, which have nothing in common but the machine. What these reach
// together is the machine's limit, which the gain of the pool is to be judged by.
// Then the tick is compressed for one client and for two with the same capabilities.
// The variants take turns, and of each tick the best time counts: what a shared
// machine does meanwhile hits all alike. MB are of 32-bit pixels. CPU time is that of
// the whole process.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/encode"
)

var (
	rounds = flag.Int("rounds", 30, "measurements of each variant; the best counts")
	only   = flag.String("only", "", "the `codec` to be measured, rather than all")
)

// ways are the codecs, as settings that choose them.
var ways = []struct {
	name   string
	client encode.Client
}{
	{"lz", encode.Client{Compression: encode.LZ}},
	{"lz4", encode.Client{Compression: encode.LZ4, LZ4: true}},
	{"quic", encode.Client{Compression: encode.QUIC}},
	{"jpeg", encode.Client{Compression: encode.QUIC, JPEG: true}},
	{"glz", encode.Client{Compression: encode.GLZ}},
	{"zlib_glz", encode.Client{Compression: encode.GLZ, Zlib: true}},
	{"auto_lz", encode.Client{Compression: encode.AutoLZ}},
	{"auto_glz", encode.Client{Compression: encode.AutoGLZ}},
}

const (
	window = 4 << 20 // pixels, of GLZ
	// variety is how many ticks there are before the first one comes again: so
	// many that its images have left the window.
	variety = 4
)

func main() {
	flag.Parse()
	cores := runtime.NumCPU()
	if cores < 2 {
		fmt.Fprintln(os.Stderr, "encode: there is only one core")
		os.Exit(1)
	}
	sets := []struct {
		name  string
		ticks [variety][]*qxl.Image
	}{{name: "tick"}, {name: "large text"}, {name: "large photo"}}
	for i := range uint64(variety) {
		sets[0].ticks[i] = images(i)
		sets[1].ticks[i] = []*qxl.Image{image(1920, 1080, testimage.Page(1920, 1080, i))}
		sets[2].ticks[i] = []*qxl.Image{image(1920, 1080, testimage.Scene(1920, 1080, i))}
	}
	fmt.Printf("| codec | of | 1 core, MB/s | %d cores | gain | one encoder each | gain | 2 clients' CPU |\n", cores)
	fmt.Println("|---|---|--:|--:|--:|--:|--:|--:|")
	for _, w := range ways {
		if *only != "" && w.name != *only {
			continue
		}
		for i := range sets {
			fmt.Printf("| %s | %s |%s", w.name, sets[i].name, gains(cores, w.client, &sets[i].ticks))
			if i == 0 {
				fmt.Printf(" %.2f", clients(cores, w.client, &sets[i].ticks))
			}
			fmt.Println(" |")
		}
	}
}

// gains are the columns of what more cores bring.
func gains(cores int, c encode.Client, ticks *[variety][]*qxl.Image) string {
	one, all := newBench(1, 1, c, ticks), newBench(cores, 1, c, ticks)
	apart := newBench(cores, 1, c, ticks)
	for range cores {
		apart.peers = append(apart.peers, newBench(1, 1, c, ticks))
	}
	best(one, all, apart)
	defer one.close()
	defer all.close()
	defer apart.close()
	return fmt.Sprintf(" %.0f | %.0f | %.2f | %.0f | %.2f |",
		one.speed(), all.speed(), all.speed()/one.speed(), apart.speed(), apart.speed()/one.speed())
}

// clients is the CPU time that two of them take, in that of one.
func clients(cores int, c encode.Client, ticks *[variety][]*qxl.Image) float64 {
	one, two := newBench(cores, 1, c, ticks), newBench(cores, 2, c, ticks)
	best(one, two)
	defer one.close()
	defer two.close()
	return two.cpu.Seconds() / one.cpu.Seconds()
}

// bench is one variant.
type bench struct {
	cores   int
	pool    *encode.Pool
	scene   *components.Scene
	enc     *encode.Encoder
	clients []*encode.Client
	ticks   *[variety][]*qxl.Image
	draws   []components.Drawable
	forms   []encode.Form
	bytes   int
	peers   []*bench // that do a tick each, at a time, instead of this one

	wall [variety]time.Duration // the best, of each tick
	cpu  time.Duration          // the best, of all ticks together
}

func newBench(cores, clients int, c encode.Client, ticks *[variety][]*qxl.Image) *bench {
	runtime.GOMAXPROCS(cores)
	b := &bench{cores: cores, pool: encode.NewPool(), scene: components.NewScene(1), ticks: ticks, draws: make([]components.Drawable, len(ticks[0]))}
	b.enc = encode.NewEncoder(b.scene, b.pool)
	for range clients {
		c := c
		if c.Compression == encode.GLZ || c.Compression == encode.AutoGLZ {
			c.Dictionary = glz.NewDictionary(window, 0)
		}
		b.clients = append(b.clients, &c)
	}
	for _, images := range ticks {
		for _, im := range images {
			b.bytes += im.Data.Size
		}
	}
	return b
}

func (b *bench) close() {
	b.pool.Close()
	for _, p := range b.peers {
		p.close()
	}
}

// speed is in MB/s.
func (b *bench) speed() float64 {
	return float64(b.bytes*max(1, len(b.peers))) / 1e6 / b.all().Seconds()
}

func (b *bench) all() (sum time.Duration) {
	for _, d := range b.wall {
		sum += d
	}
	return sum
}

// least is how long a measurement takes at least.
const least = 30 * time.Millisecond

// best lets the variants take turns.
func best(variants ...*bench) {
	for round := range *rounds {
		for _, b := range variants {
			runtime.GOMAXPROCS(b.cores)
			n := 1 // times all ticks in a measurement, which must be long for the clock of the CPU
			if round > 0 {
				n += int(least / b.all())
			}
			before := cpuTime()
			for range n {
				for i, images := range b.ticks {
					begin := time.Now()
					b.tick(images)
					if d := time.Since(begin); b.wall[i] == 0 || d < b.wall[i] {
						b.wall[i] = d
					}
				}
			}
			cpu := (cpuTime() - before) / time.Duration(n)
			if round == 0 || cpu < b.cpu {
				b.cpu = cpu
			}
		}
	}
}

// tick compresses images for all clients.
func (b *bench) tick(images []*qxl.Image) {
	if b.peers != nil {
		var done sync.WaitGroup
		for _, p := range b.peers {
			done.Go(func() { p.tick(images) })
		}
		done.Wait()
		return
	}
	b.forms = b.forms[:0]
	for i, im := range images {
		for _, c := range b.clients {
			b.forms = append(b.forms, b.enc.Drawable(c, &b.draws[i], 0, im, true))
		}
	}
	b.enc.Run()
	for i := range b.forms {
		if f := &b.forms[i]; f.Own {
			b.scene.FreeEncoded(f.Result)
		}
	}
	for i := range b.draws {
		b.scene.FreeEncoded(b.draws[i].Encoded)
		b.draws[i] = components.Drawable{}
	}
}

// cpuTime is what the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // there is no reason for it to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// images are those of a busy tick.
func images(seed uint64) (all []*qxl.Image) {
	rng := rand.New(rand.NewPCG(seed, 5))
	for i := range 96 {
		w, h := 32+rng.IntN(300), 16+rng.IntN(200)
		draw, seed := testimage.Page, rng.Uint64()
		if i%2 == 0 {
			draw = testimage.Scene
		}
		all = append(all, image(w, h, draw(w, h, seed)))
	}
	return all
}

func image(w, h int, pix []byte) *qxl.Image {
	im := &qxl.Image{
		Type: qxl.ImageBitmap, Format: qxl.Bitmap32Bit, BitFlags: qxl.BitmapTopDown,
		X: uint32(w), Y: uint32(h), Width: uint32(w), Height: uint32(h), Stride: uint32(4 * w),
	}
	im.Data.Append(pix)
	return im
}
