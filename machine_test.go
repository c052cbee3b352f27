package spiceecs_test

import (
	"sync/atomic"

	"github.com/spiceecs/spiceecs/net/core"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

// ring is a small guest's command ring: a Go channel, and no cursor.
type ring struct {
	commands chan qxl.Command
	vram     *guest.VRAM
}

func (r *ring) push(c qxl.Command, err error) {
	check(err)
	r.commands <- c
}

func (r *ring) GetCommand(c *qxl.Command) bool {
	select {
	case *c = <-r.commands:
		return true
	default:
		return false
	}
}

func (r *ring) RequestCommandNotification() bool   { return len(r.commands) == 0 }
func (r *ring) GetCursorCommand(*qxl.Command) bool { return false }
func (r *ring) RequestCursorNotification() bool    { return true }
func (r *ring) Release(res qxl.Resource)           { check(r.vram.Release(res)) }
func (r *ring) NotifyUpdate(uint32)                {}
func (r *ring) FlushResources() bool               { return false }

// fill is a rectangle of one colour on the screen.
func fill(area regions.Rect, colour uint32) *qxl.Drawable {
	return &qxl.Drawable{
		Type: qxl.DrawFill, Effect: qxl.EffectOpaque, BBox: area, Deps: [3]int32{-1, -1, -1},
		Src: qxl.NoImage, Mask: qxl.Mask{Image: qxl.NoImage}, Rop: qxl.RopPut,
		Brush: qxl.Brush{Type: qxl.BrushSolid, Image: qxl.NoImage, Color: colour}, BackBrush: qxl.Brush{Image: qxl.NoImage},
	}
}

// keys is a keyboard that counts.
type keys struct{ codes atomic.Int64 }

func (k *keys) Scancode(byte)    { k.codes.Add(1) }
func (k *keys) LEDs() core.Locks { return 0 }
