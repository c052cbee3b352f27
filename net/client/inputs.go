package client

import (
	"context"
	"sync"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Flow of pointer motion: the server confirms every motionBunch of them, and
// a client keeps at most maxMotions on their way.
const (
	motionBunch = 4
	maxMotions  = 2 * motionBunch
)

// Buttons; the bit of a button in a set is 1<<(button-1).
const (
	ButtonLeft uint8 = 1 + iota
	ButtonMiddle
	ButtonRight
	ButtonUp
	ButtonDown
	ButtonSide
	ButtonExtra
)

// Inputs is the inputs channel. Its methods may be called from any goroutine.
type Inputs struct {
	*conn
	mu        sync.Mutex
	modifiers uint16
	acks      int // acknowledgements received
	motions   int // motions sent and not known to be received
}

func (in *Inputs) opened() error { return nil }
func (in *Inputs) closed()       {}

func (in *Inputs) message(msg uint16, body []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgInputsInit, wire.MsgInputsKeyModifiers:
		in.modifiers = r.U16()
	case wire.MsgInputsMouseMotionAck:
		in.acks++
		in.motions = max(0, in.motions-motionBunch)
	default:
		return ErrUnknown
	}
	return r.Err()
}

// Modifiers is the state of the locks: bit 0 scroll, 1 num, 2 caps.
func (in *Inputs) Modifiers() uint16 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.modifiers
}

// Acks is how many acknowledgements have come, one for four motions.
func (in *Inputs) Acks() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.acks
}

// KeyDown presses a key: up to four bytes of scan code (set 1), lowest first.
func (in *Inputs) KeyDown(code uint32) error {
	return in.send(wire.MsgcInputsKeyDown, func(w *wire.Writer) { w.U32(code) })
}

// KeyUp releases a key; code includes the release bit, as in 0x9e.
func (in *Inputs) KeyUp(code uint32) error {
	return in.send(wire.MsgcInputsKeyUp, func(w *wire.Writer) { w.U32(code) })
}

// Scancodes sends raw bytes of scan codes. The server must have
// wire.CapInputsKeyScancode.
func (in *Inputs) Scancodes(codes ...byte) error {
	return in.send(wire.MsgcInputsKeyScancode, func(w *wire.Writer) { w.Bytes(codes) })
}

// SetModifiers asks for a state of the locks, bits as in Modifiers.
func (in *Inputs) SetModifiers(locks uint16) error {
	return in.send(wire.MsgcInputsKeyModifiers, func(w *wire.Writer) { w.U16(locks) })
}

// Motion moves the pointer by (dx,dy), for the server's mouse mode. buttons is
// the set of those pressed. It waits while too many motions are on their way.
func (in *Inputs) Motion(ctx context.Context, dx, dy int32, buttons uint16) error {
	if err := in.claim(ctx); err != nil {
		return err
	}
	return in.send(wire.MsgcInputsMouseMotion, func(w *wire.Writer) { w.I32(dx); w.I32(dy); w.U16(buttons) })
}

// Position puts the pointer at (x,y) of a display, for the client's mouse
// mode. It waits while too many motions are on their way.
func (in *Inputs) Position(ctx context.Context, x, y uint32, buttons uint16, display uint8) error {
	if err := in.claim(ctx); err != nil {
		return err
	}
	return in.send(wire.MsgcInputsMousePosition, func(w *wire.Writer) {
		w.U32(x)
		w.U32(y)
		w.U16(buttons)
		w.U8(display)
	})
}

// Press presses a button; buttons is the set of those pressed from then on.
func (in *Inputs) Press(button uint8, buttons uint16) error {
	return in.send(wire.MsgcInputsMousePress, func(w *wire.Writer) { w.U8(button); w.U16(buttons) })
}

// Release releases a button; buttons is the set of those pressed from then on.
func (in *Inputs) Release(button uint8, buttons uint16) error {
	return in.send(wire.MsgcInputsMouseRelease, func(w *wire.Writer) { w.U8(button); w.U16(buttons) })
}

// WaitAcked waits until all motions are acknowledged but those of a bunch that
// is not complete.
func (in *Inputs) WaitAcked(ctx context.Context) error {
	return in.waitMotions(ctx, func(n int) bool { return n < motionBunch })
}

// claim waits until another motion may be sent and counts it as sent.
func (in *Inputs) claim(ctx context.Context) error {
	return in.waitMotions(ctx, func(n int) bool {
		if n >= maxMotions {
			return false
		}
		in.motions++
		return true
	})
}

// waitMotions waits until ready agrees with the number of motions on their
// way; ready is called under the mutex.
func (in *Inputs) waitMotions(ctx context.Context, ready func(n int) bool) error {
	return in.session.gate.wait(ctx, func() (bool, error) {
		if err := in.Err(); err != nil {
			return false, err
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		return ready(in.motions), nil
	})
}
