package spiceecs_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
)

// cut is a connection that breaks after so many bytes in either direction,
// which it shares with the others of a session.
type cut struct {
	net.Conn
	left *atomic.Int64
}

var errCut = errors.New("cut")

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return c.spend(n, err)
}

func (c *cut) Write(p []byte) (int, error) {
	n := min(len(p), int(max(0, c.left.Load())))
	n, err := c.Conn.Write(p[:n])
	if n, err = c.spend(n, err); err == nil && n < len(p) {
		err = errCut
	}
	return n, err
}

func (c *cut) spend(n int, err error) (int, error) {
	if c.left.Add(-int64(n)) <= 0 && err == nil {
		c.Conn.Close()
		err = errCut
	}
	return n, err
}

// cutting are a client's options by which its connections break, and what they
// have left.
func cutting(after int64) (client.Options, *atomic.Int64) {
	left := new(atomic.Int64)
	left.Store(after)
	return client.Options{Password: "secret", DialContext: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", ctx.Value(addrKey{}).(string))
		if err != nil {
			return nil, err
		}
		return &cut{c, left}, nil
	}}, left
}

type addrKey struct{}

// visit connects a client that breaks after so many bytes, or stays until it
// has seen something, and tells how many it used.
func visit(t *testing.T, addr string, after int64) (used int64) {
	t.Helper()
	o, left := cutting(after)
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), addrKey{}, addr), patience)
	defer cancel()
	s, err := dialContext(ctx, addr, o)
	if err != nil {
		return after - left.Load()
	}
	defer s.Close()
	_ = s.Display(0).WaitQuiet(ctx, time.Millisecond) // it may break
	return after - left.Load()
}

// TestManyClients has clients come one after the other. Every second one breaks
// somewhere. Then many come at once, with passwords that are wrong.
func TestManyClients(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	m := newMachine(t, spiceecs.Options{Password: "secret"})
	defer m.server.Close()
	addr := m.listen(t)

	const unlimited = 1 << 40
	var whole int64 // bytes of a visit
	crowd := func(visits int) {
		for i := range visits {
			if i%2 == 0 {
				whole = max(whole, visit(t, addr, unlimited))
				continue
			}
			after := 1 + rnd.Int64N(whole)
			if i%4 == 1 {
				after = 1 + rnd.Int64N(1500) // in the link phases
			}
			visit(t, addr, after)
		}
		wantNoClients(t, m.server)
	}
	crowd(40) // pools and tables reach their sizes
	before := measure(t)
	crowd(manyVisits)
	wrongPasswords(t, addr)
	wantNoClients(t, m.server)
	wantSettled(t, before, 256<<10)

	m.paint(t, seed)
	m.wantPicture(t, addr, client.Options{Password: "secret"})
	stats, err := m.device.Stats()
	noError(t, err)
	if stats.Queued != 0 || stats.Clients > 1 {
		t.Errorf("the device has %d clients and %d items in pipes", stats.Clients, stats.Queued)
	}
}

// wrongPasswords has twenty clients fail at once.
func wrongPasswords(t *testing.T, addr string) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s, err := dial(t, addr, client.Options{Password: fmt.Sprint("wrong", i)})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, wire.LinkErrPermissionDenied) {
				t.Errorf("a wrong password gave %v", err)
			}
		})
	}
	wg.Wait()
}

func wantNoClients(t *testing.T, s *spiceecs.Server) {
	t.Helper()
	eventually(t, func() error {
		if n := len(s.Clients()); n != 0 {
			return fmt.Errorf("there are %d clients left", n)
		}
		return nil
	})
}

// TestClose closes servers while clients are connected, and while they connect.
func TestClose(t *testing.T) {
	run := func() {
		m := newMachine(t, spiceecs.Options{NoPassword: true})
		addr := m.listen(t)
		var sessions []*client.Session
		for range 3 {
			s, err := dial(t, addr, client.Options{})
			noError(t, err)
			m.wantShown(t, s)
			sessions = append(sessions, s)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if s, err := dial(t, addr, client.Options{}); err == nil {
					s.Close()
				}
			})
		}
		noError(t, m.server.Close())
		if err := m.server.Close(); !errors.Is(err, spiceecs.ErrClosed) {
			t.Errorf("closing again: %v, want %v", err, spiceecs.ErrClosed)
		}
		if held := m.ring.vram.Used(); held != 0 {
			t.Errorf("the guest has %d bytes not back", held)
		}
		wg.Wait()
		for _, s := range sessions {
			<-s.Display(0).Done()
			s.Close()
		}
	}
	run()
	before := measure(t)
	for range 5 {
		run()
	}
	wantSettled(t, before, 256<<10)
}

// TestCloseDevice takes a device away while a client looks at it, and puts
// another one in its place.
func TestCloseDevice(t *testing.T) {
	m := newMachine(t, spiceecs.Options{NoPassword: true})
	defer m.server.Close()
	addr := m.listen(t)
	s, err := dial(t, addr, client.Options{})
	noError(t, err)
	defer s.Close()
	m.wantShown(t, s)
	m.device.Close()
	<-s.Display(0).Done()
	if held := m.ring.vram.Used(); held != 0 {
		t.Errorf("the guest has %d bytes not back", held)
	}
	if err := m.device.FlushSurfaces(); err == nil {
		t.Error("a closed device carries out requests")
	}
}
