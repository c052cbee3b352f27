package core

import (
	"errors"

	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

const (
	maxInputsBody = 2048
	// ackBunch is how many movements one MOUSE_MOTION_ACK confirms.
	ackBunch = 4
	// maxCodes is how many scancodes a KEY_DOWN or KEY_UP carries.
	maxCodes = 4
)

var (
	errSecondLink = errors.New("the client has this channel already")
	errNoKeys     = errors.New("no scancodes")
)

// inputsChannel is a client's inputs channel. It implements channel.Handler.
type inputsChannel struct {
	client *client
	hello  link.Hello
	conn   *channel.Conn
	keys   keys
	moves  int // since the last MOUSE_MOTION_ACK
}

// attachInputs starts a client's inputs channel. Over a plain connection
// everybody could read the keys; the user is warned.
func (c *Core) attachInputs(cl *client, h link.Hello, fd int) error {
	if cl.inputs != nil {
		return errSecondLink
	}
	in := &inputsChannel{client: cl}
	conn, err := channel.New(channel.Config{
		FD: fd, Loop: c.loop, Handler: in, MiniHeader: h.MiniHeader,
		MaxBody: maxInputsBody, MaxQueued: maxQueued, Pings: true,
	})
	if err != nil {
		return err
	}
	in.conn, in.hello, cl.inputs = conn, h, in
	c.linked(LinkUp, cl.id, h)
	w := &conn.Out
	w.Begin(wire.MsgInputsInit)
	w.U16(uint16(c.keyboard.refresh()))
	w.End()
	conn.Pump()
	if !h.Secure {
		cl.main.sendNotify("keyboard channel is insecure")
		cl.main.conn.Pump()
	}
	return nil
}

// Message implements channel.Handler.
func (in *inputsChannel) Message(_ *channel.Conn, msg uint16, body []byte) error {
	core := in.client.core
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgcInputsKeyDown, wire.MsgcInputsKeyUp:
		in.key(r.U32())
	case wire.MsgcInputsKeyModifiers:
		if locks := Locks(r.U16()); r.Err() == nil {
			core.keyboard.want(locks & allLocks)
		}
	case wire.MsgcInputsKeyScancode:
		if len(body) == 0 {
			return errNoKeys
		}
		for _, b := range body {
			core.keyboard.scancode(&in.keys, b)
		}
	case wire.MsgcInputsMouseMotion:
		dx, dy, buttons := r.I32(), r.I32(), r.U16()
		if r.Err() == nil {
			in.moved()
			core.pointer.motion(dx, dy, buttons)
		}
	case wire.MsgcInputsMousePosition:
		x, y, buttons, display := r.U32(), r.U32(), r.U16(), r.U8()
		if r.Err() == nil {
			in.moved()
			core.pointer.position(x, y, buttons, display)
		}
	case wire.MsgcInputsMousePress:
		button, buttons := r.U8(), r.U16()
		if r.Err() == nil {
			core.pointer.press(button, buttons)
		}
	case wire.MsgcInputsMouseRelease:
		r.U8()
		if buttons := r.U16(); r.Err() == nil {
			core.pointer.buttons(buttons)
		}
	case wire.MsgcMigrateFlushMark, wire.MsgcMigrateData:
		return ErrUnexpected
	default:
		return channel.ErrUnknown
	}
	return r.Err()
}

// key passes on up to four scancodes, low byte first, that end at a zero.
func (in *inputsChannel) key(code uint32) {
	for range maxCodes {
		b := byte(code)
		if b == 0 {
			return
		}
		in.client.core.keyboard.scancode(&in.keys, b)
		code >>= 8
	}
}

// moved confirms movements, whatever the mouse mode makes of them.
func (in *inputsChannel) moved() {
	if in.moves++; in.moves == ackBunch {
		in.moves = 0
		in.conn.Out.Begin(wire.MsgInputsMouseMotionAck)
		in.conn.Out.End()
	}
}

func (in *inputsChannel) sendLocks() {
	w := &in.conn.Out
	w.Begin(wire.MsgInputsKeyModifiers)
	w.U16(uint16(in.client.core.keyboard.locks))
	w.End()
}

// Fill implements channel.Handler: messages go into the batch as they arise.
func (in *inputsChannel) Fill(*channel.Conn) {}

// Sent implements channel.Handler.
func (in *inputsChannel) Sent(*channel.Conn) {}

// Closed implements channel.Handler.
func (in *inputsChannel) Closed(*channel.Conn, error) {
	cl := in.client
	cl.inputs = nil
	cl.core.keyboard.releaseAll(&in.keys)
	cl.core.linked(LinkEnded, cl.id, in.hello)
}
