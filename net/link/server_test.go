package link

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

var selectAndMini = []uint32{1<<0 | 1<<3}

// with returns b with the bytes at offset at replaced.
func with(b []byte, at int, p ...byte) []byte {
	b = slices.Clone(b)
	copy(b[at:], p)
	return b
}

func TestRefusedLinkMessages(t *testing.T) {
	good := hello(0, 1, 0, selectAndMini, []uint32{9})
	cases := []struct {
		name     string
		bytes    []byte
		security Security
		want     []byte
	}{
		{"magic", with(good, 0, 'X'), 0, refusal(2)},
		{"no HTTP either", []byte("GET / HTTP/1.0\r\n\r\n"), 0, refusal(2)},
		{"major 1", with(good, 4, 1), 0, refusal(4)},
		{"major 3", with(good, 4, 3), 0, refusal(4)},
		{"major 0", with(good, 4, 0), 0, nil},
		{"size 17", with(good, 12, 17), 0, refusal(3)},
		{"size 4097", with(good, 12, 1, 16), 0, refusal(3)},
		{"size 0xffffffff", with(good, 12, 255, 255, 255, 255), 0, refusal(3)},
		{"1025 common words", with(good, 16+6, 1, 4), 0, refusal(3)},
		{"1025 channel words", with(good, 16+10, 1, 4), 0, refusal(3)},
		{"words overflow", with(good, 16+6, 255, 255, 255, 255, 1, 0, 0, 0), 0, refusal(3)},
		{"offset 17", with(good, 16+14, 17), 0, refusal(3)},
		{"offset 19", with(good, 16+14, 19), 0, refusal(3)},
		{"offset wraps", with(good, 16+14, 0xfc, 255, 255, 255), 0, refusal(3)},
		{"plain not allowed", good, TLS, refusal(5)},
		{"nothing allowed", hello(0, 99, 0, selectAndMini, nil), TLS, refusal(5)},
		{"unknown type", hello(0, 99, 0, selectAndMini, nil), 0, nil},
		{"unknown id", hello(1, 4, 2, selectAndMini, nil), 0, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := newPolicy()
			if tc.security != 0 {
				p.security = tc.security
			}
			s := startServer(t, p, nil)
			c := dial(t, s.addr)
			send(t, c, tc.bytes)
			expectEnd(t, c, tc.want)
		})
	}
}

// TestReply checks every byte of the reply that is not the modulus.
func TestReply(t *testing.T) {
	s := startServer(t, newPolicy(), nil)
	tests := []struct {
		hello []byte
		tail  string
	}{
		{hello(0, 1, 0, selectAndMini, nil), "01000000 01000000 b2000000 0b000000 09000000"},
		{hello(0, 1, 77, nil, nil), "01000000 01000000 b2000000 0b000000 09000000"},
		{with(hello(0, 1, 0, nil, nil), 16+14, 3), "01000000 01000000 b2000000 0b000000 09000000"},
		{with(hello(0, 1, 0, selectAndMini, nil), 8, 99), "01000000 01000000 b2000000 0b000000 09000000"},
		{hello(5, 4, 3, selectAndMini, nil), "01000000 00000000 b2000000 0b000000"},
	}
	seen := map[string]bool{}
	for _, tc := range tests {
		c := dial(t, s.addr)
		send(t, c, tc.hello)
		tail := unhex(t, tc.tail)
		b := receive(t, c, 16+4+162+len(tail))
		size := byte(178 - 12 + len(tail))
		if want := append([]byte("REDQ"), 2, 0, 0, 0, 2, 0, 0, 0, size, 0, 0, 0, 0, 0, 0, 0); !bytes.Equal(b[:20], want) {
			t.Errorf("reply starts with %x, want %x", b[:20], want)
		}
		der := b[20:182]
		if want := unhex(t, "30819f 300d06092a864886f70d0101010500 03818d00 308189 02818100"); !bytes.HasPrefix(der, want) || der[29]&0x80 == 0 {
			t.Errorf("key starts with %x", der[:30])
		}
		if want := unhex(t, "0203 010001"); !bytes.HasSuffix(der, want) {
			t.Errorf("key ends with %x", der[len(der)-5:])
		}
		if !bytes.Equal(b[182:], tail) {
			t.Errorf("reply ends with %x, want %x", b[182:], tail)
		}
		if seen[string(der)] {
			t.Error("a key was used twice")
		}
		seen[string(der)] = true
	}
}

