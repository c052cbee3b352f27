package link

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// certificate makes a self-signed one.
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

// listenTLS serves a TLS port and returns its address.
func (s *testServer) listenTLS(t testing.TB) string {
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	return s.listen(t, func(l net.Listener) net.Listener { return tls.NewListener(l, cfg) })
}

func dialTLS(t testing.TB, addr string) net.Conn {
	t.Helper()
	return tls.Client(dial(t, addr), &tls.Config{InsecureSkipVerify: true})
}

// frames is the client's end of a WebSocket: its writes are text or binary
// frames of a few bytes, its reads put the server's frames together.
type frames struct {
	net.Conn
	left int
}

func (f *frames) Write(p []byte) (int, error) {
	for i := 0; i < len(p); i += 5 {
		part := p[i:min(i+5, len(p))]
		b := append([]byte{0x81 + byte(i%2), 0x80 | byte(len(part)), 1, 2, 3, 4}, part...)
		for k := range part {
			b[6+k] ^= byte(k%4 + 1)
		}
		if _, err := f.Conn.Write(b); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

func (f *frames) Read(p []byte) (int, error) {
	for f.left == 0 {
		var b [2]byte
		if _, err := io.ReadFull(f.Conn, b[:]); err != nil {
			return 0, err
		}
		if f.left = int(b[1]); f.left == 126 {
			if _, err := io.ReadFull(f.Conn, b[:]); err != nil {
				return 0, err
			}
			f.left = int(b[0])<<8 | int(b[1])
		}
	}
	n, err := f.Conn.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

func upgrade(t testing.TB, c net.Conn) net.Conn {
	t.Helper()
	send(t, c, []byte("GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	if got := receive(t, c, len(want)); string(got) != want {
		t.Fatalf("upgrade answered by %q", got)
	}
	return &frames{Conn: c}
}

func TestTransports(t *testing.T) {
	p := newPolicy()
	s := startServer(t, p, nil)
	secure := s.listenTLS(t)
	cases := []struct {
		name   string
		dial   func() net.Conn
		secure bool
	}{
		{"plain", func() net.Conn { return dial(t, s.addr) }, false},
		{"TLS", func() net.Conn { return dialTLS(t, secure) }, true},
		{"WebSocket", func() net.Conn { return upgrade(t, dial(t, s.addr)) }, false},
		{"WebSocket in TLS", func() net.Conn { return upgrade(t, dialTLS(t, secure)) }, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := tc.dial()
			send(t, c, hello(9, 3, 0, selectAndMini, nil))
			send(t, c, append(le32(1), seal(t, keyOf(t, c, 2), "secret")...))
			receive(t, c, 4)
			a := <-s.accepted
			defer a.conn.Close()
			if a.hello.Secure != tc.secure || a.hello.ConnectionID != 9 {
				t.Errorf("hello %+v", a.hello)
			}
			go func() { _, _ = c.Write([]byte("to the server")) }()
			if got := receive(t, a.conn, 13); string(got) != "to the server" {
				t.Errorf("server got %q", got)
			}
			send(t, a.conn, []byte("to the client"))
			if got := receive(t, c, 13); string(got) != "to the client" {
				t.Errorf("client got %q", got)
			}
		})
		t.Run(tc.name+" not allowed", func(t *testing.T) {
			want := refusal(5)
			p.security = TLS
			if tc.secure {
				want, p.security = refusal(6), Plain
			}
			defer func() { p.security = Plain | TLS }()
			c := tc.dial()
			send(t, c, hello(9, 3, 0, selectAndMini, nil))
			if got := receive(t, c, len(want)); string(got) != string(want) {
				t.Errorf("answered %x", got)
			}
		})
	}
}

// TestRefusedUpgrade: an HTTP client gets the protocol's own error.
func TestRefusedUpgrade(t *testing.T) {
	s := startServer(t, newPolicy(), nil)
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Protocol: base64\r\n\r\n",
		"GET / HTTP/1.1\r\nSec-WebSocket-Key: a\r\n\r\nREDQ",
	} {
		c := dial(t, s.addr)
		send(t, c, []byte(request))
		expectEnd(t, c, refusal(2))
	}
	c := upgrade(t, dial(t, s.addr))
	send(t, c, []byte("REDX"))
	if got := receive(t, c, 194); string(got) != string(refusal(2)) {
		t.Errorf("answered %x", got)
	}
}

// TestPlainClientOnTLSPort: no TLS, no answer, and no slot taken for long.
func TestPlainClientOnTLSPort(t *testing.T) {
	s := startServer(t, newPolicy(), nil)
	c := dial(t, s.listenTLS(t))
	send(t, c, hello(0, 1, 0, nil, nil))
	_, _ = io.ReadAll(c)
	s.awaitOpen(0)
}
