// Command table measures the Go codecs beside C ones on the same pictures, and
// prints a table in Markdown: MB of 32-bit pixels per second of CPU time, and Go's
// speed as a multiple of C's.
//
//	cd bench/codecs && go run ./table [-only quic,lz] [-rounds 60]
//
// liblz4 and memcpy are called by way of cgo, in turns with Go. Of QUIC, LZ and
// GLZ there is no library: their C column is the range that the reference's code
// had on such a machine, with other pictures that compress as well as these. The
// best of all rounds counts: what a shared machine does meanwhile hits all alike.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spiceecs/spiceecs/bench/codecs"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

const (
	width, height = 1920, 1080
	glzWindow     = 4 << 20 // pixels
)

var (
	rounds = flag.Int("rounds", 60, "measurements of each; the best counts")
	only   = flag.String("only", "", "codecs to measure, separated by commas; all")
	kinds  = flag.String("pictures", "desktop,photo,noise", "kinds of pictures")
)

var (
	frame  = pixel.New(pixel.RGB32, width, height, true)
	images = quic.New(quic.RGB32, width, height, true)
)

func main() {
	flag.Parse()
	runtime.LockOSThread()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run() error {
	fmt.Println("| | Go | C | Go : C | ratio, Go | C |\n|---|--:|--:|--:|--:|--:|")
	for kind := range strings.SplitSeq(*kinds, ",") {
		pixels := picture(kind)
		for _, codec := range []struct {
			name string
			rows func([]byte) ([]row, func(), error)
		}{
			{"memcpy", copies}, {"quic", quicRows}, {"lz", lzRows}, {"glz", glzRows}, {"lz4", lz4Rows},
		} {
			if *only != "" && !slices.Contains(strings.Split(*only, ","), codec.name) {
				continue
			}
			rows, done, err := codec.rows(pixels)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", codec.name, kind, err)
			}
			err = measure(codec.name, kind, rows)
			done()
			if err != nil {
				return fmt.Errorf("%s, %s: %w", codec.name, kind, err)
			}
		}
	}
	return nil
}

func picture(kind string) []byte {
	switch kind {
	case "desktop":
		return testimage.Desktop(width, height, 1)
	case "photo":
		return testimage.Photo(width, height, 1)
	}
	return testimage.Bytes(rand.New(rand.NewPCG(1, 1)), kind, frame)
}

// row is something that is done to a picture, in Go and, or, in C. Functions
// return the length of the compressed side.
type row struct {
	name   string
	goDo   func() (int, error)
	cDo    func() (int, error)
	before func() // each time, unmeasured; may be nil
}

// measure lets all rows of a codec, and both sides of each, take turns, and
// prints them.
func measure(codec, kind string, rows []row) error {
	ours, theirs := make([]side, len(rows)), make([]side, len(rows))
	for range *rounds {
		for i, r := range rows {
			if r.before != nil {
				r.before()
			}
			if err := ours[i].measure(r.goDo); err != nil {
				return err
			}
			if r.cDo == nil {
				continue
			}
			if err := theirs[i].measure(r.cDo); err != nil {
				return err
			}
		}
	}
	for i, r := range rows {
		name := strings.Join(strings.Fields(codec+" "+kind+" "+r.name), " ")
		if r.cDo != nil {
			fmt.Printf("| %s | %.0f | %.0f | %.2f | %.2f | %.2f |\n", name,
				ours[i].speed(), theirs[i].speed(), ours[i].speed()/theirs[i].speed(), ours[i].ratio(), theirs[i].ratio())
		} else if c, ok := known[name]; ok {
			fmt.Printf("| %s | %.0f | %d-%d | %.2f-%.2f | %.2f | %s |\n", name,
				ours[i].speed(), c.low, c.high, ours[i].speed()/float64(c.high), ours[i].speed()/float64(c.low), ours[i].ratio(), c.ratio)
		} else {
			fmt.Printf("| %s | %.0f | | | %.2f | |\n", name, ours[i].speed(), ours[i].ratio())
		}
	}
	return nil
}

// side is the best measurement of one side of a row.
type side struct {
	best time.Duration
	size int
}

func (s *side) measure(do func() (int, error)) error {
	start := codecs.CPUTime()
	size, err := do()
	d := codecs.CPUTime() - start
	if s.best == 0 || d < s.best {
		s.best = d
	}
	s.size = size
	return err
}

// speed is in MB/s.
func (s *side) speed() float64 { return float64(frame.Size()) / 1e6 / s.best.Seconds() }

func (s *side) ratio() float64 { return float64(frame.Size()) / float64(s.size) }