// TestTickets goes through the states of the server and what a client may send.
func TestTickets(t *testing.T) {
	longest := strings.Repeat("x", 60)
	secret := Ticket{Password: "secret"}
	now := time.Unix(1e9, 0)
	cases := []struct {
		name     string
		ticket   Ticket
		password string
		after    time.Duration
		want     uint32
	}{
		{"right", secret, "secret", 0, 0},
		{"wrong", secret, "Secret", 0, 7},
		{"prefix", secret, "secre", 0, 7},
		{"longer", secret, "secrets", 0, 7},
		{"empty", secret, "", 0, 7},
		{"what follows NUL does not count", secret, "secret\x00more", 0, 0},
		{"none set", Ticket{}, "", 0, 7},
		{"none set, some sent", Ticket{}, "secret", 0, 7},
		{"open", Ticket{Open: true}, "whatever", 0, 0},
		{"60 bytes", Ticket{Password: longest}, longest, 0, 0},
		{"59 of 60 bytes", Ticket{Password: longest}, longest[:59], 0, 7},
		{"before the end", Ticket{Password: "secret", Expires: now.Add(5 * time.Second)}, "secret", 4 * time.Second, 0},
		{"in the last second", Ticket{Password: "secret", Expires: now.Add(5 * time.Second)}, "secret", 5*time.Second + 999*time.Millisecond, 0},
		{"expired", Ticket{Password: "secret", Expires: now.Add(5 * time.Second)}, "secret", 6 * time.Second, 7},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := newPolicy()
			p.ticket = tc.ticket
			s := startServer(t, p, nil)
			s.clock.Advance(tc.after)
			c := dial(t, s.addr)
			send(t, c, hello(0, 1, 0, selectAndMini, nil))
			send(t, c, append(le32(1), seal(t, keyOf(t, c, 2), tc.password)...))
			if tc.want != 0 {
				expectEnd(t, c, le32(tc.want))
				return
			}
			if got := receive(t, c, 4); !bytes.Equal(got, le32(0)) {
				t.Fatalf("link result %x", got)
			}
			a := <-s.accepted
			defer a.conn.Close()
			if a.hello.Type != wire.ChannelMain || !a.hello.MiniHeader || a.hello.Secure ||
				a.hello.Remote.String() != c.LocalAddr().String() || a.hello.Local.String() != c.RemoteAddr().String() {
				t.Errorf("hello %+v", a.hello)
			}
		})
	}
}

func TestHello(t *testing.T) {
	p := newPolicy()
	s := startServer(t, p, nil)
	c := dial(t, s.addr)
	send(t, c, hello(0xdeadbeef, 4, 3, nil, []uint32{3, 0x80000000}))
	send(t, c, seal(t, keyOf(t, c, 1), "secret")) // no mechanism: it cannot choose
	receive(t, c, 4)
	a := <-s.accepted
	defer a.conn.Close()
	h := a.hello
	if h.ConnectionID != 0xdeadbeef || h.Type != 4 || h.ID != 3 || h.MiniHeader || len(h.Common) != 0 ||
		!h.Caps.Has(0) || !h.Caps.Has(1) || h.Caps.Has(2) || !h.Caps.Has(63) {
		t.Errorf("hello %+v", h)
	}
}

func TestMechanisms(t *testing.T) {
	for _, m := range []uint32{0, 2, 3, 1 << 31} {
		s := startServer(t, newPolicy(), nil)
		c := dial(t, s.addr)
		send(t, c, hello(0, 1, 0, selectAndMini, nil))
		keyOf(t, c, 2)
		send(t, c, le32(m))
		expectEnd(t, c, refusal(3))
	}
}

func TestResults(t *testing.T) {
	cases := []struct {
		name   string
		edit   func(*policy)
		garble bool
		want   uint32
	}{
		{"garbage", func(*policy) {}, true, 7},
		{"garbage while open", func(p *policy) { p.ticket = Ticket{Open: true} }, true, 7},
		{"bad connection id", func(p *policy) { p.admit = wire.LinkErrBadConnectionID }, false, 8},
		{"channel vanished", func(p *policy) { p.vanish = true }, false, 9},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := newPolicy()
			tc.edit(p)
			s := startServer(t, p, nil)
			c := dial(t, s.addr)
			send(t, c, hello(7, 3, 0, selectAndMini, nil))
			ticket := seal(t, keyOf(t, c, 2), "secret")
			if tc.garble {
				ticket[64] ^= 1
			}
			send(t, c, append(le32(1), ticket...))
			expectEnd(t, c, le32(tc.want))
		})
	}
}

