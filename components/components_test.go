package components

import (
	"reflect"
	"testing"

	"github.com/spiceecs/spiceecs/ecs"
)

// TestPointerFree guards what arche needs: it moves components as raw bytes
// that the garbage collector does not see.
func TestPointerFree(t *testing.T) {
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Drawable](),
		reflect.TypeFor[PipeItem](),
		reflect.TypeFor[Surface](),
		reflect.TypeFor[Node](),
		reflect.TypeFor[Container](),
		reflect.TypeFor[Shadow](),
		reflect.TypeFor[Stream](),
	} {
		if p := ecs.PointerIn(typ); p != "" {
			t.Errorf("%s holds a pointer at %s", typ, p)
		}
	}
	if ecs.PointerIn(reflect.TypeFor[struct{ A [2]struct{ S []int } }]()) == "" {
		t.Error("PointerIn overlooks a slice in a nested array")
	}
}
