package core

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

// server is a core that runs, with a listener.
type server struct {
	*Core
	addr   string
	events chan ClientEvent
}

func startServer(t testing.TB, cfg Config) *server {
	t.Helper()
	if cfg.Clock == nil { // stands still, so that nothing but the test makes messages come
		cfg.Clock = ecs.NewManualClock(time.Unix(1e9, 0))
	}
	s := &server{events: make(chan ClientEvent, 4096)}
	cfg.OnClient = func(e ClientEvent) { s.events <- e }
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Core = c
	t.Cleanup(c.Close)
	s.addr = s.listen(t, c.Serve)
	return s
}

// listen opens a loopback port for serve.
func (s *server) listen(t testing.TB, serve func(net.Listener) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := serve(l); err != nil && !errors.Is(err, link.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	}()
	return l.Addr().String()
}

// await takes events until one says that a client has come, or gone.
func (s *server) await(connected bool) ClientEvent {
	for {
		if e := <-s.events; e.Connected == connected {
			return e
		}
	}
}

// dialLink goes through the link phase and returns its result.
func dialLink(c net.Conn, session uint32, kind, id byte, password string) (uint32, error) {
	body := append(le32(session), kind, id)
	body = append(body, le32(1, 0, 18, 1<<0|1<<3)...)
	if _, err := c.Write(concat([]byte("REDQ"), le32(2, 2, uint32(len(body))), body)); err != nil {
		return 0, err
	}
	head := make([]byte, 16+178)
	if _, err := io.ReadFull(c, head); err != nil {
		return 0, err
	}
	if code := binary.LittleEndian.Uint32(head[16:]); code != 0 {
		return code, nil
	}
	if _, err := io.ReadFull(c, make([]byte, binary.LittleEndian.Uint32(head[12:])-178)); err != nil {
		return 0, err
	}
	key, err := x509.ParsePKIXPublicKey(head[20:182])
	if err != nil {
		return 0, err
	}
	ticket, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key.(*rsa.PublicKey), append([]byte(password), 0), nil)
	if err != nil {
		return 0, err
	}
	if _, err := c.Write(append(le32(1), ticket...)); err != nil {
		return 0, err
	}
	result := make([]byte, 4)
	_, err = io.ReadFull(c, result)
	return binary.LittleEndian.Uint32(result), err
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// mustLink links and fails the test if that is refused.
func mustLink(t testing.TB, c net.Conn, session uint32, kind byte, password string) {
	t.Helper()
	if code, err := dialLink(c, session, kind, 0, password); code != 0 || err != nil {
		t.Fatalf("link to channel %d: %d, %v", kind, code, err)
	}
}

// readMessage takes one message with a mini header.
func readMessage(t testing.TB, c net.Conn) (uint16, []byte) {
	t.Helper()
	head := make([]byte, 6)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatalf("reading a message: %v", err)
	}
	body := make([]byte, binary.LittleEndian.Uint32(head[2:]))
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatalf("reading a message: %v", err)
	}
	return binary.LittleEndian.Uint16(head), body
}

// readInit takes INIT and the net test, and returns the session id.
func readInit(t testing.TB, c net.Conn) uint32 {
	t.Helper()
	msg, init := readMessage(t, c)
	if msg != wire.MsgMainInit {
		t.Fatalf("message %d instead of INIT", msg)
	}
	for range 3 {
		msg, ping := readMessage(t, c)
		if msg != wire.MsgPing {
			t.Fatalf("message %d instead of a ping", msg)
		}
		if _, err := c.Write(frame(false, wire.MsgcPong, ping[:12])); err != nil {
			t.Fatal(err)
		}
	}
	return binary.LittleEndian.Uint32(init)
}