func TestTrusted(t *testing.T) {
	s := startServer(t, newPolicy(), nil)
	near, far := net.Pipe()
	defer near.Close()
	s.Link(far, true)
	send(t, near, hello(0, 1, 0, nil, nil))
	send(t, near, seal(t, keyOf(t, near, 2), "not the password"))
	if got := receive(t, near, 4); !bytes.Equal(got, le32(0)) {
		t.Fatalf("link result %x", got)
	}
	a := <-s.accepted
	a.conn.Close()
}

// TestSharedKey: where any ticket will do, connections share a key. A password
// that is set meanwhile is not to be proved with it.
func TestSharedKey(t *testing.T) {
	p := newPolicy()
	p.setTicket(Ticket{Open: true})
	s := startServer(t, p, nil)
	s.Prepare()
	var conns [2]net.Conn
	var keys [2][]byte
	for i := range conns {
		conns[i] = dial(t, s.addr)
		send(t, conns[i], hello(0, 1, 0, nil, nil))
		keys[i] = keyOf(t, conns[i], 2)
	}
	if !bytes.Equal(keys[0], keys[1]) {
		t.Error("two keys were made")
	}
	send(t, conns[0], seal(t, keys[0], "secret"))
	if got := receive(t, conns[0], 4); !bytes.Equal(got, le32(0)) {
		t.Fatalf("link result %x", got)
	}
	a := <-s.accepted
	a.conn.Close()
	p.setTicket(Ticket{Password: "secret"})
	send(t, conns[1], seal(t, keys[1], "secret"))
	expectEnd(t, conns[1], le32(7))
	c := dial(t, s.addr)
	send(t, c, hello(0, 1, 0, nil, nil))
	if bytes.Equal(keyOf(t, c, 2), keys[0]) {
		t.Error("the shared key is used for a ticket that counts")
	}
}

// TestTruncation has the client vanish behind every byte that it could send.
func TestTruncation(t *testing.T) {
	before, fds := goroutines(0), descriptors(t)
	s := startServer(t, newPolicy(), nil)
	whole := hello(0, 1, 0, selectAndMini, []uint32{9})
	total := len(whole) + 4 + 128
	for n := range total {
		c := dial(t, s.addr)
		send(t, c, whole[:min(n, len(whole))])
		if n >= len(whole) {
			rest := append(le32(1), seal(t, keyOf(t, c, 2), "secret")...)
			send(t, c, rest[:n-len(whole)])
		}
		c.Close()
	}
	s.Close()
	if len(s.accepted) != 0 {
		t.Errorf("%d of the truncated link phases succeeded", len(s.accepted))
	}
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	if n := descriptors(t); n > fds {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
}

func TestSilentClients(t *testing.T) {
	s := startServer(t, newPolicy(), nil)
	whole := hello(0, 1, 0, selectAndMini, nil)
	var conns []net.Conn
	for _, n := range []int{0, 3, 4, 15, 20, len(whole)} {
		c := dial(t, s.addr)
		send(t, c, whole[:n])
		conns = append(conns, c)
	}
	keyOf(t, conns[len(conns)-1], 2)
	s.awaitOpen(len(conns))
	s.clock.Advance(DefaultTimeout - 1)
	s.awaitOpen(len(conns))
	s.clock.Advance(1)
	for _, c := range conns {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a silent client got something")
		}
	}
	s.awaitOpen(0)
}

// awaitOpen waits until n connections are in the link phase.
func (s *testServer) awaitOpen(n int) {
	for done := false; !done; {
		s.mu.Lock()
		done = len(s.open) == n
		s.mu.Unlock()
	}
}

func TestMaxOpen(t *testing.T) {
	s := startServer(t, newPolicy(), func(c *Config) { c.MaxOpen = 2 })
	first, second := dial(t, s.addr), dial(t, s.addr)
	s.awaitOpen(2)
	expectEnd(t, dial(t, s.addr), nil)
	first.Close()
	s.awaitOpen(1)
	third := dial(t, s.addr)
	s.awaitOpen(2)
	for _, c := range []net.Conn{second, third} {
		send(t, c, hello(0, 1, 0, nil, nil))
		keyOf(t, c, 2)
	}
}

