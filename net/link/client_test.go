package link

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
)

// The client's bytes are put together here from the protocol's tables, without
// any of the package's own encoders.

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func le32(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

// hello is a link header and message. caps holds common and channel words.
func hello(session uint32, channel, id byte, common, caps []uint32) []byte {
	body := append(le32(session), channel, id)
	body = append(body, le32(uint32(len(common)), uint32(len(caps)), 18)...)
	body = append(append(body, le32(common...)...), le32(caps...)...)
	return append(append([]byte("REDQ"), le32(2, 2, uint32(len(body)))...), body...)
}

// refusal is the reply that refuses a link message.
func refusal(code uint32) []byte {
	b := append([]byte("REDQ"), le32(2, 2, 178, code)...)
	return append(b, make([]byte, 174)...)
}

// seal encrypts a password with the key of a reply.
func seal(t testing.TB, der []byte, password string) []byte {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatalf("public key: %v", err)
	}
	b, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key.(*rsa.PublicKey), append([]byte(password), 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// policy is a Policy that a test sets up.
type policy struct {
	mu       sync.Mutex
	ticket   Ticket
	security Security
	caps     map[[2]byte]wire.Caps // by type and id
	admit    wire.LinkError
	vanish   bool // channels are gone when the client has been admitted
	admitted bool
}

func (p *policy) Ticket() Ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ticket
}

func (p *policy) setTicket(t Ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ticket = t
}

func (p *policy) Security(wire.ChannelType) Security { return p.security }

func (p *policy) Channel(t wire.ChannelType, id uint8) (wire.Caps, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.vanish && p.admitted {
		return nil, false
	}
	if t == wire.ChannelMain {
		id = 0
	}
	c, ok := p.caps[[2]byte{byte(t), id}]
	return c, ok
}

func (p *policy) Admit(Hello) wire.LinkError {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.admitted = true
	return p.admit
}

// newPolicy lets everybody with password "secret" link to main, inputs 0 (caps
// 1) and cursor 3 (no caps).
func newPolicy() *policy {
	return &policy{
		ticket: Ticket{Password: "secret"}, security: Plain | TLS,
		caps: map[[2]byte]wire.Caps{{1, 0}: {9}, {3, 0}: {1}, {4, 3}: nil},
	}
}

// accepted is what a test's server hands on.
type accepted struct {
	hello Hello
	conn  net.Conn
}

// testServer is a Server on a loopback port.
type testServer struct {
	*Server
	clock    *ecs.ManualClock
	addr     string
	accepted chan accepted
}

func startServer(t testing.TB, p Policy, edit func(*Config)) *testServer {
	t.Helper()
	s := &testServer{
		clock:    ecs.NewManualClock(time.Unix(1e9, 0)),
		accepted: make(chan accepted, 1024),
	}
	cfg := Config{Policy: p, Clock: s.clock, Accept: func(h Hello, c net.Conn) { s.accepted <- accepted{h, c} }}
	if edit != nil {
		edit(&cfg)
	}
	s.Server = NewServer(cfg)
	s.addr = s.listen(t, nil)
	t.Cleanup(s.Close)
	return s
}

// listen serves a further loopback port, with what wrap makes of its listener.
func (s *testServer) listen(t testing.TB, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if wrap != nil {
		l = wrap(l)
	}
	go func() {
		if err := s.Serve(l); err != nil && err != ErrClosed {
			t.Errorf("Serve: %v", err)
		}
	}()
	return addr
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

func send(t testing.TB, c net.Conn, p []byte) {
	t.Helper()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
}

// receive reads n bytes.
func receive(t testing.TB, c io.Reader, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if n, err := io.ReadFull(c, b); err != nil {
		t.Fatalf("got %d of %d bytes (%x): %v", n, len(b), b[:n], err)
	}
	return b
}

// expectEnd checks that the server has nothing more to say than want.
func expectEnd(t testing.TB, c io.Reader, want []byte) {
	t.Helper()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %x, %v, want %x and the end", got, err, want)
	}
}

// keyOf is the public key of a reply with n capability words.
func keyOf(t testing.TB, c io.Reader, n int) []byte {
	t.Helper()
	b := receive(t, c, 16+178+4*n)
	if code := binary.LittleEndian.Uint32(b[16:]); code != 0 {
		t.Fatalf("link reply %d", code)
	}
	return b[20:182]
}

// goroutines counts what is left once everything has had a chance to end.
func goroutines(most int) int {
	n := runtime.NumGoroutine()
	for range 1 << 20 {
		if n <= most {
			break
		}
		runtime.Gosched()
		n = runtime.NumGoroutine()
	}
	return n
}

func descriptors(t testing.TB) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	return len(d)
}
