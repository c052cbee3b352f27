package canvasref

import (
	"slices"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// outcome is what a command that came out differently did.
type outcome struct {
	d            *qxl.Drawable
	before       *canvas.Canvas // the surface before the command
	ours, theirs *canvas.Canvas // and after it
	sources      surfaces
	mask         uint32 // the bits of a word that are compared
}

// clone is a canvas like c.
func clone(c *canvas.Canvas) *canvas.Canvas {
	n := canvas.New(c.Format(), c.Width(), c.Height())
	for y := range c.Height() {
		copy(n.Row(y), c.Row(y))
	}
	return n
}

// theirsIs reports whether the reference's pixel is that of c.
func (o *outcome) theirsIs(c *canvas.Canvas, x, y int) bool {
	return (word(c, x, y)^word(o.theirs, x, y))&o.mask == 0
}

// lostPixels is the defect of strokes in a region with rectangles side by side:
// when a run of a line's pixels enters two of them, the reference loses pixels
// of that line from there on, which it draws if it has one of the rectangles
// only. Pixels that differ must have a value that fewer of the stroke's lines
// make there, and belong to one piece with such a run.
func lostPixels(o *outcome) string {
	part := o.lostParts()
	if part == nil {
		return ""
	}
	fill := *o.d
	fill.Type = qxl.DrawFill
	once := clone(o.before)
	if once.Draw(&fill, o.sources) != nil {
		return ""
	}
	twice := clone(once) // more often is the same as once or twice
	if twice.Draw(&fill, o.sources) != nil {
		return ""
	}
	for y := range o.ours.Height() {
		for x := range o.ours.Width() {
			if o.theirsIs(o.ours, x, y) {
				continue
			}
			if part.Row(y)[x] == 0 || !o.theirsIs(o.before, x, y) && !o.theirsIs(once, x, y) && !o.theirsIs(twice, x, y) {
				return ""
			}
		}
	}
	return "the reference loses pixels of a line whose run enters two rectangles"
}

// lostParts returns the pixels, of those that are not there or not as they
// should be, that are in one piece with a run that enters two rectangles; nil
// if there is no such run. Other lines may cross a piece.
func (o *outcome) lostParts() *canvas.Canvas {
	whole := canvas.New(qxl.Surface8A, o.ours.Width(), o.ours.Height()) // the stroke, not clipped
	d := *o.d
	d.Clip.Type, d.Rop = qxl.ClipNone, qxl.RopPut
	d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0xff, Image: qxl.NoImage}
	if whole.Draw(&d, nil) != nil {
		return nil
	}
	part := canvas.New(qxl.Surface8A, o.ours.Width(), o.ours.Height())
	var todo []regions.Point
	add := func(x, y int) {
		if part.Row(y)[x] == 0 {
			part.Row(y)[x] = 1
			todo = append(todo, regions.Point{X: int32(x), Y: int32(y)})
		}
	}
	for y, rects := range o.lines() {
		for i := 1; i < len(rects); i++ {
			line, from, to := whole.Row(y), int(rects[i-1].Right)-1, int(rects[i].Left)
			if slices.Contains(line[from:to+1], 0) {
				continue
			}
			for from > 0 && line[from-1] != 0 {
				from--
			}
			for x := from; x < len(line) && line[x] != 0; x++ {
				add(x, y)
			}
		}
	}
	if todo == nil {
		return nil
	}
	const reach = 2 // over a pixel of a line that crosses
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		near := regions.XYWH(at.X-reach, at.Y-reach, 2*reach+1, 2*reach+1).Intersect(whole.Bounds())
		for y := int(near.Top); y < int(near.Bottom); y++ {
			for x := int(near.Left); x < int(near.Right); x++ {
				if whole.Row(y)[x] != 0 && (!o.theirsIs(o.ours, x, y) || o.theirsIs(o.before, x, y)) {
					add(x, y)
				}
			}
		}
	}
	return part
}

// lines returns the rectangles of the command's region on every line.
func (o *outcome) lines() [][]regions.Rect {
	var region regions.Region
	region.SetRect(o.ours.Bounds().Intersect(o.d.BBox))
	if o.d.Clip.Type == qxl.ClipRects {
		var clip regions.Region
		clip.SetRects(o.d.Clip.Rects)
		region.Intersect(&clip)
	}
	lines := make([][]regions.Rect, o.ours.Height())
	for _, r := range region.AppendRects(nil) {
		for y := r.Top; y < r.Bottom; y++ {
			lines[y] = append(lines[y], r)
		}
	}
	return lines
}