func TestManyWrongPasswords(t *testing.T) {
	s := startServer(t, newPolicy(), nil)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			c := dial(t, s.addr)
			send(t, c, hello(0, 1, 0, selectAndMini, nil))
			send(t, c, append(le32(1), seal(t, keyOf(t, c, 2), fmt.Sprint("guess", i))...))
			expectEnd(t, c, le32(7))
		})
	}
	wg.Wait()
	c := dial(t, s.addr)
	send(t, c, hello(0, 1, 0, selectAndMini, nil))
	send(t, c, append(le32(1), seal(t, keyOf(t, c, 2), "secret")...))
	receive(t, c, 4)
	a := <-s.accepted
	a.conn.Close()
}

// TestConnectionsInTurn kills half of 200 connections at random bytes.
func TestConnectionsInTurn(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	s := startServer(t, newPolicy(), nil)
	before, fds := goroutines(0), descriptors(t)
	for range 200 {
		c := dial(t, s.addr)
		whole := hello(0, 1, 0, selectAndMini, nil)
		cut := rnd.IntN(len(whole))
		if rnd.IntN(2) == 0 {
			send(t, c, whole[:cut])
			c.Close()
			continue
		}
		send(t, c, whole)
		send(t, c, append(le32(1), seal(t, keyOf(t, c, 2), "secret")...))
		receive(t, c, 4)
		a := <-s.accepted
		a.conn.Close()
		c.Close()
	}
	s.awaitOpen(0)
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	if n := descriptors(t); n > fds {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	before, fds := goroutines(0), descriptors(t)
	s := startServer(t, newPolicy(), nil)
	silent := dial(t, s.addr)
	s.awaitOpen(1)
	s.Close()
	s.Close()
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("still connected")
	}
	silent.Close()
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	if n := descriptors(t); n > fds {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(l); !errors.Is(err, ErrClosed) {
		t.Errorf("Serve on a closed server: %v", err)
	}
	near, far := net.Pipe()
	s.Link(far, true)
	if _, err := near.Read(make([]byte, 1)); err == nil {
		t.Error("a closed server serves")
	}
}

// memConn is a connection whose client has sent all it ever will.
type memConn struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (c *memConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *memConn) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c *memConn) LocalAddr() net.Addr         { return nil }
func (c *memConn) RemoteAddr() net.Addr        { return nil }
func (c *memConn) Close() error                { return nil }

// FuzzHandshake feeds a link phase anything. What comes out is one of the
// answers that the protocol knows, and no client without the password gets in.
func FuzzHandshake(f *testing.F) {
	f.Add(hello(0, 1, 0, selectAndMini, []uint32{9}))
	f.Add(append(hello(0, 1, 0, nil, nil), make([]byte, 128)...))
	f.Add(append(hello(0, 1, 0, selectAndMini, nil), le32(2)...))
	f.Add([]byte("GET / HTTP/1.1\r\nSec-WebSocket-Key: eA==\r\n\r\n\x82\x04REDQ"))
	keys := newKeyPool()
	keys.start(false)
	key, _, err := keys.take(false)
	if err != nil {
		f.Fatal(err)
	}
	keys.close()
	fixed := &keyPool{keys: make(chan *rsa.PrivateKey, 1), done: make(chan struct{})}
	s := &Server{cfg: Config{Policy: newPolicy()}, keys: fixed}
	f.Fuzz(func(t *testing.T, in []byte) {
		select {
		case fixed.keys <- key:
		default:
		}
		c := &memConn{in: bytes.NewReader(in)}
		h := handshake{server: s, conn: c}
		if h.run() == nil {
			t.Fatal("let in without a password")
		}
		out := c.out.Bytes()
		if i := bytes.Index(out, []byte("REDQ")); i >= 0 && bytes.HasPrefix(in, []byte("REDQ")) {
			if code := binary.LittleEndian.Uint32(out[i+16:]); code > 9 {
				t.Fatalf("code %d", code)
			}
		} else if bytes.HasPrefix(in, []byte("REDQ")) && len(out) > 0 {
			t.Fatalf("answered %x", out)
		}
	})
}

// BenchmarkLink is one whole link phase, the making of its key included.
func BenchmarkLink(b *testing.B) {
	s := startServer(b, newPolicy(), nil)
	for b.Loop() {
		c := dial(b, s.addr)
		send(b, c, hello(0, 1, 0, selectAndMini, nil))
		send(b, c, append(le32(1), seal(b, keyOf(b, c, 2), "secret")...))
		receive(b, c, 4)
		a := <-s.accepted
		a.conn.Close()
		c.Close()
	}
}