func TestSession(t *testing.T) {
	s := startServer(t, Config{})
	password := strings.Repeat("p", link.MaxPassword)
	if err := s.SetPassword(password+"p", 0); !errors.Is(err, ErrPasswordTooLong) {
		t.Errorf("61 bytes: %v", err)
	}
	if code, err := dialLink(dial(t, s.addr), 0, 1, 0, ""); code != 7 || err != nil {
		t.Errorf("no password is set, but %d, %v", code, err)
	}
	if err := s.SetPassword(password, 0); err != nil {
		t.Fatal(err)
	}
	main := dial(t, s.addr)
	mustLink(t, main, 0, 1, password)
	id := readInit(t, main)
	if e := s.await(true); e.Client.ID != id || e.Client.Remote.String() != main.LocalAddr().String() {
		t.Errorf("event %+v, session %d", e, id)
	}
	for _, tc := range []struct {
		session uint32
		kind    byte
		pass    string
		want    uint32
	}{{id, 3, "x", 7}, {id + 1, 3, password, 8}, {0, 3, password, 8}, {id, 1, password, 8}} {
		if code, err := dialLink(dial(t, s.addr), tc.session, tc.kind, 0, tc.pass); code != tc.want || err != nil {
			t.Errorf("%+v: %d, %v", tc, code, err)
		}
	}
	in := dial(t, s.addr)
	mustLink(t, in, id, 3, password)
	if msg, body := readMessage(t, in); msg != wire.MsgInputsInit || len(body) != 2 {
		t.Errorf("message %d %x", msg, body)
	}
	if msg, body := readMessage(t, main); msg != wire.MsgNotify || !bytes.Contains(body, []byte("keyboard channel is insecure\x00")) {
		t.Errorf("message %d %q", msg, body)
	}
	if infos := s.Clients(); len(infos) != 1 || infos[0].ID != id || infos[0].BitRate == 0 && infos[0].LowBandwidth {
		t.Errorf("clients %+v", infos)
	}
	ch := &fakeChannel{kind: wire.ChannelDisplay}
	if err := s.AddChannel(ch); err != nil {
		t.Error(err)
	}
	if code, err := dialLink(dial(t, s.addr), id, 2, 0, password); code != 0 || err != nil {
		t.Errorf("link to a new channel: %d, %v", code, err)
	}
	s.RemoveChannel(ch)
	if _, err := dialLink(dial(t, s.addr), id, 2, 0, password); err != io.EOF {
		t.Errorf("link to a channel that was removed: %v", err)
	}
	s.Disconnect(id + 1)
	s.Disconnect(id)
	for _, c := range []net.Conn{main, in} {
		if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
			t.Errorf("got %x, %v", rest, err)
		}
	}
	if e := s.await(false); e.Client.ID != id {
		t.Errorf("event %+v", e)
	}
}

