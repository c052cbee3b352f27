package core

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/sock"
)

// DefaultMaxClients is how many clients may be connected at once.
const DefaultMaxClients = 32

// Config describes a Core. The zero Config is one that admits nobody: a
// password has to be set, or ticketing disabled.
type Config struct {
	Clock  ecs.Clock    // nil: the system's
	Logger *slog.Logger // nil: none
	Name   string       // of the virtual machine, shown by clients
	UUID   [16]byte     // of the virtual machine; zero: none

	// Exclusive makes a new client disconnect the ones that are there.
	Exclusive  bool
	MaxClients int // 0: DefaultMaxClients

	HandshakeTimeout time.Duration // for a link phase; 0: link.DefaultTimeout
	MaxHandshakes    int           // link phases at once; 0: link.DefaultMaxOpen

	// Callbacks, on the core's goroutine. They must not block.
	OnClient    func(ClientEvent)
	OnMouseMode func(mode int) // wire.MouseServer or wire.MouseClient
	// OnLink is told what becomes of connections. LinkOpened and LinkRefused come
	// on any goroutine.
	OnLink func(LinkEvent)
}

// Core is a running server core.
type Core struct {
	cfg    Config
	log    *slog.Logger
	loop   *ecs.Loop
	link   *link.Server
	access *access
	epoch  time.Time // when the multimedia time was 0
	done   chan struct{}
	once   sync.Once

	// All below belongs to the core's goroutine.
	stopping bool
	name     string
	uuid     [16]byte
	clients  map[uint32]*client
	keyboard keyboard
	pointer  pointer
}

// New starts a core without listeners.
func New(cfg Config) (*Core, error) {
	c, err := newCore(cfg)
	if err != nil {
		return nil, err
	}
	go c.run()
	return c, nil
}

// newCore is New without the goroutine.
func newCore(cfg Config) (*Core, error) {
	if cfg.Clock == nil {
		cfg.Clock = ecs.SystemClock{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	loop, err := ecs.NewLoop(cfg.Clock)
	if err != nil {
		return nil, fmt.Errorf("starting the server core: %w", err)
	}
	c := &Core{
		cfg: cfg, log: cfg.Logger, loop: loop,
		access: newAccess(cfg.Clock, cmp.Or(cfg.MaxClients, DefaultMaxClients)),
		epoch:  cfg.Clock.Now().Add(-epochLead),
		done:   make(chan struct{}),
		name:   cfg.Name, uuid: cfg.UUID,
		clients: map[uint32]*client{},
	}
	c.keyboard.init(c)
	c.pointer.init()
	c.link = link.NewServer(link.Config{
		Policy: c.access, Accept: c.accept, Opened: c.opened, Refused: c.refused, Clock: cfg.Clock, Logger: cfg.Logger,
		Timeout: cfg.HandshakeTimeout, MaxOpen: cfg.MaxHandshakes,
	})
	return c, nil
}

func (c *Core) run() {
	defer close(c.done)
	for !c.stopping {
		if err := c.loop.Poll(ecs.Idle); err != nil {
			c.log.Error("server core stopped", "error", err)
			break
		}
	}
	c.tearDown()
}

// tearDown disconnects all clients and frees the loop.
func (c *Core) tearDown() {
	c.disconnectAll()
	c.keyboard.timer.Stop()
	c.loop.Close()
}

// Close ends listeners, link phases and clients, and waits until every
// goroutine and descriptor of the core is gone.
func (c *Core) Close() {
	c.once.Do(func() {
		// No link phase is left that could post a connection behind this.
		c.link.Close()
		c.loop.Post(func() { c.stopping = true })
	})
	<-c.done
}

// post runs f on the core's goroutine, unless the core is closed.
func (c *Core) post(f func()) { c.loop.Post(f) }

// call runs f on the core's goroutine and waits for it, or for the core's end.
func (c *Core) call(f func()) {
	ran := make(chan struct{})
	if !c.loop.Post(func() { f(); close(ran) }) {
		return
	}
	select {
	case <-ran:
	case <-c.done:
	}
}

// Serve accepts plain connections until l or the core is closed. It closes l,
// and returns nil unless l failed; link.ErrClosed if the core was closed before.
func (c *Core) Serve(l net.Listener) error { return c.link.Serve(l) }

// ServeTLS accepts TLS connections as Serve does plain ones. The client speaks
// the same protocol inside; no certificate is asked of it.
func (c *Core) ServeTLS(l net.Listener, cfg *tls.Config) error {
	return c.link.Serve(tls.NewListener(l, cfg))
}

// Prepare makes what the first client will need where no password is asked for.
func (c *Core) Prepare() { c.link.Prepare() }

// AddConn takes over a connection as if a listener had accepted it. A
// *tls.Conn, made with tls.Server, counts as secure.
func (c *Core) AddConn(conn net.Conn) { c.link.Link(conn, false) }

// AddTrustedConn is AddConn for a client whose identity the caller vouches for:
// any password is accepted.
func (c *Core) AddTrustedConn(conn net.Conn) { c.link.Link(conn, true) }

// accept takes a connection over from the link phase, on that one's goroutine.
func (c *Core) accept(h link.Hello, conn net.Conn) {
	fd, err := sock.Adopt(conn)
	if err != nil {
		c.log.Warn("client refused", "remote", h.Remote, "error", err)
		conn.Close()
		c.refused(h)
		return
	}
	sock.SetNoDelay(fd)
	if !c.loop.Post(func() { c.attach(h, fd) }) {
		_ = unix.Close(fd)
		c.refused(h)
	}
}

// SetName changes the name told to clients that connect from now on.
func (c *Core) SetName(name string) { c.post(func() { c.name = name }) }

// SetUUID changes the UUID told to clients that connect from now on.
func (c *Core) SetUUID(uuid [16]byte) { c.post(func() { c.uuid = uuid }) }

// SetPassword turns ticketing on: only password opens the server, for lifetime
// or, if that is 0, for good. An empty password opens it to nobody. Clients
// that are connected stay so, but need the new one for further channels. It
// fails, without any effect, for more than link.MaxPassword bytes.
func (c *Core) SetPassword(password string, lifetime time.Duration) error {
	return c.access.setPassword(password, lifetime)
}

// DisableTicketing lets everybody in.
func (c *Core) DisableTicketing() { c.access.setTicket(link.Ticket{Open: true}) }

// Clients lists the connected clients, oldest first. It waits for the core.
func (c *Core) Clients() []ClientInfo {
	var infos []ClientInfo
	c.call(func() {
		for _, cl := range c.clients {
			infos = append(infos, cl.info())
		}
	})
	slices.SortFunc(infos, func(a, b ClientInfo) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), cmp.Compare(a.ID, b.ID))
	})
	return infos
}

// Disconnect ends the session of one client; if it has gone, nothing happens.
func (c *Core) Disconnect(client uint32) {
	c.post(func() {
		if cl := c.clients[client]; cl != nil {
			cl.main.conn.Close(channel.ErrClosed)
		}
	})
}

// DisconnectAll ends the sessions of all clients.
func (c *Core) DisconnectAll() { c.post(c.disconnectAll) }

func (c *Core) disconnectAll() {
	for _, cl := range c.clients {
		cl.main.conn.Close(channel.ErrClosed)
	}
}
