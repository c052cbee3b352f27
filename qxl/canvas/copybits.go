package canvas

import "slices"

// drawCopyBits moves pixels within the canvas, where both ends lie inside it,
// as if they had been copied aside first: bands of rectangles, rectangles of a
// band and lines are taken in the order in which none is overwritten unread.
func (j *job) drawCopyBits() {
	d := j.d
	dx := int(d.BBox.Left) - int(d.SrcPos.X)
	dy := int(d.BBox.Top) - int(d.SrcPos.Y)
	bounds := j.c.Bounds()
	bounds.Left, bounds.Right = clampCoord(dx), clampCoord(dx+j.c.width)
	bounds.Top, bounds.Bottom = clampCoord(dy), clampCoord(dy+j.c.height)
	j.region.IntersectRect(bounds)
	j.list()
	switch {
	case dy > 0 && dx > 0:
		slices.Reverse(j.boxes)
	case dy > 0:
		slices.Reverse(j.boxes)
		j.reverseBands()
	case dx > 0:
		j.reverseBands()
	}
	for _, r := range j.boxes {
		x0, x1 := int(r.Left), int(r.Right)
		if dy > 0 {
			for y := int(r.Bottom) - 1; y >= int(r.Top); y-- {
				j.moveRow(y, x0, x1, dx, dy)
			}
			continue
		}
		for y := int(r.Top); y < int(r.Bottom); y++ {
			j.moveRow(y, x0, x1, dx, dy)
		}
	}
}

// reverseBands turns the order of the rectangles within each band around.
func (j *job) reverseBands() {
	for rest := j.boxes; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Top == rest[0].Top {
			n++
		}
		slices.Reverse(rest[:n])
		rest = rest[n:]
	}
}

// moveRow copies to the pixels [x0,x1) of line y what lies (dx,dy) before them.
func (j *job) moveRow(y, x0, x1, dx, dy int) {
	src := j.row(y-dy, x0-dx, x1-dx)
	if j.c.pixelBytes()*8 != j.c.format.Depth() {
		j.flush(y, x0, src)
		return
	}
	copy(j.row(y, x0, x1), src)
}
