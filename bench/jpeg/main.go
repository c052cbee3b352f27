// Command jpeg encodes the same pictures with the engines of package jpeg, the
// standard library, and libjpeg-turbo by way of cgo, and prints a table: MB of
// 32-bit pixels per second and, in brackets, how many times smaller the file is:
//
//	cd bench/jpeg && go run . [picture.png ...]
//
// Without arguments the pictures are drawn: a page of text-like strokes and a
// soft, noisy scene. Engines take turns, and the best of many rounds counts, in CPU time of the thread.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/draw"
	stdjpeg "image/jpeg"
	_ "image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spiceecs/spiceecs/net/codec/jpeg"
)

var (
	rounds = flag.Int("rounds", 60, "measurements of each; the best counts")
	lines  = flag.Int("lines", 160, "lines of a picture used: short measurements are seldom interrupted")
)

func main() {
	flag.Parse()
	runtime.LockOSThread()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "jpeg:", err)
		os.Exit(1)
	}
}

func run() error {
	pictures := map[string]*image.RGBA{}
	for _, name := range flag.Args() {
		m, err := load(name)
		if err != nil {
			return err
		}
		pictures[filepath.Base(name)] = m
	}
	if len(pictures) == 0 {
		pictures["text"], pictures["scene"] = text(1920, *lines), scene(1920, *lines)
	}
	fmt.Println("| picture | quality | pure Go | standard library | turbo, loaded at run time | turbo, cgo |")
	fmt.Println("|---|--:|--:|--:|--:|--:|")
	for name, m := range pictures {
		for _, quality := range []int{20, 50, 85} {
			if err := compare(name, m, quality); err != nil {
				return fmt.Errorf("%s, quality %d: %w", name, quality, err)
			}
		}
	}
	return nil
}

// compare prints a line of the table.
func compare(name string, m *image.RGBA, quality int) error {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	im := jpeg.NewImage(jpeg.BGRX, w, h, true)
	pix := bytes.Clone(m.Pix)
	for i := 0; i < len(pix); i += 4 {
		pix[i], pix[i+2] = pix[i+2], pix[i]
	}
	c, err := newCompressor(w, h)
	if err != nil {
		return err
	}
	defer c.close()
	var (
		pure, loaded = jpeg.NewPure(), jpeg.New()
		out          []byte
		std          bytes.Buffer
	)
	if !loaded.Turbo() {
		return fmt.Errorf("libjpeg-turbo cannot be loaded at run time")
	}
	encode := func(e *jpeg.Encoder) func() (int, error) {
		return func() (n int, err error) {
			out, err = e.Encode(out[:0], im, [][]byte{pix}, quality)
			return len(out), err
		}
	}
	engines := []func() (int, error){
		encode(pure),
		func() (int, error) {
			std.Reset()
			err := stdjpeg.Encode(&std, m, &stdjpeg.Options{Quality: quality})
			return std.Len(), err
		},
		encode(loaded),
		func() (int, error) { return c.encode(pix, w, h, quality) },
	}
	best, size := make([]time.Duration, len(engines)), make([]int, len(engines))
	for round := range *rounds {
		// In an order that changes: who comes second finds the picture in the cache.
		for k := range engines {
			i := (k + round) % len(engines)
			if round%2 == 1 {
				i = len(engines) - 1 - i
			}
			start := cpuTime()
			if size[i], err = engines[i](); err != nil {
				return err
			}
			if d := cpuTime() - start; best[i] == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	fmt.Printf("| %s | %d |", name, quality)
	for i := range engines {
		fmt.Printf(" %.0f (%.1f) |", float64(len(pix))/best[i].Seconds()/1e6, float64(len(pix))/float64(size[i]))
	}
	fmt.Println()
	return nil
}

// load reads a picture file and takes its first lines.
func load(name string) (*image.RGBA, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), min(b.Dy(), *lines)))
	draw.Draw(out, out.Rect, m, b.Min, draw.Src)
	return out, nil
}

// text draws lines of short dark strokes on white.
func text(w, h int) *image.RGBA {
	rng := rand.New(rand.NewPCG(1, 1))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for y := 4; y+12 < h; y += 16 {
		for x := 8; x < w*3/4; x += 2 + rng.IntN(6) {
			dark := byte(rng.IntN(128))
			for j := range 4 + rng.IntN(8) {
				copy(m.Pix[m.PixOffset(x, y+j):], []byte{dark, dark, dark})
			}
		}
	}
	return m
}

// scene draws waves of colour with the noise of a camera.
func scene(w, h int) *image.RGBA {
	rng := rand.New(rand.NewPCG(1, 2))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			p := m.Pix[m.PixOffset(x, y):]
			fx, fy := float64(x), float64(y)
			for k, v := range [3]float64{
				math.Sin(fx/37+fy/19) + math.Sin(fx/7-fy/90)/3, math.Sin(fx/53 - fy/31), math.Sin(fx/211 + fy/11),
			} {
				p[k] = byte(min(max(128+70*v+6*rng.NormFloat64(), 0), 255))
			}
			p[3] = 255
		}
	}
	return m
}
