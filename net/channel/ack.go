package channel

import (
	"math"

	"github.com/spiceecs/spiceecs/net/wire"
)

// ackWindow bounds how many messages may be under way: twice the window that
// the client was told, plus one. The client confirms every window messages it
// received after SET_ACK.
type ackWindow struct {
	window     uint32 // 0: no limit
	generation uint32
	synced     uint32 // generation the client has confirmed
	confirmed  uint64 // serial up to which messages count as received
}

// SetAck tells the client to acknowledge every window messages and counts from
// there on.
func (c *Conn) SetAck(window uint32) {
	a := &c.ack
	a.generation++
	a.window = window
	c.Out.Begin(wire.MsgSetAck)
	c.Out.U32(a.generation)
	c.Out.U32(window)
	c.Out.End()
	a.confirmed = c.Out.Serial
}

func (a *ackWindow) sync(generation uint32) { a.synced = generation }

// confirm takes one ACK. One of an older generation, or for messages that were
// never sent, changes nothing.
func (a *ackWindow) confirm(serial uint64) {
	if a.window != 0 && a.synced == a.generation {
		a.confirmed = min(a.confirmed+uint64(a.window), serial)
	}
}

func (a *ackWindow) room(serial uint64) int {
	if a.window == 0 {
		return math.MaxInt
	}
	return max(0, int(2*uint64(a.window)+1)-int(serial-a.confirmed))
}
