package link

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
)

// Defaults of a Config.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxOpen = 64
)

// keepAlive is how long a connection may be silent before the kernel probes it.
const keepAlive = 600 * time.Second

// acceptPause is how long Serve waits when the process has run out of descriptors.
const acceptPause = 100 * time.Millisecond

// ErrClosed reports that the server has been closed.
var ErrClosed = errors.New("link server closed")

// Security is the set of transports over which a channel may be linked.
type Security uint8

// Transports.
const (
	Plain Security = 1 << iota
	TLS
)

// Policy decides who may link to what. It is asked from many goroutines at once.
type Policy interface {
	// Ticket returns the password in force.
	Ticket() Ticket
	// Security returns the transports allowed for a channel type.
	Security(wire.ChannelType) Security
	// Channel returns the capabilities of a channel, and whether it exists. For
	// the main channel any id does.
	Channel(t wire.ChannelType, id uint8) (wire.Caps, bool)
	// Admit has the last word over a client that knows the password. Its answer
	// is sent as the link result.
	Admit(Hello) wire.LinkError
}

// Hello is what a link phase has brought out about a connection.
type Hello struct {
	Serial        uint64 // of the connection, unique in the server, from 1 on
	ConnectionID  uint32 // session the channel belongs to, 0 on a new main channel
	Type          wire.ChannelType
	ID            uint8
	Common, Caps  wire.Caps // the client's
	MiniHeader    bool      // both sides use 6-byte headers
	Secure        bool      // TLS
	Remote, Local net.Addr
}

// Config describes a Server. Policy and Accept are required.
type Config struct {
	Policy Policy
	// Accept takes over a connection whose link result 0 has been sent. It runs
	// on the connection's goroutine and must not block for long.
	Accept func(Hello, net.Conn)
	// Opened, if set, is told of a connection whose link phase begins; only
	// Serial and what concerns the transport is known. Refused, if set, is told of
	// one that does not get as far as Accept.
	Opened, Refused func(Hello)
	Clock           ecs.Clock
	Logger          *slog.Logger
	Timeout         time.Duration // for the whole phase; 0: DefaultTimeout
	MaxOpen         int           // connections in the link phase; 0: DefaultMaxOpen
}

// Server takes connections through the link phase. Its methods are safe from
// any goroutine.
type Server struct {
	cfg  Config
	keys *keyPool
	done chan struct{}

	mu        sync.Mutex
	closed    bool
	serial    uint64 // of the last connection
	open      map[net.Conn]struct{}
	listeners map[net.Listener]struct{}
	wg        sync.WaitGroup
}

// NewServer returns a server without listeners.
func NewServer(cfg Config) *Server {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxOpen == 0 {
		cfg.MaxOpen = DefaultMaxOpen
	}
	if cfg.Clock == nil {
		cfg.Clock = ecs.SystemClock{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Opened == nil {
		cfg.Opened = func(Hello) {}
	}
	if cfg.Refused == nil {
		cfg.Refused = func(Hello) {}
	}
	return &Server{
		cfg: cfg, keys: newKeyPool(), done: make(chan struct{}),
		open: map[net.Conn]struct{}{}, listeners: map[net.Listener]struct{}{},
	}
}

// Close ends all listeners and link phases and waits for their goroutines.
// Connections handed to Accept are not touched.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.done)
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.open {
		abort(c)
	}
	s.mu.Unlock()
	s.keys.close()
	s.wg.Wait()
}

// Prepare makes what the first open connection will need, so that it does not have
// to wait. It takes some milliseconds, and does nothing where tickets count.
func (s *Server) Prepare() {
	s.mu.Lock()
	idle := s.closed || !s.cfg.Policy.Ticket().Open
	if !idle {
		s.keys.start(true)
	}
	s.mu.Unlock()
	if !idle {
		_, _ = s.keys.shared() // take will tell
	}
}

// Serve accepts connections until l or the server is closed; then it returns
// nil. For TLS, l is a listener of crypto/tls. It closes l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.register(l) {
		return ErrClosed
	}
	defer s.wg.Done()
	defer s.unregister(l)
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			s.Link(c, false)
		case errors.Is(err, net.ErrClosed):
			return nil
		case temporary(err):
			s.cfg.Logger.Warn("accepting a connection", "error", err)
			s.pause()
		default:
			return fmt.Errorf("accepting a connection: %w", err)
		}
	}
}

func (s *Server) register(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.keys.start(s.cfg.Policy.Ticket().Open)
	s.listeners[l] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *Server) unregister(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// temporary tells errors of one connection, or of a process that is short of
// something, from those of the listener.
func temporary(err error) bool {
	for _, e := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Server) pause() {
	over := make(chan struct{})
	stop := s.cfg.Clock.AfterFunc(acceptPause, func() { close(over) })
	defer stop()
	select {
	case <-over:
	case <-s.done:
	}
}

// Link starts the link phase of a connection, which the server owns from now
// on; a *tls.Conn counts as secure. From a trusted one any password is accepted.
func (s *Server) Link(c net.Conn, trusted bool) {
	s.mu.Lock()
	refused := s.closed || len(s.open) >= s.cfg.MaxOpen
	open := trusted || s.cfg.Policy.Ticket().Open
	if !refused {
		s.keys.start(open)
		s.open[c] = struct{}{}
		s.serial++
		s.wg.Add(1)
	}
	serial := s.serial
	s.mu.Unlock()
	if refused {
		s.cfg.Logger.Warn("connection refused: too many in the link phase", "remote", c.RemoteAddr())
		c.Close()
		return
	}
	_, secure := c.(*tls.Conn)
	h := &handshake{
		server: s, conn: c, trusted: trusted, open: open,
		hello: Hello{Serial: serial, Secure: secure, Remote: c.RemoteAddr(), Local: c.LocalAddr()},
	}
	s.cfg.Opened(h.hello)
	go s.run(h)
}

// run takes one connection through the link phase and hands it on.
func (s *Server) run(h *handshake) {
	defer s.wg.Done()
	c := h.conn // h.conn may become what is inside it
	setKeepAlive(c)
	stop := s.cfg.Clock.AfterFunc(s.cfg.Timeout, func() { abort(c) })
	err := h.run()
	if err != nil {
		h.bye()
	}
	inTime := stop()
	s.mu.Lock()
	delete(s.open, c)
	closed := s.closed
	s.mu.Unlock()
	if err == nil && inTime && !closed {
		s.cfg.Accept(h.hello, h.conn)
		return
	}
	switch {
	case closed:
		err = ErrClosed
	case !inTime:
		err = fmt.Errorf("link phase not done after %v: %w", s.cfg.Timeout, errors.Join(err, os.ErrDeadlineExceeded))
	}
	s.cfg.Logger.Info("connection refused", "remote", c.RemoteAddr(), "error", err)
	c.Close()
	s.cfg.Refused(h.hello)
}

// abort closes c at once, where closing a TLS connection may wait for the peer.
func abort(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	c.Close()
}

func setKeepAlive(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAlive})
	}
}
