package spiceecs_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
)

// TestListeners hands listeners of several kinds over.
func TestListeners(t *testing.T) {
	m := newMachine(t, spiceecs.Options{Password: "secret"})
	defer m.server.Close()
	t.Run("tcp", func(t *testing.T) {
		m.wantPicture(t, m.listen(t), client.Options{Password: "secret"})
	})
	t.Run("unix", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "spice.sock")
		l, err := net.Listen("unix", path)
		noError(t, err)
		m.serve(t, l)
		m.wantPicture(t, "unix:"+path, client.Options{Password: "secret"})
	})
	t.Run("tls", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		noError(t, err)
		server, trust := certificate(t)
		go func() {
			if err := m.server.ServeTLS(l, server); err != nil {
				t.Error(err)
			}
		}()
		m.wantPicture(t, l.Addr().String(), client.Options{Password: "secret", TLS: trust})
	})
}

// certificate makes a server's certificate and what a client needs to trust it.
func certificate(t *testing.T) (server, trust *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	noError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"vm.test"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	noError(t, err)
	c, err = x509.ParseCertificate(der)
	noError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots, ServerName: "vm.test"}
}

// TestConns hands connections over that were accepted elsewhere, among them
// some that are no sockets.
func TestConns(t *testing.T) {
	m := newMachine(t, spiceecs.Options{Password: "secret"})
	defer m.server.Close()
	m.wantPicture(t, m.listen(t), client.Options{Password: "secret"}) // pools reach their sizes
	wantNoClients(t, m.server)
	for name, pair := range map[string]func() (near, far net.Conn){
		"pipe":    net.Pipe,
		"wrapped": func() (near, far net.Conn) { near, far = loopback(t); return near, wrapped{far} },
		"tcp":     func() (near, far net.Conn) { return loopback(t) },
	} {
		t.Run(name, func(t *testing.T) {
			before := measure(t)
			for _, trusted := range []bool{false, true} {
				o := client.Options{DialContext: func(context.Context) (net.Conn, error) {
					near, far := pair()
					m.server.ServeConn(far, trusted)
					return near, nil
				}}
				if !trusted {
					o.Password = "secret"
				}
				m.wantPicture(t, name, o)
			}
			wantNoClients(t, m.server)
			wantSettled(t, before, 256<<10)
		})
	}
}

// wrapped is a connection whose descriptor cannot be had.
type wrapped struct{ net.Conn }

// loopback returns both ends of a TCP connection.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	defer l.Close()
	near, err = net.Dial("tcp", l.Addr().String())
	noError(t, err)
	far, err = l.Accept()
	noError(t, err)
	return near, far
}
