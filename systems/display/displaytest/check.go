package displaytest

import (
	"fmt"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
)

func (b *bench) knows(v *viewer) func(uint32) bool {
	return func(id uint32) bool { return b.sim.Knows(v.slot, id) }
}

// pads reports whether the client may be without the high bytes of pixels that
// have no alpha: compressed images leave them out.
func (v *viewer) pads() bool { return v.Compression > encode.Off }

// checkClient checks that the device knows what of the client's pixels is not
// certain, and that what waits for it makes all others right.
func (b *bench) checkClient(v *viewer) error {
	if err := b.catchUp(v); err != nil {
		return err
	}
	for id := range uint32(Surfaces) {
		lossy := b.sim.Lossy(v.slot, id)
		if lossy != nil {
			b.reached["lossy area"]++
		}
		if err := v.certain(id, lossy); err != nil {
			return err
		}
	}
	l, err := b.later(v)
	if err != nil {
		return err
	}
	for id := range uint8(components.MaxStreams) {
		if got, want := l.videos[uint32(id)], b.sim.Shows(v.slot, id); (got == nil) != (want == nil) || got != nil && !got.Equal(want) {
			return fmt.Errorf("stream %d will show in %v, the device takes it for %v", id, got, want)
		}
	}
	return b.compare(&l.views, v.pads(), b.knows(v), b.behind(v))
}

// behind is where a client will be sent newer pictures.
func (b *bench) behind(v *viewer) func(uint32) *regions.Region {
	return func(id uint32) *regions.Region { return b.sim.Behind(v.slot, id) }
}

// rest has videos rest, or end. Where they showed clients get the exact picture by
// that, without further waiting.
func (b *bench) rest(end bool) error {
	shown := map[int]*regions.Region{}
	for n, v := range b.clients {
		if err := b.catchUp(v); err != nil {
			return fmt.Errorf("client %d: %w", n, err)
		}
		l, err := b.later(v)
		if err != nil {
			return fmt.Errorf("client %d: %w", n, err)
		}
		shown[n] = l.shown()
	}
	b.sim.Rest(end)
	for n, v := range b.clients {
		l, err := b.later(v)
		if err != nil {
			return fmt.Errorf("client %d: %w", n, err)
		}
		if c := l.shown(); !c.Empty() || end && len(l.videos) > 0 {
			return fmt.Errorf("client %d: %d videos are left, which show in %v", n, len(l.videos), c)
		}
		if l.surface(0) == nil {
			continue
		}
		var rest regions.Region
		rest.SetRect(l.surface(0).Bounds())
		rest.Subtract(shown[n])
		if x := b.sim.Behind(v.slot, 0); x != nil {
			rest.Union(x)
		}
		if err := l.certain(0, &rest); err != nil {
			return fmt.Errorf("client %d, after a video: %w", n, err)
		}
	}
	return nil
}

// later is what a client will have when it has been sent what waits for it.
type later struct {
	views
	videos
}

// later lets a copy of a client have what waits, without messages.
func (b *bench) later(v *viewer) (*later, error) {
	l := &later{v.views.clone(), v.videos.clone()}
	for _, item := range b.sim.Items(v.slot) {
		if err := b.apply(l, item); err != nil {
			return nil, err
		}
		l.show(l.shown())
	}
	return l, nil
}

// apply does to a client what a pipe item will.
func (b *bench) apply(l *later, item *components.PipeItem) error {
	switch item.Kind {
	case components.ItemDraw:
		return b.applyDraw(l, item)
	case components.ItemImage:
		if l.surface(item.Surface) == nil {
			return fmt.Errorf("pixels wait for surface %d, which will not exist", item.Surface)
		}
		for _, cs := range l.all {
			pasteAs(cs[item.Surface], item, *b.sim.Scene.Pixels.Get(item.Pixels))
		}
	case components.ItemSurfaceCreate:
		if l.surface(item.Surface) != nil {
			return fmt.Errorf("surface %d will be created twice", item.Surface)
		}
		l.create(item.Surface, qxl.SurfaceFormat(item.Format), int(item.Width), int(item.Height))
	case components.ItemSurfaceDestroy:
		if l.surface(item.Surface) == nil {
			return fmt.Errorf("surface %d will be destroyed without having existed", item.Surface)
		}
		l.destroy(item.Surface)
	case components.ItemStreamCreate, components.ItemStreamClip, components.ItemStreamDestroy:
		return b.applyStream(l, item)
	}
	return nil
}

// applyDraw executes a drawable. A video that would show over an opaque one has left
// that area before.
func (b *bench) applyDraw(l *later, item *components.PipeItem) error {
	d := b.sim.Scene.Command(b.sim.Scene.Drawables.Get(item.Drawable))
	if l.surface(d.Surface) == nil {
		return fmt.Errorf("a drawable waits for surface %d, which will not exist", d.Surface)
	}
	if area := b.sim.Tree.Area(item.Drawable, new(regions.Region)); area != nil && d.Surface == 0 && d.Effect == qxl.EffectOpaque {
		for id, clip := range l.videos {
			if clip.Overlaps(area) {
				return fmt.Errorf("what is drawn over stream %d, at %v, will be hidden by it", id, area)
			}
		}
	}
	l.draw(d, nil)
	return nil
}

func (b *bench) applyStream(l *later, item *components.PipeItem) error {
	id := uint32(item.Stream)
	if exists := l.videos[id] != nil; exists == (item.Kind == components.ItemStreamCreate) {
		return fmt.Errorf("stream %d exists: %t, and item %d waits for it", id, exists, item.Kind)
	}
	if item.Kind == components.ItemStreamDestroy {
		delete(l.videos, id)
		return nil
	}
	clip := new(regions.Region)
	clip.Copy(b.sim.Scene.Clips.Get(item.Clip))
	l.videos[id] = clip
	b.reached["video"]++
	return nil
}

// pasteAs puts an image item's pixels on a canvas; they may be of another format.
func pasteAs(to *canvas.Canvas, item *components.PipeItem, pix []byte) {
	from, err := canvas.Wrap(qxl.SurfaceFormat(item.Format), int(item.Area.Width()), int(item.Area.Height()),
		len(pix)/int(item.Area.Height()), pix)
	if err != nil {
		panic(err)
	}
	d := qxl.Drawable{
		Type: qxl.DrawCopy, BBox: item.Area, SrcArea: from.Bounds(), Rop: qxl.RopPut,
		Scale: qxl.ScaleNearest, Mask: qxl.Mask{Image: qxl.NoImage}, Images: []qxl.Image{{Type: qxl.ImageSurface}},
	}
	_ = to.Draw(&d, canvases{0: from})
}
