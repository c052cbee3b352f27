package replay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
)

// assemble lays the command in p.ev out. False means that there is nothing to feed.
func (p *Player) assemble(ctx context.Context, dev Device) (c qxl.Command, ok bool, err error) {
	ev := &p.ev
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		p.surfaces.mapIDs(&ev.Drawable)
	case qxl.CommandUpdate:
		ev.Update.Surface = p.surfaces.id(ev.Update.Surface)
	case qxl.CommandCursor, qxl.CommandMessage:
	case qxl.CommandSurface:
		if ev.Surface.Action == qxl.SurfaceDestroy {
			return p.destroySurface(ctx, dev)
		}
		return p.createSurface(ctx, dev)
	default:
		return c, false, nil
	}
	if c, err = p.layOut(); errors.Is(err, guest.ErrFull) {
		err = p.persist(ctx, dev, func() (err error) { c, err = p.layOut(); return err })
	}
	return c, err == nil, err
}

func (p *Player) layOut() (qxl.Command, error) {
	switch qxl.CommandType(p.ev.Type) {
	case qxl.CommandDraw:
		return p.asm.Drawable(&p.ev.Drawable)
	case qxl.CommandUpdate:
		return p.asm.Update(&p.ev.Update)
	case qxl.CommandCursor:
		return p.asm.Cursor(&p.ev.Cursor)
	}
	return p.asm.Message(&p.ev.Message)
}

// persist tries until video memory suffices: again after each release, and
// while none comes the device is told that memory is full.
func (p *Player) persist(ctx context.Context, dev Device, try func() error) error {
	for {
		mark := p.count.released.Load()
		if err := try(); !errors.Is(err, guest.ErrFull) {
			return err
		}
		p.oomMark.Store(mark)
		var late atomic.Bool
		stop := p.opts.Clock.AfterFunc(oomDelay, func() {
			late.Store(true)
			p.rouse(forRelease)
		})
		err := p.sleep(ctx, forRelease, func() bool { return p.count.released.Load() != mark || late.Load() })
		stop()
		if err != nil {
			return err
		}
		if d, ok := dev.(OOMDevice); ok && p.count.released.Load() == mark {
			d.OOM()
		}
	}
}

// alloc allocates a surface's memory, which is as large as its lines.
func (p *Player) alloc(ctx context.Context, dev Device, stride int32, height uint32) (b guest.Block, mem []byte, err error) {
	size := uint64(max(int64(stride), -int64(stride))) * uint64(height)
	if size > math.MaxInt32 {
		return 0, nil, fmt.Errorf("%w: surface of %d bytes", guest.ErrTooLarge, size)
	}
	err = p.persist(ctx, dev, func() (err error) {
		b, mem, err = p.vram.Alloc(int(size))
		return err
	})
	return b, mem, err
}

// createSurface gives an off-screen surface its memory: what was recorded, or
// zeros.
func (p *Player) createSurface(ctx context.Context, dev Device) (c qxl.Command, ok bool, err error) {
	cmd, s := &p.ev.Surface, &p.surfaces
	recorded := cmd.Surface
	if _, exists := s.living[recorded]; exists || recorded == 0 {
		return c, false, nil
	}
	var x surface
	if x.id, ok = s.take(recorded); !ok {
		if len(s.living) == maxSurfaces-1 {
			return c, false, fmt.Errorf("more than %d surfaces at a time", maxSurfaces)
		}
		err := p.sleep(ctx, forRelease, func() bool { x.id, ok = s.take(recorded); return ok })
		if err != nil {
			return c, false, err
		}
	}
	var mem []byte
	if x.pixels, mem, err = p.alloc(ctx, dev, cmd.Stride, cmd.Height); err != nil {
		return c, false, err
	}
	clear(mem[copy(mem, cmd.Memory):])
	cmd.Surface = x.id
	s.living[recorded] = x
	err = p.persist(ctx, dev, func() (err error) {
		c, err = p.asm.CreateSurface(cmd, x.pixels)
		return err
	})
	return c, err == nil, err
}

// destroySurface hands the surface's memory over to the command: both are
// freed when the device releases it.
func (p *Player) destroySurface(ctx context.Context, dev Device) (c qxl.Command, ok bool, err error) {
	cmd, s := &p.ev.Surface, &p.surfaces
	x, ok := s.living[cmd.Surface]
	if !ok {
		return c, false, nil
	}
	delete(s.living, cmd.Surface)
	cmd.Surface = x.id
	var release guest.Block
	err = p.persist(ctx, dev, func() (err error) {
		c, release, err = p.asm.DestroySurface(cmd, x.pixels)
		return err
	})
	if err == nil {
		s.destroyed(x.id, uint64(release))
	}
	return c, err == nil, err
}

// destroySurfaces destroys all off-screen surfaces at once.
func (p *Player) destroySurfaces(dev Device) error {
	if err := dev.DestroySurfaces(); err != nil {
		return fmt.Errorf("destroy surfaces: %w", err)
	}
	for recorded, x := range p.surfaces.living {
		delete(p.surfaces.living, recorded)
		p.surfaces.free(x.id)
		if err := p.vram.Free(x.pixels); err != nil {
			return err
		}
	}
	return p.freePrimary()
}

// createPrimary creates the primary surface with the memory that was recorded,
// in place of the one that may be there.
func (p *Player) createPrimary(ctx context.Context, dev Device) error {
	if err := p.destroyPrimary(dev); err != nil {
		return err
	}
	s := p.ev.Primary
	b, mem, err := p.alloc(ctx, dev, s.Stride, s.Height)
	if err != nil {
		return err
	}
	copy(mem, s.Memory)
	s.Memory = mem
	if err := dev.CreatePrimary(s); err != nil {
		return fmt.Errorf("create primary: %w", err)
	}
	p.primary = b
	return nil
}

// destroyPrimary destroys the primary surface if there is one.
func (p *Player) destroyPrimary(dev Device) error {
	if p.primary == 0 {
		return nil
	}
	if err := dev.DestroyPrimary(); err != nil {
		return fmt.Errorf("destroy primary: %w", err)
	}
	return p.freePrimary()
}

// freePrimary frees the memory of a primary surface that the device has
// destroyed, if there is one.
func (p *Player) freePrimary() error {
	if p.primary == 0 {
		return nil
	}
	b := p.primary
	p.primary = 0
	return p.vram.Free(b)
}
