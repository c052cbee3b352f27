package spiceecs

import (
	"github.com/spiceecs/spiceecs/net/core"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

// The settings of this file can be changed while clients are connected.

// Prepare does work ahead that the first client would wait for, a few milliseconds
// of it, if no password is asked for.
func (s *Server) Prepare() { s.core.Prepare() }

// DisablePassword lets everybody in.
func (s *Server) DisablePassword() { s.core.DisableTicketing() }

// SetName changes the virtual machine's name, for clients still to come.
func (s *Server) SetName(name string) { s.core.SetName(name) }

// SetUUID changes the virtual machine's UUID, for clients still to come.
func (s *Server) SetUUID(uuid [16]byte) { s.core.SetUUID(uuid) }

// SetSecurity says over which transports channels of a type may be linked.
func (s *Server) SetSecurity(t wire.ChannelType, allowed link.Security) {
	s.core.SetSecurity(t, allowed)
}

// DisconnectAll ends the sessions of all clients.
func (s *Server) DisconnectAll() { s.core.DisconnectAll() }

// SetLEDs tells clients which locks the guest's keyboard has on.
func (s *Server) SetLEDs(l core.Locks) { s.core.KeyboardLEDs(l) }
