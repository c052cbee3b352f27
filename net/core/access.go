package core

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

// maxChannels bounds the registered channels; a CHANNELS_LIST has them all.
const maxChannels = 256

// Errors of settings.
var (
	ErrPasswordTooLong  = fmt.Errorf("password longer than %d bytes", link.MaxPassword)
	ErrDuplicateChannel = errors.New("channel registered already")
	ErrTooManyChannels  = errors.New("too many channels")
)

// Capabilities of the core's own channels.
var (
	mainCaps   = wire.NewCaps(wire.CapMainNameAndUUID, wire.CapMainAgentConnectedTokens)
	inputsCaps = wire.NewCaps(wire.CapInputsKeyScancode)
)

// access is what link phases ask for: who may link to what. It is the only
// state that the core's goroutine shares with others.
type access struct {
	clock      ecs.Clock
	maxClients int

	mu       sync.Mutex
	ticket   link.Ticket
	security map[wire.ChannelType]link.Security
	channels []registration // in the order of registration
	sessions map[uint32]struct{}
}

// registration is a channel that clients may link to.
type registration struct {
	kind    wire.ChannelType
	id      uint8
	caps    wire.Caps
	channel Channel // nil: served by the core itself
}

func newAccess(clock ecs.Clock, maxClients int) *access {
	return &access{
		clock: clock, maxClients: maxClients,
		security: map[wire.ChannelType]link.Security{},
		channels: []registration{{kind: wire.ChannelInputs, caps: inputsCaps}},
		sessions: map[uint32]struct{}{},
	}
}

// Ticket implements link.Policy.
func (a *access) Ticket() link.Ticket {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ticket
}

func (a *access) setTicket(t link.Ticket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ticket = t
}

func (a *access) setPassword(password string, lifetime time.Duration) error {
	if len(password) > link.MaxPassword {
		return ErrPasswordTooLong
	}
	t := link.Ticket{Password: password}
	if lifetime > 0 {
		t.Expires = a.clock.Now().Add(lifetime)
	}
	a.setTicket(t)
	return nil
}

// Security implements link.Policy.
func (a *access) Security(t wire.ChannelType) link.Security {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.security[t]; ok {
		return s
	}
	return link.Plain | link.TLS
}

func (a *access) setSecurity(t wire.ChannelType, s link.Security) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.security[t] = s
}

// Channel implements link.Policy.
func (a *access) Channel(t wire.ChannelType, id uint8) (wire.Caps, bool) {
	if t == wire.ChannelMain {
		return mainCaps, true
	}
	r, ok := a.find(t, id)
	return r.caps, ok
}

// Admit implements link.Policy. A main channel that names a session comes from
// a client that migrates to this server; being a migration target is not
// supported, so no such session is known here.
func (a *access) Admit(h link.Hello) wire.LinkError {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.sessions[h.ConnectionID]
	switch {
	case h.Type != wire.ChannelMain && known:
		return wire.LinkOK
	case h.Type != wire.ChannelMain || h.ConnectionID != 0:
		return wire.LinkErrBadConnectionID
	case len(a.sessions) >= a.maxClients:
		return wire.LinkErrError
	}
	return wire.LinkOK
}

// open makes a session known, unless the id is taken or there are too many.
func (a *access) open(id uint32) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.sessions[id]; taken || len(a.sessions) >= a.maxClients {
		return false
	}
	a.sessions[id] = struct{}{}
	return true
}

func (a *access) end(id uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, id)
}

func (a *access) find(t wire.ChannelType, id uint8) (registration, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.index(t, id); i >= 0 {
		return a.channels[i], true
	}
	return registration{}, false
}

// index is where a channel stands in the registry, or -1. The caller holds mu.
func (a *access) index(t wire.ChannelType, id uint8) int {
	return slices.IndexFunc(a.channels, func(r registration) bool { return r.kind == t && r.id == id })
}

func (a *access) add(r registration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case r.kind == wire.ChannelMain || a.index(r.kind, r.id) >= 0:
		return fmt.Errorf("channel %v %d: %w", r.kind, r.id, ErrDuplicateChannel)
	case len(a.channels) >= maxChannels:
		return fmt.Errorf("channel %v %d: %w", r.kind, r.id, ErrTooManyChannels)
	}
	a.channels = append(a.channels, r)
	return nil
}

func (a *access) remove(ch Channel) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.channels = slices.DeleteFunc(a.channels, func(r registration) bool { return r.channel == ch })
}

// list is a copy of the registry, newest channel first, which is the order in
// which clients are told.
func (a *access) list() []registration {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := slices.Clone(a.channels)
	slices.Reverse(l)
	return l
}
