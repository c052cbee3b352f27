// Package clienttest is a scripted SPICE server for tests of what connects to
// one. It performs the link phase by itself, serves the main channel, and hands
// every other channel to the test, which then sends what it likes:
//
//	srv := clienttest.New(t, clienttest.Config{Channels: …})
//	session, err := client.Dial(ctx, srv.Addr(), client.Options{})
//	c := srv.Channel(wire.ChannelDisplay, 0)
//	c.Send(wire.MsgDisplayMark, nil)
//	c.Sync() // the client has handled everything
//
// Failures end the test. All connections are closed when it is over.
package clienttest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Key names a channel.
type Key struct {
	Type wire.ChannelType
	ID   uint8
}

// Config is what a server offers.
type Config struct {
	Channels   []Key
	Password   string // "": any is right
	TLS        *tls.Config
	FullHeader bool      // do without mini headers
	Caps       wire.Caps // of all channels but main
	RAMHint    uint32
	// Refuse answers the link request of a channel with an error.
	Refuse func(Key) wire.LinkError
}

// Server is a running server.
type Server struct {
	tb   testing.TB
	cfg  Config
	ln   net.Listener
	key  *rsa.PrivateKey
	der  []byte
	wg   sync.WaitGroup
	mu   sync.Mutex
	all  []net.Conn
	chns map[Key]chan *Conn
	over bool
}

// SessionID is the number a server gives its sessions.
const SessionID = 0x5e551011

var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) })

// New starts a server on a free port of the loopback device.
func New(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	key, err := testKey()
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	if cfg.TLS != nil {
		ln = tls.NewListener(ln, cfg.TLS)
	}
	s := &Server{tb: tb, cfg: cfg, ln: ln, key: key, der: der, chns: make(map[Key]chan *Conn)}
	for _, k := range append([]Key{{Type: wire.ChannelMain}}, cfg.Channels...) {
		s.chns[k] = make(chan *Conn, 1)
	}
	s.wg.Go(s.accept)
	tb.Cleanup(s.Close)
	return s
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Close ends all connections.
func (s *Server) Close() {
	s.ln.Close()
	s.mu.Lock()
	s.over = true
	for _, c := range s.all {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Channel waits until the client has opened a channel. For a display, its
// first message has been taken. For main, INIT and the list have been sent.
func (s *Server) Channel(t wire.ChannelType, id uint8) *Conn {
	s.tb.Helper()
	c := s.TryChannel(t, id)
	if c == nil {
		s.tb.Fatalf("the client has not opened the %v channel %d", t, id)
	}
	return c
}

// TryChannel is Channel for other goroutines than the test's. It returns nil
// when the test is over before the client has opened the channel.
func (s *Server) TryChannel(t wire.ChannelType, id uint8) *Conn {
	select {
	case c := <-s.chns[Key{t, id}]:
		return c
	case <-s.tb.Context().Done():
		return nil
	}
}

func (s *Server) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.over {
			nc.Close()
		}
		s.all = append(s.all, nc)
		s.mu.Unlock()
		s.wg.Go(func() {
			if err := s.serve(nc); err != nil {
				s.tb.Logf("test server: %v", err)
				nc.Close()
			}
		})
	}
}

// serve links one connection and gives it to the test.
func (s *Server) serve(nc net.Conn) error {
	c, err := s.link(nc)
	if err != nil || c == nil {
		nc.Close()
		return err
	}
	switch c.Key.Type {
	case wire.ChannelMain:
		if err := s.startMain(c); err != nil {
			return fmt.Errorf("main channel: %w", err)
		}
	case wire.ChannelDisplay:
		msg, body, err := c.Recv()
		if err != nil || msg != wire.MsgcDisplayInit {
			return fmt.Errorf("first message of a display is %d, error %v", msg, err)
		}
		c.Init = append([]byte(nil), body...)
	}
	s.chns[c.Key] <- c
	return nil
}

func (s *Server) startMain(c *Conn) error {
	c.Send(wire.MsgMainInit, func(w *wire.Writer) {
		for _, v := range [...]uint32{SessionID, 1, wire.MouseServer | wire.MouseClient, wire.MouseServer, 0, 10, 1000, s.cfg.RAMHint} {
			w.U32(v)
		}
	})
	msg, _, err := c.Recv()
	if err != nil || msg != wire.MsgcMainAttachChannels {
		return fmt.Errorf("got message %d, error %v, instead of ATTACH_CHANNELS", msg, err)
	}
	c.Send(wire.MsgMainChannelsList, func(w *wire.Writer) {
		w.U32(uint32(len(s.cfg.Channels)))
		for _, k := range s.cfg.Channels {
			w.U8(uint8(k.Type))
			w.U8(k.ID)
		}
	})
	return nil
}

// link performs the server's half of the link phase. A nil Conn without an
// error is a client that was refused on purpose.
func (s *Server) link(nc net.Conn) (*Conn, error) {
	var head [16]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		return nil, fmt.Errorf("link header: %w", err)
	}
	if string(head[:4]) != wire.Magic {
		return nil, fmt.Errorf("link header is % x", head)
	}
	le := binary.LittleEndian
	body := make([]byte, min(le.Uint32(head[12:]), 4096))
	if _, err := io.ReadFull(nc, body); err != nil {
		return nil, fmt.Errorf("link message: %w", err)
	}
	r := wire.NewReader(body)
	session := r.U32()
	key := Key{wire.ChannelType(r.U8()), r.U8()}
	common, own := r.U32(), r.U32()
	at := r.At(r.U32())
	var caps [2]wire.Caps
	for i, n := range [...]uint32{common, own} {
		for ; n > 0; n-- {
			caps[i] = append(caps[i], at.U32())
		}
	}
	if r.Err() != nil || s.chns[key] == nil {
		return nil, fmt.Errorf("bad link request %x for %v", body, key)
	}
	if s.cfg.Refuse != nil {
		if code := s.cfg.Refuse(key); code != wire.LinkOK {
			_, err := nc.Write(LinkReply(code, nil, nil, nil))
			return nil, err
		}
	}
	mine := wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE, wire.CapMiniHeader)
	if s.cfg.FullHeader {
		mine = wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE)
	}
	var chanCaps wire.Caps
	if key.Type != wire.ChannelMain {
		chanCaps = s.cfg.Caps
	}
	if _, err := nc.Write(LinkReply(wire.LinkOK, s.der, mine, chanCaps)); err != nil {
		return nil, err
	}
	result, err := s.ticket(nc)
	if err != nil {
		return nil, err
	}
	if result == wire.LinkOK && (session == 0) != (key.Type == wire.ChannelMain) {
		result = wire.LinkErrBadConnectionID
	}
	if _, err := nc.Write(le.AppendUint32(nil, uint32(result))); err != nil || result != wire.LinkOK {
		return nil, err
	}
	full := s.cfg.FullHeader || !caps[0].Has(wire.CapMiniHeader)
	c := &Conn{Key: key, Caps: caps[1], tb: s.tb, nc: nc}
	c.out.Full = full
	return c, nil
}

