package components

import (
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

// TestArea gives an area one shape after the other: what it stands for is always the
// last one, and it has a region only for what is no rectangle.
func TestArea(t *testing.T) {
	s := NewScene(1)
	edge := regions.Rect{Left: regions.MinCoord, Top: regions.MinCoord, Right: regions.MaxCoord, Bottom: regions.MaxCoord}
	square := regions.XYWH(0, 0, 10, 10)
	var a Area
	for i, rects := range [][]regions.Rect{
		{square}, {square, edge}, {square, square.Translate(20, 20)}, {square, square.Translate(20, 0)}, {square}, {},
		{square, square.Translate(0, 20)}, {square.Translate(5, 5)},
	} {
		var want, scratch regions.Region
		want.SetRects(rects)
		s.SetArea(&a, &want)
		if got := s.Region(a, &scratch); !got.Equal(&want) {
			t.Errorf("%d: %v, want %v", i, got.AppendRects(nil), rects)
		}
		single := want.Empty() || want.IsRect()
		if a.Extents() != want.Extents() || a.Empty() != want.Empty() || a.IsRect() != single {
			t.Errorf("%d: extents %v, empty %t, rectangle %t for %v", i, a.Extents(), a.Empty(), a.IsRect(), rects)
		}
		if n := s.Regions.Len(); n == 0 != single {
			t.Errorf("%d: %d regions in use for %v", i, n, rects)
		}
	}
}

// TestAreaOwnRegion cuts a rectangle out of an area's own region.
func TestAreaOwnRegion(t *testing.T) {
	s := NewScene(1)
	var a Area
	var r regions.Region
	r.SetRects([]regions.Rect{regions.XYWH(0, 0, 10, 10), regions.XYWH(20, 20, 10, 10)})
	s.SetArea(&a, &r)
	own := s.Region(a, &r)
	own.SubtractRect(regions.XYWH(0, 0, 15, 15))
	s.SetArea(&a, own)
	if want := regions.XYWH(20, 20, 10, 10); a.Extents() != want || !a.IsRect() || s.Regions.Len() != 0 {
		t.Errorf("%v, rectangle %t, %d regions; want %v", a.Extents(), a.IsRect(), s.Regions.Len(), want)
	}
	if s.FreeArea(&a); !a.Empty() {
		t.Errorf("a freed area has %v", a.Extents())
	}
}
