package client

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
)

func TestLinkPassword(t *testing.T) {
	srv := clienttest.New(t, clienttest.Config{Password: "open sesame", Channels: []clienttest.Key{display0}})
	for password, want := range map[string]error{
		"open sesame": nil, "": wire.LinkErrPermissionDenied, "open": wire.LinkErrPermissionDenied,
		strings.Repeat("x", 61): ErrPassword,
	} {
		s, err := Dial(t.Context(), srv.Addr(), Options{Password: password, Log: quietLog})
		if !errors.Is(err, want) {
			t.Errorf("password %q: %v, want %v", password, err, want)
		}
		if err == nil {
			if got := s.Main().SessionID; got != clienttest.SessionID {
				t.Errorf("session id %#x", got)
			}
			s.Close()
		}
	}
}

func TestLinkHeaders(t *testing.T) {
	for _, tc := range []struct{ server, client, full bool }{
		{false, false, false}, {true, false, true}, {false, true, true}, {true, true, true},
	} {
		srv, s := connect(t, clienttest.Config{FullHeader: tc.server, Channels: []clienttest.Key{display0}}, Options{FullHeader: tc.client})
		srv.Channel(wire.ChannelDisplay, 0).Sync()
		srv.Channel(wire.ChannelMain, 0).Sync()
		if got := !s.Display(0).mini; got != tc.full {
			t.Errorf("server full %v, client full %v: full headers %v", tc.server, tc.client, got)
		}
	}
}

func TestLinkRefusedChannel(t *testing.T) {
	srv := clienttest.New(t, clienttest.Config{
		Channels: []clienttest.Key{display0},
		Refuse: func(k clienttest.Key) wire.LinkError {
			if k == display0 {
				return wire.LinkErrNeedSecured
			}
			return wire.LinkOK
		},
	})
	_, err := Dial(t.Context(), srv.Addr(), Options{Log: quietLog})
	if !errors.Is(err, wire.LinkErrNeedSecured) || !strings.Contains(err.Error(), "display channel 0") {
		t.Errorf("got %v", err)
	}
}

// TestLinkHostile gives replies that are no good.
func TestLinkHostile(t *testing.T) {
	good := clienttest.LinkReply(wire.LinkOK, nil, wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE), nil)
	patch := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for name, tc := range map[string]struct {
		reply []byte
		want  error
	}{
		"nothing":         {nil, io.EOF},
		"http":            {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), ErrNotSPICE},
		"version":         {patch(4, 3), ErrVersion},
		"too short":       {patch(12, 177), ErrLinkReply},
		"too long":        {patch(12, 1<<31), ErrLinkReply},
		"cut":             {good[:100], io.ErrUnexpectedEOF},
		"no key":          {good, ErrLinkReply},
		"caps outside":    {patch(16+174, 1<<20), ErrLinkReply},
		"caps over end":   {patch(16+166, 1<<31), ErrLinkReply},
		"SASL only":       {clienttest.LinkReply(wire.LinkOK, nil, wire.NewCaps(wire.CapAuthSASL), nil), ErrNeedSASL},
		"not for a human": {clienttest.LinkReply(99, nil, nil, nil), wire.LinkError(99)},
	} {
		t.Run(name, func(t *testing.T) {
			err := linkAgainst(t, tc.reply)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// linkAgainst links with a server that answers anything with reply.
func linkAgainst(t *testing.T, reply []byte) error {
	near, far := net.Pipe()
	go func() {
		_, _ = io.ReadFull(far, make([]byte, linkHeaderSize+linkMessageSize+4))
		_, _ = far.Write(reply)
		far.Close()
	}()
	_, err := Dial(t.Context(), "fake", Options{
		Log:         quietLog,
		MainCaps:    wire.Caps{},
		DialContext: func(context.Context) (net.Conn, error) { return near, nil },
	})
	return err
}

func FuzzLinkReply(f *testing.F) {
	f.Add(clienttest.LinkReply(wire.LinkOK, nil, wire.NewCaps(1), wire.NewCaps(40)))
	f.Add(clienttest.LinkReply(wire.LinkErrNeedSecured, nil, nil, nil))
	f.Fuzz(func(t *testing.T, reply []byte) {
		key, _, _, err := readLinkReply(bytes.NewReader(reply))
		if err == nil && len(key) != publicKeySize {
			t.Errorf("key of %d bytes", len(key))
		}
	})
}

func TestDialTLS(t *testing.T) {
	cert, pool := selfSigned(t)
	srv := clienttest.New(t, clienttest.Config{
		Channels: []clienttest.Key{display0},
		TLS:      &tls.Config{Certificates: []tls.Certificate{cert}},
	})
	s, err := Dial(t.Context(), srv.Addr(), Options{TLS: &tls.Config{RootCAs: pool}, Log: quietLog})
	if err != nil {
		t.Fatal(err)
	}
	srv.Channel(wire.ChannelDisplay, 0).Sync()
	s.Close()

	var unknown x509.UnknownAuthorityError
	if _, err := Dial(t.Context(), srv.Addr(), Options{TLS: &tls.Config{}, Log: quietLog}); !errors.As(err, &unknown) {
		t.Errorf("without the authority's certificate: %v", err)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