// ticket takes the mechanism and the encrypted password.
func (s *Server) ticket(nc net.Conn) (wire.LinkError, error) {
	var msg [4 + 128]byte
	if _, err := io.ReadFull(nc, msg[:]); err != nil {
		return 0, fmt.Errorf("ticket: %w", err)
	}
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, s.key, msg[4:], nil)
	if err != nil || msg[0] != 1 {
		return 0, fmt.Errorf("ticket of mechanism %d: %w", msg[0], err)
	}
	if s.cfg.Password != "" && string(plain) != s.cfg.Password+"\x00" {
		return wire.LinkErrPermissionDenied, nil
	}
	return wire.LinkOK, nil
}

// LinkReply is a link reply with header. An error has neither key nor capabilities.
func LinkReply(code wire.LinkError, der []byte, common, caps wire.Caps) []byte {
	le := binary.LittleEndian
	b := append([]byte(nil), wire.Magic...)
	b = le.AppendUint32(b, wire.VersionMajor)
	b = le.AppendUint32(b, wire.VersionMinor)
	b = le.AppendUint32(b, uint32(178+4*(len(common)+len(caps))))
	b = le.AppendUint32(b, uint32(code))
	b = append(b, append(der, make([]byte, 162-len(der))...)...)
	b = le.AppendUint32(b, uint32(len(common)))
	b = le.AppendUint32(b, uint32(len(caps)))
	b = le.AppendUint32(b, 178)
	for _, c := range []wire.Caps{common, caps} {
		for _, w := range c {
			b = le.AppendUint32(b, w)
		}
	}
	return b
}
