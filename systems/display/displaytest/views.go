package displaytest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// What a client shows of a lossy image or of a video is not certain: such pixels
// come only roughly, and frames when their time has come. So what a client is sent
// is executed several times, each time with other pixels in these places:
//
//	message -> an exact image: the same in all views
//	        -> a lossy image, a video: black, white, or noise
//	drawn   -> what depends on these: black, white, or noise again
//
// Where the views agree a pixel depends on nothing lossy, and has to be exact.
// Where they do not the device has to know that the client has it only roughly.

// views are the surfaces of a client, as they would be with each guess at what is
// lossy. As long as nothing is, there is one.
type views struct {
	all   []canvases
	noise uint32
}

// guesses are what lossy pixels are taken for. Black and white find whatever depends
// on them, however little; with noise, twice, nothing cancels out.
const guesses = 4

func newViews() views { return views{all: []canvases{{}}, noise: 1} }

// guess is the next lossy pixel of a view.
func (v *views) guess(view int) uint32 {
	switch view {
	case 0:
		return 0
	case 1:
		return 0xffffffff
	}
	v.noise ^= v.noise << 13
	v.noise ^= v.noise >> 17
	v.noise ^= v.noise << 5
	return v.noise * 2654435761
}

// surface is a surface as one of the views has it; they differ in pixels only.
func (v *views) surface(id uint32) *canvas.Canvas { return v.all[0][id] }

func (v *views) create(id uint32, format qxl.SurfaceFormat, width, height int) {
	for _, cs := range v.all {
		cs[id] = canvas.New(format, width, height)
	}
}

func (v *views) destroy(id uint32) {
	for _, cs := range v.all {
		delete(cs, id)
	}
}

func (v *views) clone() views {
	c := views{noise: v.noise}
	for _, cs := range v.all {
		c.all = append(c.all, cs.clone())
	}
	return c
}

// split makes a view of each guess.
func (v *views) split() {
	for len(v.all) < guesses {
		v.all = append(v.all, v.all[0].clone())
	}
}

// draw executes a command of whose images some, by index, are lossy bitmaps.
func (v *views) draw(d *qxl.Drawable, lossy []int) {
	if len(lossy) > 0 {
		v.split()
	}
	for view, cs := range v.all {
		for _, i := range lossy {
			v.recolour(view, &d.Images[i])
		}
		cs.execute(d, nil)
	}
	v.renew(d.Surface, d.BBox)
}

// renew makes new guesses of what is not certain, so that black and white remain the
// extremes.
func (v *views) renew(id uint32, area regions.Rect) {
	c := v.surface(id)
	if len(v.all) == 1 || c == nil {
		return
	}
	size := 1 // of what is certain or not
	if c.Format().Depth() == 16 {
		size = 2
	}
	area = area.Intersect(c.Bounds())
	for y := area.Top; y < area.Bottom; y++ {
		var lines [guesses][]byte
		for i, cs := range v.all {
			lines[i] = span(cs[id], y, area.Left, area.Right)
		}
		for at := 0; at < len(lines[0]); at += size {
			if agree(lines[:], at, size, allBits) {
				continue
			}
			for i := range lines {
				g := v.guess(i)
				for k := range size {
					lines[i][at+k] = byte(g >> (8 * k))
				}
			}
		}
	}
}

// recolour gives a decoded lossy image other colours. Its alpha is exact.
func (v *views) recolour(view int, im *qxl.Image) {
	pix := im.Data.AppendTo(nil)
	for i := 0; i+4 <= len(pix); i += 4 {
		c := v.guess(view)
		pix[i], pix[i+1], pix[i+2] = byte(c), byte(c>>8), byte(c>>16)
	}
	im.Data = qxl.Blob{}
	im.Data.Append(pix)
}

// show has the screen show what is not known in an area.
func (v *views) show(area *regions.Region) {
	if v.surface(0) == nil || area.Empty() {
		return
	}
	v.split()
	for view, cs := range v.all {
		screen := cs[0]
		size := int32(screen.Format().Depth() / 8)
		for rc := range area.Rects {
			rc = rc.Intersect(screen.Bounds())
			for y := rc.Top; y < rc.Bottom; y++ {
				line := screen.Row(int(y))[size*rc.Left : size*max(rc.Left, rc.Right)]
				for i := 0; i < len(line); i += int(size) {
					c := v.guess(view)
					for k := range line[i : i+int(size)] {
						line[i+k] = byte(c >> (8 * k))
					}
				}
			}
		}
	}
}

// lines calls f with the lines of a surface but for those of an area, from x on, as
// each view has them. It stops at the first error.
func (v *views) lines(id uint32, but *regions.Region, f func(lines [][]byte, x, y int32) error) error {
	var area regions.Region
	area.SetRect(v.surface(id).Bounds())
	if but != nil {
		area.Subtract(but)
	}
	lines := make([][]byte, len(v.all))
	for _, rc := range area.AppendRects(nil) {
		for y := rc.Top; y < rc.Bottom; y++ {
			for i, cs := range v.all {
				lines[i] = span(cs[id], y, rc.Left, rc.Right)
			}
			if err := f(lines, rc.Left, y); err != nil {
				return err
			}
		}
	}
	return nil
}

var errUncertain = errors.New("is not certain, and not known to be so")

// certain checks that the views agree on a surface but for an area.
func (v *views) certain(id uint32, but *regions.Region) error {
	if len(v.all) == 1 || v.surface(id) == nil {
		return nil
	}
	format := v.surface(id).Format()
	size, bits := pixelSize(format), bitsOf[format]
	return v.lines(id, but, func(lines [][]byte, x, y int32) error {
		for at := 0; at < len(lines[0]); at += size {
			if !agree(lines, at, size, bits) {
				return fmt.Errorf("surface %d: pixel (%d,%d) %w", id, int(x)+at/size, y, errUncertain)
			}
		}
		return nil
	})
}

// exact checks that what is certain of a surface is as wanted, but for an area. Bits
// that mean nothing may differ if padded says so.
func (v *views) exact(id uint32, want *canvas.Canvas, but *regions.Region, padded bool) error {
	if err := sameShape(v.surface(id), want); err != nil || want == nil {
		return err
	}
	size, bits := pixelSize(want.Format()), allBits
	if padded {
		bits = bitsOf[want.Format()]
	}
	return v.lines(id, but, func(lines [][]byte, x, y int32) error {
		wanted := span(want, y, x, x+int32(len(lines[0])/size))
		if bytes.Equal(lines[0], wanted) {
			return nil
		}
		for at := 0; at < len(wanted); at += size {
			got, w := lines[0][at:at+size], wanted[at:at+size]
			if !equal(got, w, bits) && agree(lines, at, size, bits) {
				return fmt.Errorf("pixel (%d,%d) is %x, want %x", int(x)+at/size, y, got, w)
			}
		}
		return nil
	})
}

// agree reports whether all lines have the same pixel at an offset, in bits.
func agree(lines [][]byte, at, size int, bits []byte) bool {
	for _, l := range lines[1:] {
		if !equal(lines[0][at:at+size], l[at:at+size], bits) {
			return false
		}
	}
	return true
}
