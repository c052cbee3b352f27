package main

import (
	"fmt"
	"math/bits"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// contents is what a recording holds, in numbers.
type contents struct {
	File     string            `json:"file"`
	Events   uint64            `json:"events"`
	Bytes    int64             `json:"bytes"` // decompressed, up to the last event's start
	Seconds  float64           `json:"seconds"`
	Commands map[string]uint64 `json:"commands"`
	Draws    map[string]uint64 `json:"draws"`
	Effects  map[string]uint64 `json:"effects"`
	Cursors  map[string]uint64 `json:"cursors"`
	Worker   map[string]uint64 `json:"worker"`

	Images     map[string]*imageCount `json:"images"`      // by compression
	Bitmaps    map[string]*imageCount `json:"bitmaps"`     // by format
	ImageSizes [sizeClasses]uint64    `json:"image_sizes"` // class n: up to 4^(n+2) pixels

	Surfaces surfaceCount `json:"surfaces"`
	Rate     rate         `json:"rate"`

	line        timeline
	first, last uint64
	alive       map[uint32]bool
}

// sizeClasses is how many classes of image sizes there are; the last one has
// no upper end.
const sizeClasses = 11

// imageCount counts images. Pixels and Bytes are sums, Bytes as in the guest.
type imageCount struct {
	Count  uint64 `json:"count"`
	Pixels uint64 `json:"pixels"`
	Bytes  uint64 `json:"bytes"`
}

// surfaceCount counts surfaces. Peak is how many off-screen ones there were at
// once; sizes are the distinct ones of primary surfaces.
type surfaceCount struct {
	Created   uint64            `json:"created"`
	Destroyed uint64            `json:"destroyed"`
	Peak      int               `json:"peak"`
	Formats   map[string]uint64 `json:"formats"`
	MaxWidth  uint32            `json:"max_width"`
	MaxHeight uint32            `json:"max_height"`
	Primary   []string          `json:"primary"`
}

// rate is the number of events in equal spans of time.
type rate struct {
	BinSeconds float64  `json:"bin_seconds"`
	Events     []uint64 `json:"events"`
	Peak       float64  `json:"peak_per_second"`
}

func newContents() *contents {
	return &contents{
		Commands: map[string]uint64{}, Draws: map[string]uint64{}, Effects: map[string]uint64{},
		Cursors: map[string]uint64{}, Worker: map[string]uint64{},
		Images: map[string]*imageCount{}, Bitmaps: map[string]*imageCount{},
		Surfaces: surfaceCount{Formats: map[string]uint64{}}, alive: map[uint32]bool{},
	}
}

func (c *contents) add(ev *record.Event) {
	if c.Events == 0 {
		c.first = ev.Timestamp
	}
	c.Events++
	c.last, c.Bytes = max(c.last, ev.Timestamp), ev.Offset
	c.line.add(ev.Timestamp)
	if ev.Kind == record.Worker {
		c.worker(ev)
		return
	}
	c.Commands[nameAt(commandNames, ev.Type)]++
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		c.draw(&ev.Drawable)
	case qxl.CommandCursor:
		c.Cursors[nameAt(cursorNames, ev.Cursor.Action)]++
	case qxl.CommandSurface:
		c.surface(&ev.Surface)
	}
}

func (c *contents) worker(ev *record.Event) {
	t := record.WorkerType(ev.Type)
	c.Worker[t.String()]++
	switch {
	case ev.HasPrimary:
		p := &ev.Primary
		c.addPrimary(fmt.Sprintf("%dx%d %s", p.Width, p.Height, nameOf(surfaceNames, p.Format)))
	case t == record.WorkerDestroySurfaces:
		clear(c.alive)
	}
}

// maxPrimary bounds the sizes of primary surfaces that are listed.
const maxPrimary = 16

func (c *contents) addPrimary(size string) {
	for _, s := range c.Surfaces.Primary {
		if s == size {
			return
		}
	}
	if len(c.Surfaces.Primary) < maxPrimary {
		c.Surfaces.Primary = append(c.Surfaces.Primary, size)
	}
}

func (c *contents) draw(d *qxl.Drawable) {
	c.Draws[nameAt(drawNames, d.Type)]++
	c.Effects[nameAt(effectNames, d.Effect)]++
	for i := range d.Images {
		im := &d.Images[i]
		count(c.Images, nameOf(imageNames, im.Type), im)
		if im.Type == qxl.ImageBitmap {
			count(c.Bitmaps, nameOf(bitmapNames, im.Format), im)
		}
		c.ImageSizes[sizeClass(im.Width, im.Height)]++
	}
}

func count(m map[string]*imageCount, name string, im *qxl.Image) {
	n := m[name]
	if n == nil {
		n = &imageCount{}
		m[name] = n
	}
	n.Count++
	n.Pixels += uint64(im.Width) * uint64(im.Height)
	n.Bytes += uint64(im.Data.Size)
}

// sizeClass is the class of an image's size: class n ends at 4^(n+2) pixels.
func sizeClass(w, h uint32) int {
	pixels := uint64(w) * uint64(h)
	if pixels <= 16 {
		return 0
	}
	return min(sizeClasses-1, (bits.Len64(pixels-1)+1)/2-2)
}

func (c *contents) surface(s *qxl.SurfaceCommand) {
	n := &c.Surfaces
	if s.Action == qxl.SurfaceDestroy {
		n.Destroyed++
		delete(c.alive, s.Surface)
		return
	}
	n.Created++
	n.Formats[nameOf(surfaceNames, s.Format)]++
	n.MaxWidth, n.MaxHeight = max(n.MaxWidth, s.Width), max(n.MaxHeight, s.Height)
	if len(c.alive) < maxAlive {
		c.alive[s.Surface] = true
	}
	n.Peak = max(n.Peak, len(c.alive))
}

// maxAlive bounds the surfaces that are followed; devices have fewer.
const maxAlive = 1 << 16

// finish computes what is known only at the end.
func (c *contents) finish() {
	c.Seconds = float64(c.last-c.first) / 1e9
	c.Rate = rate{
		BinSeconds: float64(c.line.width) / 1e9, Events: c.line.bins[:c.line.used], Peak: c.line.peak(),
	}
}
