package regions

// Point is a pixel position; Y grows downwards.
type Point struct{ X, Y int32 }

// Rect is the half-open pixel rectangle [Left,Right) x [Top,Bottom).
// A rectangle with Left >= Right or Top >= Bottom is empty.
type Rect struct{ Left, Top, Right, Bottom int32 }

// XYWH builds the rectangle with corner (x,y), width w and height h.
func XYWH(x, y, w, h int32) Rect { return Rect{x, y, x + w, y + h} }

// Empty reports whether r covers no pixel.
func (r Rect) Empty() bool { return r.Left >= r.Right || r.Top >= r.Bottom }

// Width is the number of columns; it is meaningless for an empty rectangle.
func (r Rect) Width() int32 { return r.Right - r.Left }

// Height is the number of rows; it is meaningless for an empty rectangle.
func (r Rect) Height() int32 { return r.Bottom - r.Top }

// Area is the number of pixels covered.
func (r Rect) Area() int64 {
	if r.Empty() {
		return 0
	}
	return (int64(r.Right) - int64(r.Left)) * (int64(r.Bottom) - int64(r.Top))
}

// Intersect returns the common part, or the zero Rect if there is none.
func (r Rect) Intersect(o Rect) Rect {
	r.Left, r.Top = max(r.Left, o.Left), max(r.Top, o.Top)
	r.Right, r.Bottom = min(r.Right, o.Right), min(r.Bottom, o.Bottom)
	if r.Empty() {
		return Rect{}
	}
	return r
}

// Union returns the smallest rectangle that covers both; empty ones do not count.
func (r Rect) Union(o Rect) Rect {
	switch {
	case r.Empty():
		return o
	case o.Empty():
		return r
	}
	return Rect{min(r.Left, o.Left), min(r.Top, o.Top), max(r.Right, o.Right), max(r.Bottom, o.Bottom)}
}

// Overlaps reports whether the two share a pixel.
func (r Rect) Overlaps(o Rect) bool {
	return max(r.Left, o.Left) < min(r.Right, o.Right) && max(r.Top, o.Top) < min(r.Bottom, o.Bottom)
}

// Contains reports whether every pixel of o lies in r; an empty o always does.
func (r Rect) Contains(o Rect) bool {
	return o.Empty() || r.Left <= o.Left && r.Top <= o.Top && r.Right >= o.Right && r.Bottom >= o.Bottom
}

// Translate moves r by (dx,dy).
func (r Rect) Translate(dx, dy int32) Rect {
	return Rect{r.Left + dx, r.Top + dy, r.Right + dx, r.Bottom + dy}
}

// Grow moves every edge of r outwards by n.
func (r Rect) Grow(n int32) Rect {
	return Rect{r.Left - n, r.Top - n, r.Right + n, r.Bottom + n}
}

// SmallRect is a Rect on the plane, in 8 bytes.
type SmallRect struct{ Left, Top, Right, Bottom int16 }

// Small is r, which must be on the plane.
func (r Rect) Small() SmallRect {
	return SmallRect{int16(r.Left), int16(r.Top), int16(r.Right), int16(r.Bottom)}
}

// Rect is r.
func (r SmallRect) Rect() Rect {
	return Rect{int32(r.Left), int32(r.Top), int32(r.Right), int32(r.Bottom)}
}