// TestTLSSession: the same through the copying that TLS needs.
func TestTLSSession(t *testing.T) {
	before := goroutines(0)
	s := startServer(t, Config{})
	s.DisableTicketing()
	s.SetSecurity(wire.ChannelMain, link.TLS)
	s.SetSecurity(wire.ChannelInputs, link.TLS)
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	secure := s.listen(t, func(l net.Listener) error { return s.ServeTLS(l, cfg) })
	if code, err := dialLink(dial(t, s.addr), 0, 1, 0, ""); code != 5 || err != nil {
		t.Errorf("plain: %d, %v", code, err)
	}
	dialTLS := func() net.Conn { return tls.Client(dial(t, secure), &tls.Config{InsecureSkipVerify: true}) }
	main := dialTLS()
	mustLink(t, main, 0, 1, "")
	id := readInit(t, main)
	if e := s.await(true); !e.Client.Secure || e.Client.ID != id {
		t.Errorf("event %+v", e)
	}
	in := dialTLS()
	mustLink(t, in, id, 3, "")
	if msg, _ := readMessage(t, in); msg != wire.MsgInputsInit {
		t.Errorf("message %d", msg)
	}
	if _, err := main.Write(frame(false, wire.MsgcMainAttachChannels, nil)); err != nil {
		t.Fatal(err)
	}
	if msg, body := readMessage(t, main); msg != wire.MsgMainChannelsList || !bytes.Equal(body, []byte{1, 0, 0, 0, 3, 0}) {
		t.Errorf("message %d %x", msg, body)
	}
	main.Close()
	s.await(false)
	if _, err := in.Read(make([]byte, 1)); err == nil {
		t.Error("inputs outlived main")
	}
	in.Close()
	s.Close()
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

func TestAddConn(t *testing.T) {
	s := startServer(t, Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, trusted := range []bool{false, true} {
		c := dial(t, l.Addr().String())
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		want := uint32(7)
		if trusted {
			want = 0
			s.AddTrustedConn(far)
		} else {
			s.AddConn(far)
		}
		if code, err := dialLink(c, 0, 1, 0, "x"); code != want || err != nil {
			t.Errorf("trusted %v: %d, %v", trusted, code, err)
		}
	}
}

// TestSessionsInTurn connects 200 clients, of which half are cut at a random
// byte of link phase or session.
func TestSessionsInTurn(t *testing.T) {
	seed := mrand.Uint64()
	t.Logf("seed %d", seed)
	rnd := mrand.New(mrand.NewPCG(seed, 0))
	s := startServer(t, Config{})
	s.DisableTicketing()
	mustLink(t, dial(t, s.addr), 0, 1, "") // to have everything in place
	s.await(true)
	s.DisconnectAll()
	s.await(false)
	before, fds := goroutines(0), descriptors(t)
	for i := range 200 {
		c := dial(t, s.addr)
		var far net.Conn = c
		if rnd.IntN(2) == 0 {
			far = &cutConn{Conn: c, left: rnd.IntN(16 + 22 + 4 + 128)}
		}
		if code, err := dialLink(far, 0, 1, 0, ""); err == nil && code == 0 {
			id := readInit(t, c)
			talk := concat(frame(false, wire.MsgcMainAttachChannels, nil), frame(false, wire.MsgcMainAgentStart, le32(1)))
			if _, err := c.Write(talk[:rnd.IntN(len(talk)+1)]); err != nil {
				t.Fatalf("client %d: %v", i, err)
			}
			c.Close()
			if e := s.await(false); e.Client.ID != id {
				t.Fatalf("client %d: event %+v", i, e)
			}
		}
		c.Close()
	}
	if infos := s.Clients(); len(infos) != 0 {
		t.Errorf("clients %+v", infos)
	}
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	if n := settledDescriptors(t, fds); n > fds {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
}

// cutConn closes after so many bytes written.
type cutConn struct {
	net.Conn
	left int
}

func (c *cutConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		c.Close()
	}
	return n, err
}

func TestCloseEndsEverything(t *testing.T) {
	before, fds := goroutines(0), descriptors(t)
	s := startServer(t, Config{})
	s.DisableTicketing()
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	secure := s.listen(t, func(l net.Listener) error { return s.ServeTLS(l, cfg) })
	var conns []net.Conn
	for i := range 4 {
		var c net.Conn
		if i%2 == 0 {
			c = dial(t, s.addr)
		} else {
			c = tls.Client(dial(t, secure), &tls.Config{InsecureSkipVerify: true})
		}
		mustLink(t, c, 0, 1, "")
		s.await(true) // without reading a byte more
		conns = append(conns, c)
	}
	conns = append(conns, dial(t, s.addr), dial(t, secure)) // silent ones
	s.Close()
	s.Close()
	for _, c := range conns {
		_, _ = io.ReadAll(c)
		c.Close()
	}
	if infos := s.Clients(); infos != nil {
		t.Errorf("clients %v", infos)
	}
	s.RemoveChannel(&fakeChannel{})
	s.Disconnect(1)
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	if n := settledDescriptors(t, fds); n > fds {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// goroutines counts what is left once everything has had a chance to end.
func goroutines(most int) int {
	return settled(most, runtime.NumGoroutine)
}

func descriptors(t testing.TB) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(d)
}

func settledDescriptors(t testing.TB, most int) int {
	return settled(most, func() int { return descriptors(t) })
}

// settled counts until it is as low as it should get, or no longer changes.
func settled(most int, count func() int) int {
	n := count()
	for range 1 << 17 {
		if n <= most {
			break
		}
		runtime.Gosched()
		n = count()
	}
	return n
}

func ExampleCore() {
	c, err := New(Config{Name: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if err := c.SetPassword("secret", time.Minute); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(c.Clients()), "clients")
	// Output: 0 clients
}
