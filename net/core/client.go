package core

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

// maxQueued bounds what a main or inputs channel keeps for a client that does
// not read, in bytes.
const maxQueued = 1 << 20

// errTooMany reports a client beyond Config.MaxClients.
var errTooMany = errors.New("too many clients")

// client is a session: a main channel and what hangs on it.
type client struct {
	core   *Core
	id     uint32 // connection_id of its links
	hello  link.Hello
	since  time.Time
	main   *mainChannel
	inputs *inputsChannel // nil: not linked
	listed bool           // has been sent the list of channels
}

// ClientInfo describes a client.
type ClientInfo struct {
	ID            uint32 // session id, unique among the connected clients
	Remote, Local net.Addr
	Secure        bool // the main channel is TLS
	ConnectedAt   time.Time
	BitRate       uint64        // of the line, in bits per second; 0: not measured
	LowBandwidth  bool          // BitRate was measured, and is low
	RoundTrip     time.Duration // smallest measured; 0: none yet
	SentBytes     int64         // over the main channel
	ReceivedBytes int64
}

// ClientEvent tells that a client has come or gone.
type ClientEvent struct {
	Connected bool
	Client    ClientInfo
	Err       error // why it has gone
}

func (cl *client) info() ClientInfo {
	m := cl.main
	return ClientInfo{
		ID: cl.id, Remote: cl.hello.Remote, Local: cl.hello.Local, Secure: cl.hello.Secure,
		ConnectedAt: cl.since, BitRate: m.test.bitRate, LowBandwidth: m.test.low(),
		RoundTrip: m.conn.RoundTrip(), SentBytes: m.conn.SentBytes(), ReceivedBytes: m.conn.ReceivedBytes(),
	}
}

// attach gives a connection to whom it belongs.
func (c *Core) attach(h link.Hello, fd int) {
	var err error
	switch {
	case h.Type == wire.ChannelMain:
		err = c.attachMain(h, fd)
	case c.clients[h.ConnectionID] == nil:
		err = wire.LinkErrBadConnectionID // it has gone since the link result
	case h.Type == wire.ChannelInputs:
		err = c.attachInputs(c.clients[h.ConnectionID], h, fd)
	default:
		err = c.attachOther(c.clients[h.ConnectionID], h, fd)
	}
	if err != nil {
		c.log.Warn("channel refused", "remote", h.Remote, "channel", h.Type, "id", h.ID, "error", err)
		_ = unix.Close(fd)
		c.refused(h)
	}
}

// LinkState is what has become of a connection.
type LinkState uint8

// States in their order; a connection ends as LinkRefused or LinkEnded.
const (
	LinkOpened  LinkState = iota // the link phase begins
	LinkRefused                  // it did not lead to a channel
	LinkUp                       // a client has linked to a channel
	LinkEnded                    // a main or inputs channel has ended
)

// LinkEvent tells what has become of a connection.
type LinkEvent struct {
	State  LinkState
	Client uint32 // session id, from LinkUp on
	Hello  link.Hello
}

func (c *Core) opened(h link.Hello)  { c.linked(LinkOpened, 0, h) }
func (c *Core) refused(h link.Hello) { c.linked(LinkRefused, 0, h) }

func (c *Core) linked(state LinkState, client uint32, h link.Hello) {
	if c.cfg.OnLink != nil {
		c.cfg.OnLink(LinkEvent{state, client, h})
	}
}

// attachMain makes a new client.
func (c *Core) attachMain(h link.Hello, fd int) error {
	if c.cfg.Exclusive {
		c.disconnectAll()
	}
	cl := &client{core: c, hello: h, since: c.loop.Clock().Now()}
	if !c.openSession(cl) {
		return errTooMany
	}
	m := &mainChannel{client: cl}
	conn, err := channel.New(channel.Config{
		FD: fd, Loop: c.loop, Handler: m, MiniHeader: h.MiniHeader,
		MaxBody: maxMainBody, MaxQueued: maxQueued, Pings: true,
	})
	if err != nil {
		c.access.end(cl.id)
		return err
	}
	m.conn, cl.main = conn, m
	c.clients[cl.id] = cl
	c.log.Info("client connected", "client", cl.id, "remote", h.Remote, "secure", h.Secure)
	if c.cfg.OnClient != nil {
		c.cfg.OnClient(ClientEvent{Connected: true, Client: cl.info()})
	}
	c.linked(LinkUp, cl.id, h)
	m.start()
	return nil
}

// openSession gives cl a random id, which is not 0. Whoever knows it and the
// password can link channels to the session, so it must be hard to guess.
func (c *Core) openSession(cl *client) bool {
	for range 16 {
		var b [4]byte
		_, _ = rand.Read(b[:]) // it never fails
		if cl.id = binary.LittleEndian.Uint32(b[:]); cl.id != 0 && c.access.open(cl.id) {
			return true
		}
	}
	return false
}

// attachOther hands a link to the channel's worker.
func (c *Core) attachOther(cl *client, h link.Hello, fd int) error {
	r, ok := c.access.find(h.Type, h.ID)
	if !ok {
		return wire.LinkErrChannelNotAvailable // removed since the link result
	}
	c.linked(LinkUp, cl.id, h)
	info := cl.info()
	r.channel.Connect(Attachment{FD: fd, Client: info, Hello: h, LowBandwidth: info.LowBandwidth})
	return nil
}

// gone forgets a client whose main channel has closed, and ends its others.
func (cl *client) gone(err error) {
	c := cl.core
	delete(c.clients, cl.id)
	c.access.end(cl.id)
	if cl.inputs != nil {
		cl.inputs.conn.Close(channel.ErrClosed)
	}
	for _, r := range c.access.list() {
		if r.channel != nil {
			r.channel.Disconnect(cl.id)
		}
	}
	if channel.Gone(err) {
		c.log.Info("client disconnected", "client", cl.id, "remote", cl.hello.Remote)
	} else {
		c.log.Warn("client disconnected", "client", cl.id, "remote", cl.hello.Remote, "error", err)
	}
	if c.cfg.OnClient != nil {
		c.cfg.OnClient(ClientEvent{Client: cl.info(), Err: err})
	}
	c.linked(LinkEnded, cl.id, cl.hello)
}
