package release_test

import (
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/release"
)

// TestUnref follows a drawable to its end: it is given back with the last
// reference, once, after whoever keeps something of it has been told.
func TestUnref(t *testing.T) {
	scene := components.NewScene(1)
	var given []qxl.Resource
	r := release.New(scene, func(res qxl.Resource) { given = append(given, res) })
	res := qxl.Resource{Data: 0x1000, ID: 7, Group: 1}
	h, cmd, _ := scene.Commands.Alloc()
	cmd.Reset()
	cmd.Resource = res
	encoded, _, _ := scene.Encoded.Alloc()
	e, d, _ := scene.NewDrawable.New()
	d.Command, d.Encoded, d.Cost, d.Refs = h, encoded, 100, 1
	scene.Held = 150
	ended := 0
	r.Ending = func(of ecs.Entity) {
		if ended++; of != e || !scene.World.Alive(e) || scene.Commands.Get(h) == nil || len(given) != 0 {
			t.Error("told too late")
		}
	}

	r.Ref(e)
	r.Unref(e)
	if !scene.World.Alive(e) || ended != 0 {
		t.Fatal("ended while there was a reference")
	}
	r.Unref(e)
	switch {
	case scene.World.Alive(e) || scene.Commands.Len() != 0 || scene.Encoded.Len() != 0 || scene.Held != 50:
		t.Errorf("alive: %t, %d commands, %d encoded images, %d bytes held",
			scene.World.Alive(e), scene.Commands.Len(), scene.Encoded.Len(), scene.Held)
	case ended != 1 || !slices.Equal(given, []qxl.Resource{res}) || r.Released != 1:
		t.Errorf("told %d times, gave %v, counted %d", ended, given, r.Released)
	}
}

// TestResource gives back what there is.
func TestResource(t *testing.T) {
	n := 0
	r := release.New(components.NewScene(1), func(qxl.Resource) { n++ })
	r.Resource(qxl.Resource{})
	r.Resource(qxl.Resource{ID: 1})
	r.Resource(qxl.Resource{Data: 1})
	if n != 2 || r.Released != 2 {
		t.Errorf("%d given back, %d counted, want 2", n, r.Released)
	}
}
