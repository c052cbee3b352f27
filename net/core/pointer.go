package core

import (
	"math"
	"slices"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Mouse is the virtual machine's relative pointing device. Its methods are
// called on the core's goroutine and must not block. buttons are bits: 0 left,
// 1 right, 2 middle, 6 and up the additional ones.
type Mouse interface {
	// Motion moves the pointer by dx, dy and turns the wheel by dz, up being
	// negative.
	Motion(dx, dy, dz int32, buttons uint32)
	Buttons(buttons uint32)
}

// Tablet is the virtual machine's absolute pointing device, as Mouse is the
// relative one.
type Tablet interface {
	// SetLogicalSize tells the range of positions, 0 up to w-1 and h-1.
	SetLogicalSize(w, h int32)
	Position(x, y int32, buttons uint32, display uint8)
	Wheel(dz int32, buttons uint32)
	Buttons(buttons uint32)
}

// DisplayState is what the core must know of a graphics device.
type DisplayState struct {
	Active        bool  // it has a primary surface
	Width, Height int32 // of that
	MouseMode     bool  // the guest agrees to absolute positions on it
	RAM           uint32
}

// display is a graphics device with its state.
type display struct {
	id    uint8
	state DisplayState
}

// pointer is the mouse mode and what decides it. The mode outlives clients.
type pointer struct {
	mouse         Mouse
	tablet        Tablet
	displays      []display // in the order in which they were announced
	mode          int
	allowed       bool  // clients may choose wire.MouseClient
	width, height int32 // what the tablet was told; 0: nothing
}

func (p *pointer) init() { p.mode = wire.MouseServer }

// supported is the set of modes, as a client is told it.
func (p *pointer) supported() int {
	if p.allowed {
		return wire.MouseServer | wire.MouseClient
	}
	return wire.MouseServer
}

func (p *pointer) ramHint() uint32 {
	if len(p.displays) == 0 {
		return 0
	}
	return p.displays[0].state.RAM
}

// clientMode tells whether absolute positions have a meaning, and their range,
// 0 if it is not known. They have one where there is a tablet and exactly one
// display, whose guest, once it has a primary surface, agrees.
func (c *Core) clientMode() (allowed bool, w, h int32) {
	p := &c.pointer
	channels := 0
	for _, r := range c.access.list() {
		if r.kind == wire.ChannelDisplay {
			channels++
		}
	}
	if p.tablet == nil || len(p.displays) != 1 || channels != 1 {
		return false, 0, 0
	}
	s := p.displays[0].state
	if !s.Active {
		return true, 0, 0
	}
	return s.MouseMode, s.Width, s.Height
}

// updatePointer draws the consequences of a change to devices or displays.
func (c *Core) updatePointer() {
	p := &c.pointer
	allowed, w, h := c.clientMode()
	if allowed && w > 0 && h > 0 && (w != p.width || h != p.height) {
		p.width, p.height = w, h
		p.tablet.SetLogicalSize(w, h)
	}
	mode := p.mode
	if !allowed {
		mode = wire.MouseServer
	}
	c.setMouseMode(mode, allowed)
}

// requestMouseMode is a client's wish; what is not allowed is ignored.
func (c *Core) requestMouseMode(mode int) {
	if mode == wire.MouseServer || mode == wire.MouseClient && c.pointer.allowed {
		c.setMouseMode(mode, c.pointer.allowed)
	}
}

// setMouseMode tells everybody what has changed.
func (c *Core) setMouseMode(mode int, allowed bool) {
	p := &c.pointer
	if mode == p.mode && allowed == p.allowed {
		return
	}
	changed := mode != p.mode
	p.mode, p.allowed = mode, allowed
	c.eachMain((*mainChannel).sendMouseMode)
	if changed && c.cfg.OnMouseMode != nil {
		c.cfg.OnMouseMode(mode)
	}
}

// SetMouse plugs the relative pointing device in, or with nil out.
func (c *Core) SetMouse(m Mouse) { c.post(func() { c.pointer.mouse = m }) }

// SetTablet plugs the absolute pointing device in, or with nil out.
func (c *Core) SetTablet(t Tablet) {
	c.post(func() {
		c.pointer.tablet, c.pointer.width, c.pointer.height = t, 0, 0
		c.updatePointer()
	})
}

// SetDisplay tells the state of graphics device id, which counts as present
// from the first time on. A device does so when it starts, and when its primary
// surface comes, changes or goes.
func (c *Core) SetDisplay(id uint8, s DisplayState) {
	c.post(func() {
		p := &c.pointer
		if i := p.find(id); i >= 0 {
			p.displays[i].state = s
		} else {
			p.displays = append(p.displays, display{id, s})
		}
		c.updatePointer()
	})
}

// RemoveDisplay tells that graphics device id is no longer there.
func (c *Core) RemoveDisplay(id uint8) {
	c.post(func() {
		if i := c.pointer.find(id); i >= 0 {
			c.pointer.displays = slices.Delete(c.pointer.displays, i, i+1)
			c.updatePointer()
		}
	})
}

func (p *pointer) find(id uint8) int {
	return slices.IndexFunc(p.displays, func(d display) bool { return d.id == id })
}

// motion is a relative movement; it counts in server mode only.
func (p *pointer) motion(dx, dy int32, buttons uint16) {
	if p.mode == wire.MouseServer && p.mouse != nil {
		p.mouse.Motion(dx, dy, 0, deviceButtons(buttons))
	}
}

// position is an absolute one; it counts in client mode only.
func (p *pointer) position(x, y uint32, buttons uint16, display uint8) {
	if p.mode == wire.MouseClient && p.tablet != nil {
		p.tablet.Position(clamp(x, p.width), clamp(y, p.height), deviceButtons(buttons), display)
	}
}

// clamp limits a client's coordinate, which may be meant as a negative number,
// to what the tablet was told.
func clamp(v uint32, size int32) int32 {
	limit := int32(math.MaxInt32)
	if size > 0 {
		limit = size - 1
	}
	return max(0, min(int32(v), limit))
}

// press is a button that went down, or a step of the wheel.
func (p *pointer) press(button uint8, buttons uint16) {
	dz := int32(0)
	switch button {
	case wheelUp:
		dz = -1
	case wheelDown:
		dz = 1
	default:
		p.buttons(buttons)
		return
	}
	switch {
	case p.mode == wire.MouseClient && p.tablet != nil:
		p.tablet.Wheel(dz, deviceButtons(buttons))
	case p.mode == wire.MouseServer && p.mouse != nil:
		p.mouse.Motion(0, 0, dz, deviceButtons(buttons))
	}
}

// buttons is the state after a button went up or down.
func (p *pointer) buttons(buttons uint16) {
	switch {
	case p.mode == wire.MouseClient && p.tablet != nil:
		p.tablet.Buttons(deviceButtons(buttons))
	case p.mode == wire.MouseServer && p.mouse != nil:
		p.mouse.Buttons(deviceButtons(buttons))
	}
}

// Buttons of a client that are steps of the wheel.
const (
	wheelUp   = 4
	wheelDown = 5
)

// deviceButtons turns a client's button mask (0 left, 1 middle, 2 right, 3 and 4
// the wheel, 5 and up additional) into that of the devices, which have right
// before middle and no wheel.
func deviceButtons(b uint16) uint32 {
	m := uint32(b)
	return m&1 | m&2<<1 | m&4>>1 | m&0xffe0<<1
}
