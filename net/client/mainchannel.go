package client

import (
	"fmt"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Main is what the main channel has told.
type Main struct {
	SessionID     uint32
	Displays      uint32 // how many the server has
	MouseModes    uint32 // a set of wire.MouseServer and wire.MouseClient
	MouseMode     uint32
	Agent         bool // a guest agent is connected
	AgentTokens   uint32
	RAMHint       uint32 // bytes of a device's memory
	Name          string
	UUID          [16]byte
	SwitchHost    string // where the server asks to reconnect to, "" if nowhere
	SwitchPort    uint16
	SwitchTLSPort uint16
}

// mainChannel is the handler of the main channel.
type mainChannel struct {
	*conn
	session *Session

	mu    sync.Mutex
	state Main
	init  bool
	mm    uint32 // multimedia time in ms at mmAt
	mmAt  time.Time
	jump  bool // it was set back or far ahead, which displays have to know
}

func (m *mainChannel) info() Main {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Main returns what the main channel has told so far.
func (s *Session) Main() Main { return s.main.info() }

// MMTime is the server's multimedia clock in milliseconds, extrapolated from
// what it told last.
func (s *Session) MMTime() uint32 {
	m := &s.main
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mm + uint32(s.opts.Clock.Now().Sub(m.mmAt).Milliseconds())
}

// MainStats counts the messages of the main channel.
func (s *Session) MainStats() Stats { return s.main.Stats() }

// RequestMouseMode asks for wire.MouseServer or wire.MouseClient. The answer
// shows in Main.
func (s *Session) RequestMouseMode(mode uint16) error {
	return s.main.send(wire.MsgcMainMouseModeRequest, func(w *wire.Writer) { w.U16(mode) })
}

func (m *mainChannel) opened() error { return nil }
func (m *mainChannel) closed()       {}

func (m *mainChannel) message(msg uint16, body []byte) error {
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgMainInit:
		return m.start(&r)
	case wire.MsgMainChannelsList:
		return m.channelsList(&r)
	case wire.MsgMainMigrateBegin, wire.MsgMainMigrateCancel, wire.MsgMainMigrateEnd:
		return ErrMigration
	case wire.MsgMainAgentData:
		return nil // the client talks to no agent
	}
	m.mu.Lock()
	err := m.update(msg, &r)
	jump := m.jump
	m.jump = false
	m.mu.Unlock()
	if jump {
		for _, d := range m.session.Displays() {
			d.clockSet()
		}
	}
	return err
}

// update takes the messages that merely change the state.
func (m *mainChannel) update(msg uint16, r *wire.Reader) error {
	st := &m.state
	switch msg {
	case wire.MsgMainMouseMode:
		modes, mode := uint32(r.U16()), uint32(r.U16())
		if r.Err() == nil {
			st.MouseModes, st.MouseMode = modes, mode
		}
	case wire.MsgMainMultiMediaTime:
		m.setTime(r.U32())
	case wire.MsgMainAgentConnected:
		st.Agent = true
	case wire.MsgMainAgentConnectedTokens:
		st.Agent, st.AgentTokens = true, r.U32()
	case wire.MsgMainAgentDisconnected:
		r.U32()
		st.Agent = false
	case wire.MsgMainAgentToken:
		st.AgentTokens += r.U32()
	case wire.MsgMainName:
		st.Name = cString(r.Bytes(int(min(uint64(r.U32()), uint64(r.Left())+1))))
	case wire.MsgMainUUID:
		copy(st.UUID[:], r.Bytes(len(st.UUID)))
	case wire.MsgMainMigrateSwitchHost:
		st.SwitchPort, st.SwitchTLSPort = r.U16(), r.U16()
		size := r.U32()
		at := r.At(r.U32())
		st.SwitchHost = cString(at.Bytes(int(min(uint64(size), uint64(at.Left())+1))))
		r.Fail(at.Err())
	default:
		return ErrUnknown
	}
	return r.Err()
}

// cString is p up to its first NUL.
func cString(p []byte) string {
	for i, b := range p {
		if b == 0 {
			return string(p[:i])
		}
	}
	return string(p)
}

// start takes INIT and asks for the list of channels.
func (m *mainChannel) start(r *wire.Reader) error {
	st := Main{
		SessionID: r.U32(), Displays: r.U32(), MouseModes: r.U32(), MouseMode: r.U32(),
		Agent: r.U32() != 0, AgentTokens: r.U32(),
	}
	mm := r.U32()
	st.RAMHint = r.U32()
	if r.Err() != nil {
		return r.Err()
	}
	m.mu.Lock()
	if m.init {
		m.mu.Unlock()
		return fmt.Errorf("a second INIT: %w", wire.ErrMalformed)
	}
	m.state, m.init = st, true
	m.setTime(mm)
	m.mu.Unlock()
	return m.send(wire.MsgcMainAttachChannels, nil)
}

func (m *mainChannel) setTime(ms uint32) {
	now := m.session.opts.Clock.Now()
	step := int32(ms - m.mm - uint32(now.Sub(m.mmAt).Milliseconds()))
	m.mm, m.mmAt, m.jump = ms, now, step < 0 || step > clockJump
}

func (m *mainChannel) channelsList(r *wire.Reader) error {
	n := r.U32()
	if uint64(n)*2 > uint64(r.Left()) {
		return wire.ErrShort
	}
	if !m.init {
		return fmt.Errorf("a list of channels before INIT: %w", wire.ErrMalformed)
	}
	keys := make([]channelKey, n)
	for i := range keys {
		keys[i] = channelKey{wire.ChannelType(r.U8()), r.U8()}
	}
	return m.session.addChannels(keys)
}
