package tree_test

import (
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// TestSearchedInVain has a drawable lose its upper half: the index goes on listing it
// there until a search finds it in vain, and then no longer.
func TestSearchedInVain(t *testing.T) {
	whole := regions.XYWH(0, 0, 100, 100)
	b := newBench(100, 100, 10)
	fill := func(box regions.Rect) { b.add(qxl.DrawFill, qxl.EffectOpaque, box, regions.Point{}) }
	fill(whole)
	old := b.waiting.First
	fill(regions.XYWH(0, 0, 100, 50))
	if at := b.scene.Nodes.Get(old).Listed.Rect(); at != whole {
		t.Errorf("listed at %v at once", at)
	}
	b.Hidden(b.waiting.Last)
	fill(regions.XYWH(0, 0, 10, 10))
	if at, want := b.scene.Nodes.Get(old).Listed.Rect(), regions.XYWH(0, 50, 100, 50); at != want {
		t.Errorf("listed at %v after a search in vain, want %v", at, want)
	}
}
