package displaytest

import (
	"errors"
	"fmt"
	"maps"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
)

// client is a SPICE client's display channel: what it has been sent makes its
// surfaces. It trusts nothing.
type client struct {
	canvases
	palettes map[uint64][]uint32
	cmd      qxl.Drawable
}

// maxPalettes is what clients cache.
const maxPalettes = 128

func newClient() *client {
	return &client{canvases: canvases{}, palettes: map[uint64][]uint32{}}
}

func (c *client) clone() *client {
	return &client{canvases: c.canvases.clone(), palettes: maps.Clone(c.palettes)}
}

// receive takes whole messages with mini headers.
func (c *client) receive(batch []byte) error {
	for r := wire.NewReader(batch); r.Left() > 0; {
		msg, size := r.U16(), r.U32()
		body := r.Bytes(int(size))
		if err := r.Err(); err != nil {
			return fmt.Errorf("framing: %w", err)
		}
		if err := c.message(msg, body); err != nil {
			return fmt.Errorf("message %d: %w", msg, err)
		}
	}
	return nil
}

func (c *client) message(msg uint16, body []byte) error {
	if t, ok := wire.DrawOf(msg); ok {
		if err := wire.ReadDraw(body, t, &c.cmd); err != nil {
			return err
		}
		return c.draw(&c.cmd)
	}
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgDisplaySurfaceCreate:
		id, w, h, format := r.U32(), r.U32(), r.U32(), qxl.SurfaceFormat(r.U32())
		if primary := r.U32()&wire.SurfaceFlagPrimary != 0; primary != (id == 0) {
			return fmt.Errorf("surface %d, primary: %t", id, primary)
		}
		if c.canvases[id] != nil {
			return fmt.Errorf("surface %d exists", id)
		}
		c.canvases[id] = canvas.New(format, int(w), int(h))
	case wire.MsgDisplaySurfaceDestroy:
		id := r.U32()
		if c.canvases[id] == nil {
			return fmt.Errorf("no surface %d", id)
		}
		delete(c.canvases, id)
	case wire.MsgDisplayMark:
		if c.canvases[0] == nil {
			return errors.New("there is no screen")
		}
	case wire.MsgDisplayInvalAllPalettes:
		clear(c.palettes)
	case wire.MsgDisplayInvalPalette:
		id := r.U64()
		if c.palettes[id] == nil {
			return fmt.Errorf("no palette %d", id)
		}
		delete(c.palettes, id)
	default:
		return errors.New("not expected")
	}
	if r.Err() != nil || r.Left() > 0 {
		return fmt.Errorf("%d bytes left, %w", r.Left(), r.Err())
	}
	return nil
}

// draw checks what a drawing command refers to, and executes it.
func (c *client) draw(d *qxl.Drawable) error {
	if c.canvases[d.Surface] == nil {
		return fmt.Errorf("draws on surface %d, which does not exist", d.Surface)
	}
	for i := range d.Images {
		im := &d.Images[i]
		if im.Type == qxl.ImageSurface {
			from := c.canvases[im.Surface]
			if from == nil {
				return fmt.Errorf("reads surface %d, which does not exist", im.Surface)
			}
			if int(im.Width) != from.Width() || int(im.Height) != from.Height() {
				return fmt.Errorf("reads surface %d as %dx%d, which is %v", im.Surface, im.Width, im.Height, from.Bounds())
			}
		}
		if err := c.palette(im); err != nil {
			return err
		}
	}
	c.execute(d, nil)
	return nil
}

// palette obeys an image's cache flags.
func (c *client) palette(im *qxl.Image) error {
	if !im.HasPalette {
		return nil
	}
	id := im.Palette.Unique
	switch {
	case im.BitFlags&wire.BitmapPalFromCache != 0:
		entries, ok := c.palettes[id]
		if !ok {
			return fmt.Errorf("palette %d is not cached", id)
		}
		im.Palette.Entries = append(im.Palette.Entries[:0], entries...)
	case im.BitFlags&wire.BitmapPalCacheMe != 0:
		if id == 0 || c.palettes[id] != nil || len(c.palettes) == maxPalettes {
			return fmt.Errorf("caching palette %d, %d cached", id, len(c.palettes))
		}
		c.palettes[id] = append([]uint32{}, im.Palette.Entries...)
	}
	return nil
}
