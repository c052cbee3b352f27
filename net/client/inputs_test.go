package client

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
)

func connectInputs(t *testing.T) (*clienttest.Conn, *Inputs) {
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{inputs0}}, Options{})
	return srv.Channel(wire.ChannelInputs, 0), s.Inputs()
}

// TestInputs checks every message against its bytes.
func TestInputs(t *testing.T) {
	c, in := connectInputs(t)
	c.Send(wire.MsgInputsInit, func(w *wire.Writer) { w.U16(2) })
	c.Sync()
	if got := in.Modifiers(); got != 2 {
		t.Errorf("modifiers %d", got)
	}
	c.Send(wire.MsgInputsKeyModifiers, func(w *wire.Writer) { w.U16(6) })
	c.Sync()
	if got := in.Modifiers(); got != 6 {
		t.Errorf("modifiers %d", got)
	}
	ctx := t.Context()
	for _, tc := range []struct {
		send func() error
		msg  uint16
		want []byte
	}{
		{func() error { return in.KeyDown(0x4be0) }, wire.MsgcInputsKeyDown, []byte{0xe0, 0x4b, 0, 0}},
		{func() error { return in.KeyUp(0x9e) }, wire.MsgcInputsKeyUp, []byte{0x9e, 0, 0, 0}},
		{func() error { return in.Scancodes(0xe0, 0x4b) }, wire.MsgcInputsKeyScancode, []byte{0xe0, 0x4b}},
		{func() error { return in.SetModifiers(5) }, wire.MsgcInputsKeyModifiers, []byte{5, 0}},
		{func() error { return in.Motion(ctx, -1, 258, 4) }, wire.MsgcInputsMouseMotion, []byte{255, 255, 255, 255, 2, 1, 0, 0, 4, 0}},
		{func() error { return in.Position(ctx, 3, 4, 1, 2) }, wire.MsgcInputsMousePosition, []byte{3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 2}},
		{func() error { return in.Press(ButtonRight, 4) }, wire.MsgcInputsMousePress, []byte{3, 4, 0}},
		{func() error { return in.Release(ButtonExtra, 0) }, wire.MsgcInputsMouseRelease, []byte{7, 0, 0}},
	} {
		if err := tc.send(); err != nil {
			t.Fatal(err)
		}
		if got := c.Expect(tc.msg); !slices.Equal(got, tc.want) {
			t.Errorf("message %d: % x, want % x", tc.msg, got, tc.want)
		}
	}
}

// TestMotionFlow sends as many motions as may be on their way.
func TestMotionFlow(t *testing.T) {
	c, in := connectInputs(t)
	for range maxMotions {
		if err := in.Motion(t.Context(), 1, 1, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Motion(canceled(t), 1, 1, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("one motion too many: %v", err)
	}
	ack := func() { c.Send(wire.MsgInputsMouseMotionAck, nil) }
	ack()
	if err := in.Motion(t.Context(), 1, 1, 0); err != nil { // waits for the acknowledgement
		t.Fatal(err)
	}
	if err := in.WaitAcked(canceled(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("5 motions are on their way: %v", err)
	}
	ack()
	if err := in.WaitAcked(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in.Acks() != 2 || in.motions != 1 {
		t.Errorf("%d acknowledgements, %d motions on their way", in.Acks(), in.motions)
	}
	c.SendBytes(200, nil)
	<-in.Done()
	if err := in.Motion(t.Context(), 1, 1, 0); !errors.Is(err, ErrUnknown) {
		t.Errorf("motion on a channel that ended: %v", err)
	}
}
