// Package spiceecs is a SPICE server engine: it takes the drawing commands of a
// virtual machine's QXL device and shows its screen to remote clients.
//
// A VMM creates a Server, adds a Device for each QXL device it emulates, and
// gives the server listeners or connections. The device's command rings reach
// the engine through the qxl.Ring that the VMM implements; the pointer and the
// keyboard of the clients reach the VMM through Keyboard, Mouse and Tablet.
//
//	Ring -> Device: one goroutine, its worker -> display and cursor clients
//	VMM  -> Server: one goroutine, the core   -> main and inputs clients
//
// All methods are safe from any goroutine, but none may be called from inside a
// callback (Ring, Keyboard, Mouse, Tablet) except Device.Wakeup.
package spiceecs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/core"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// ErrClosed reports the use of a server or device that has been closed.
var ErrClosed = errors.New("spiceecs: closed")

// Options describe a Server. The zero Options make one that refuses every
// client until SetPassword.
type Options struct {
	Password   string // clients have to know it, at most 60 bytes
	NoPassword bool   // everybody may connect
	Name       string // of the virtual machine, for the clients' title bars
	UUID       [16]byte
	Exclusive  bool // a new client takes over from the one that is there
	MaxClients int  // 0: 32

	HandshakeTimeout time.Duration // 0: 10 s

	Logger *slog.Logger // nil: none
	Clock  ecs.Clock    // nil: the system's

	// OnClient, if set, is told of clients that come and go. It must not block.
	OnClient func(ClientEvent)
	// OnLink, if set, is told what becomes of connections, see LinkEvent. It is
	// called on any goroutine and must not block.
	OnLink func(LinkEvent)
	// OnMouseMode, if set, is told who moves the pointer. It must not block.
	OnMouseMode func(server bool)
}

// LinkEvent tells what has become of a connection: a channel of a client, or none.
type LinkEvent = core.LinkEvent

// ClientEvent tells of a client that has come or gone.
type ClientEvent = core.ClientEvent

// ClientInfo describes a client.
type ClientInfo = core.ClientInfo

// Keyboard, Mouse and Tablet are what clients' input reaches. Their methods are
// called on the server's goroutine and must not block.
type (
	Keyboard = core.Keyboard
	Mouse    = core.Mouse
	Tablet   = core.Tablet
)

// Server accepts clients and shows them its devices.
type Server struct {
	core   *core.Core
	log    *slog.Logger
	clock  ecs.Clock
	pool   *encode.Pool
	caches *encode.Registry

	mu      sync.Mutex
	onMode  func(server bool)
	devices map[uint8]*Device
	closed  bool
	serving sync.WaitGroup
}

// New starts a server without listeners and devices.
func New(o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = ecs.SystemClock{}
	}
	s := &Server{onMode: o.OnMouseMode, log: o.Logger, clock: o.Clock, devices: map[uint8]*Device{}, caches: encode.NewRegistry()}
	c, err := core.New(core.Config{
		Clock: o.Clock, Logger: o.Logger, Name: o.Name, UUID: o.UUID,
		Exclusive: o.Exclusive, MaxClients: o.MaxClients, HandshakeTimeout: o.HandshakeTimeout,
		OnClient: o.OnClient, OnMouseMode: s.mouseMode, OnLink: o.OnLink,
	})
	if err != nil {
		return nil, fmt.Errorf("spiceecs: %w", err)
	}
	s.core, s.pool = c, encode.NewPool()
	switch {
	case o.NoPassword:
		c.DisableTicketing()
	case o.Password != "":
		if err := c.SetPassword(o.Password, 0); err != nil {
			c.Close()
			s.pool.Close()
			return nil, fmt.Errorf("spiceecs: %w", err)
		}
	}
	return s, nil
}

// Serve accepts clients from l until l or the server is closed, and closes l.
// It returns nil after Close.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, s.core.Serve) }

// ServeTLS is Serve for a listener whose clients speak TLS.
func (s *Server) ServeTLS(l net.Listener, cfg *tls.Config) error {
	return s.serve(l, func(l net.Listener) error { return s.core.ServeTLS(l, cfg) })
}

func (s *Server) serve(l net.Listener, accept func(net.Listener) error) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.Close()
		return ErrClosed
	}
	s.serving.Add(1)
	s.mu.Unlock()
	defer s.serving.Done()
	if err := accept(l); err != nil {
		return fmt.Errorf("spiceecs: serving %v: %w", l.Addr(), err)
	}
	return nil
}

// ServeConn takes over a connection that has been accepted elsewhere. It
// returns at once. trusted lets the client in without a password.
func (s *Server) ServeConn(c net.Conn, trusted bool) {
	if trusted {
		s.core.AddTrustedConn(c)
		return
	}
	s.core.AddConn(c)
}

// SetPassword makes clients that connect from now on show it; after lifetime,
// if not 0, nobody is let in any more.
func (s *Server) SetPassword(password string, lifetime time.Duration) error {
	if err := s.core.SetPassword(password, lifetime); err != nil {
		return fmt.Errorf("spiceecs: %w", err)
	}
	return nil
}

// SetKeyboard says where keys go; nil: nowhere.
func (s *Server) SetKeyboard(k Keyboard) { s.core.SetKeyboard(k) }

// SetMouse says where relative pointer motion goes; nil: nowhere.
func (s *Server) SetMouse(m Mouse) { s.core.SetMouse(m) }

// SetTablet says where absolute pointer positions go; nil: nowhere.
func (s *Server) SetTablet(t Tablet) { s.core.SetTablet(t) }

// Clients describes the clients that are connected.
func (s *Server) Clients() []ClientInfo { return s.core.Clients() }

// mouseMode tells the devices who moves the pointer. It runs on the core's
// goroutine.
func (s *Server) mouseMode(mode int) {
	if s.onMode != nil {
		s.onMode(mode == wire.MouseServer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		d.worker.SetServerMouse(mode == wire.MouseServer)
	}
}

// Close ends listeners, clients and devices, and waits until every goroutine
// and descriptor of the server is gone. Guest resources still held have been
// released when it returns.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closed = true
	devices := make([]*Device, 0, len(s.devices))
	for _, d := range s.devices {
		devices = append(devices, d)
	}
	s.mu.Unlock()
	s.core.Close()
	for _, d := range devices {
		d.worker.Close()
	}
	s.pool.Close()
	s.serving.Wait()
	return nil
}
