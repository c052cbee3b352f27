package core

import (
	"errors"
	"fmt"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/wire"
)

// Limits of a main channel.
const (
	maxMainBody  = 4096 + 11*2048
	maxAgentData = 2048

	// A client that owes an answer, or does not read, may be silent this long.
	stuckAfter = 30 * time.Second
	stuckCheck = 10 * time.Second
)

// Errors that end a main channel.
var (
	ErrUnexpected = errors.New("message does not belong here")
	ErrAgentData  = errors.New("agent data of a size that is not allowed")
)

// mainChannel is a client's main channel. It implements channel.Handler.
type mainChannel struct {
	client   *client
	conn     *channel.Conn
	test     netTest
	watchdog *ecs.Timer
}

// start sends what every client is sent first.
func (m *mainChannel) start() {
	m.sendInit()
	m.sendIdentity()
	if isNetwork(m.client.hello.Remote) {
		m.test.start(m.conn, m.client.core.loop.Clock().Now())
		m.watchdog = m.client.core.loop.NewTimer(m.watch)
		m.watchdog.Reset(stuckAfter)
	}
	m.conn.Pump()
}

// watch ends the connection of a client that has vanished without a word.
func (m *mainChannel) watch() {
	silent := m.client.core.loop.Clock().Now().Sub(m.conn.LastProgress())
	owes := m.conn.Blocked() || m.conn.AwaitsPong() || m.test.running()
	if silent >= stuckAfter && owes {
		m.conn.Close(fmt.Errorf("no answer for %v: %w", silent, channel.ErrStuck))
		return
	}
	m.watchdog.Reset(max(stuckCheck, stuckAfter-silent))
}

// Message implements channel.Handler.
func (m *mainChannel) Message(c *channel.Conn, msg uint16, body []byte) error {
	core := m.client.core
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgcMainAttachChannels:
		m.sendChannels(core.access.list())
		m.client.listed = true
	case wire.MsgcMainMouseModeRequest:
		if mode := int(r.U16()); r.Err() == nil {
			core.requestMouseMode(mode)
		}
	case wire.MsgcMainAgentStart, wire.MsgcMainAgentToken:
		r.U32() // there is no agent that the tokens could be for
	case wire.MsgcMainAgentData:
		if len(body) == 0 || len(body) > maxAgentData {
			return fmt.Errorf("%d bytes: %w", len(body), ErrAgentData)
		}
	case wire.MsgcMainMigrateConnected, wire.MsgcMainMigrateConnSeam:
		m.sendMigrateCancel() // nobody asked it to: it is too late
	case wire.MsgcMainMigrateConnectErr:
	case wire.MsgcMainMigrateEnd, wire.MsgcMainMigrateDstDo,
		wire.MsgcMigrateFlushMark, wire.MsgcMigrateData:
		return ErrUnexpected
	default:
		return channel.ErrUnknown
	}
	return r.Err()
}

// Pong implements channel.PongHandler.
func (m *mainChannel) Pong(_ *channel.Conn, id uint32, _ uint64) {
	if !m.test.pong(id, m.client.core.loop.Clock().Now()) {
		return
	}
	m.client.core.log.Info("line measured", "client", m.client.id,
		"bits_per_second", m.test.bitRate, "round_trip", m.test.latency, "low", m.test.low())
}

// Fill implements channel.Handler: messages go into the batch as they arise.
func (m *mainChannel) Fill(*channel.Conn) {}

// Sent implements channel.Handler.
func (m *mainChannel) Sent(*channel.Conn) {}

// Closed implements channel.Handler.
func (m *mainChannel) Closed(_ *channel.Conn, err error) {
	if m.watchdog != nil {
		m.watchdog.Stop()
	}
	m.client.gone(err)
}
