package core

import (
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

// agentTokens is how many messages a client may send to an agent before it is
// granted more.
const agentTokens = 10

// NOTIFY values.
const (
	notifyWarning = 1
	notifyHigh    = 2
)

// epochLead keeps the multimedia time of a new server above 0, which is none.
const epochLead = time.Minute

// The messages below go into the batch of the main channel; Pump sends them.

func (m *mainChannel) sendInit() {
	c := m.client.core
	w := &m.conn.Out
	w.Begin(wire.MsgMainInit)
	w.U32(m.client.id)
	w.U32(uint32(len(c.pointer.displays)))
	w.U32(uint32(c.pointer.supported()))
	w.U32(uint32(c.pointer.mode))
	w.U32(0) // no agent is connected
	w.U32(agentTokens)
	w.U32(m.client.core.MultimediaTime())
	w.U32(c.pointer.ramHint())
	w.End()
}

// sendIdentity tells name and UUID to clients that understand it.
func (m *mainChannel) sendIdentity() {
	c := m.client.core
	if !m.client.hello.Caps.Has(wire.CapMainNameAndUUID) {
		return
	}
	w := &m.conn.Out
	if c.name != "" {
		w.Begin(wire.MsgMainName)
		w.U32(uint32(len(c.name) + 1))
		w.Bytes([]byte(c.name))
		w.U8(0)
		w.End()
	}
	if c.uuid != [16]byte{} {
		w.Begin(wire.MsgMainUUID)
		w.Bytes(c.uuid[:])
		w.End()
	}
}

func (m *mainChannel) sendChannels(list []registration) {
	w := &m.conn.Out
	w.Begin(wire.MsgMainChannelsList)
	w.U32(uint32(len(list)))
	for _, r := range list {
		w.U8(uint8(r.kind))
		w.U8(r.id)
	}
	w.End()
}

// sendMouseMode has 16-bit fields, where INIT has 32-bit ones.
func (m *mainChannel) sendMouseMode() {
	p := &m.client.core.pointer
	w := &m.conn.Out
	w.Begin(wire.MsgMainMouseMode)
	w.U16(uint16(p.supported()))
	w.U16(uint16(p.mode))
	w.End()
}

func (m *mainChannel) sendMultimediaTime() {
	w := &m.conn.Out
	w.Begin(wire.MsgMainMultiMediaTime)
	w.U32(m.client.core.MultimediaTime())
	w.End()
}

func (m *mainChannel) sendMigrateCancel() {
	m.conn.Out.Begin(wire.MsgMainMigrateCancel)
	m.conn.Out.End()
}

// sendNotify shows a warning to the user. The text's length on the wire does
// not count the NUL that follows it.
func (m *mainChannel) sendNotify(text string) {
	w := &m.conn.Out
	w.Begin(wire.MsgNotify)
	w.U64(uint64(m.client.core.loop.Clock().Now().UnixNano()))
	w.U32(notifyWarning)
	w.U32(notifyHigh)
	w.U32(0) // what it is about: nothing in particular
	w.U32(uint32(len(text)))
	w.Bytes([]byte(text))
	w.U8(0)
	w.End()
}

// MultimediaTime is the multimedia clock in milliseconds, which clients are told.
// They show a frame of a video when it has reached the time on the frame. It wraps.
func (c *Core) MultimediaTime() uint32 { return millis(c.cfg.Clock.Now().Sub(c.epoch)) }

// TellTime tells a client the multimedia time: its clock drifts.
func (c *Core) TellTime(client uint32) {
	c.post(func() {
		if cl := c.clients[client]; cl != nil {
			cl.main.sendMultimediaTime()
			cl.main.conn.Pump()
		}
	})
}

// eachMain makes every client's main channel send something.
func (c *Core) eachMain(send func(*mainChannel)) {
	for _, cl := range c.clients {
		send(cl.main)
		cl.main.conn.Pump()
	}
}

func millis(d time.Duration) uint32 { return uint32(d.Milliseconds()) }
