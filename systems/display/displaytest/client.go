package displaytest

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// client is a SPICE client's display channel: what it has been sent makes its
// surfaces. It trusts nothing.
type client struct {
	views
	videos
	cache
	monitors []qxl.Head // as it was told last
	window   uint32     // of acknowledgements
	largest  int        // message so far, in bytes
	cmd      qxl.Drawable
}

func newClient(j *JoinOptions, reached map[string]int) *client {
	return &client{views: newViews(), videos: videos{}, cache: newCache(j, reached)}
}

// receive takes whole messages with mini headers.
func (c *client) receive(batch []byte) error {
	for r := wire.NewReader(batch); r.Left() > 0; {
		msg, size := r.U16(), r.U32()
		body := r.Bytes(int(size))
		if err := r.Err(); err != nil {
			return fmt.Errorf("framing: %w", err)
		}
		c.largest = max(c.largest, len(body))
		if err := c.message(msg, body); err != nil {
			return fmt.Errorf("message %d: %w", msg, err)
		}
		c.show(c.videos.shown())
	}
	return nil
}

func (c *client) message(msg uint16, body []byte) error {
	if t, ok := wire.DrawOf(msg); ok {
		if err := wire.ReadDraw(body, t, &c.cmd); err != nil {
			return err
		}
		return c.obey(&c.cmd)
	}
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgDisplaySurfaceCreate:
		id, w, h, format := r.U32(), r.U32(), r.U32(), qxl.SurfaceFormat(r.U32())
		if primary := r.U32()&wire.SurfaceFlagPrimary != 0; primary != (id == 0) {
			return fmt.Errorf("surface %d, primary: %t", id, primary)
		}
		if c.surface(id) != nil {
			return fmt.Errorf("surface %d exists", id)
		}
		c.create(id, format, int(w), int(h))
	case wire.MsgDisplaySurfaceDestroy:
		id := r.U32()
		if c.surface(id) == nil {
			return fmt.Errorf("no surface %d", id)
		}
		c.destroy(id)
	case wire.MsgDisplayMark:
		if c.surface(0) == nil {
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
	case wire.MsgDisplayInvalList:
		if err := c.forget(&r); err != nil {
			return err
		}
	case wire.MsgDisplayMonitorsConfig:
		c.readMonitors(&r)
	case wire.MsgPing:
		_, _, _ = r.U32(), r.U64(), r.Bytes(r.Left())
	case wire.MsgSetAck:
		_, c.window = r.U32(), r.U32()
	default:
		if err := c.streamMessage(msg, &r); err != nil {
			return err
		}
	}
	if r.Err() != nil || r.Left() > 0 {
		return fmt.Errorf("%d bytes left, %w", r.Left(), r.Err())
	}
	return nil
}

// obey checks what a drawing command refers to, and executes it.
func (c *client) obey(d *qxl.Drawable) error {
	if c.surface(d.Surface) == nil {
		return fmt.Errorf("draws on surface %d, which does not exist", d.Surface)
	}
	var rough []int
	for i := range d.Images {
		im := &d.Images[i]
		if im.Type == qxl.ImageSurface {
			from := c.surface(im.Surface)
			if from == nil {
				return fmt.Errorf("reads surface %d, which does not exist", im.Surface)
			}
			if int(im.Width) != from.Width() || int(im.Height) != from.Height() {
				return fmt.Errorf("reads surface %d as %dx%d, which is %v", im.Surface, im.Width, im.Height, from.Bounds())
			}
		}
		lossy, err := c.resolve(im)
		if err != nil {
			return err
		}
		if lossy {
			rough = append(rough, i)
		}
	}
	c.draw(d, rough)
	return nil
}

// readMonitors takes a MONITORS_CONFIG message: a head a monitor.
func (c *client) readMonitors(r *wire.Reader) {
	n, _ := r.U16(), r.U16()
	c.monitors = nil
	for ; n > 0 && r.Err() == nil; n-- {
		c.monitors = append(c.monitors, qxl.Head{
			ID: r.U32(), Surface: r.U32(), Width: r.U32(), Height: r.U32(), X: r.U32(), Y: r.U32(), Flags: r.U32(),
		})
	}
}
