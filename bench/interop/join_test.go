package interop

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/replay"
)

// gate lets some display commands of a recording through, and the rest when it
// has been opened.
type gate struct {
	*replay.Player
	stop    int // commands
	taken   int
	reached chan struct{} // closed when that many have been taken
	opened  atomic.Bool
}

func (g *gate) shut() bool { return g.taken == g.stop && !g.opened.Load() }

// GetCommand implements qxl.Ring.
func (g *gate) GetCommand(c *qxl.Command) bool {
	if g.shut() || !g.Player.GetCommand(c) {
		return false
	}
	if g.taken++; g.taken == g.stop {
		close(g.reached)
	}
	return true
}

// RequestCommandNotification implements qxl.Ring.
func (g *gate) RequestCommandNotification() bool {
	return g.shut() || g.Player.RequestCommandNotification()
}

// played is an engine in this process that plays a recording.
type played struct {
	addr   string
	gate   *gate
	device *spiceecs.Device
	ended  chan error  // of the player
	joined chan uint32 // clients whose display is about to be sent the screen
}

// play starts an engine that plays up to the gate.
func play(t *testing.T, r row, stop int, compression string) *played {
	t.Helper()
	player, err := replay.New(func() (io.ReadCloser, error) { return os.Open(r.file()) }, replay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	p := &played{
		gate:  &gate{Player: player, stop: stop, reached: make(chan struct{})},
		ended: make(chan error, 1), joined: make(chan uint32, 16),
	}
	t.Cleanup(func() {
		cancel()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	p.device, err = server.AddDevice(spiceecs.DeviceOptions{
		Ring: p.gate, ImageCompression: compression, JPEG: "never", ZlibGLZ: "never", OnDisplay: func(id uint32) { p.joined <- id },
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	go func() { _ = server.Serve(l) }()
	go func() { p.ended <- player.Run(ctx, p.device) }()
	return p
}

// open lets the rest of the commands through.
func (p *played) open() {
	p.gate.opened.Store(true)
	p.device.Wakeup()
}

// await waits for a signal, or fails the test.
func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(limit):
		t.Fatalf("%s does not happen", what)
	}
	panic("unreachable")
}

// end lets everything through and waits until it was taken.
func (p *played) end(t *testing.T) {
	t.Helper()
	p.open()
	if err := await(t, "the end of the recording", p.ended); err != nil {
		t.Error(err)
	}
}

// dial connects our own client.
func (p *played) dial(t *testing.T) *client.Display {
	t.Helper()
	return dial(t, p.addr, client.Options{Log: slog.New(slog.DiscardHandler), Channels: []wire.ChannelType{wire.ChannelDisplay, wire.ChannelCursor}})
}

func dial(t *testing.T, addr string, o client.Options) *client.Display {
	t.Helper()
	s, err := client.Dial(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d := s.Display(0)
	if d == nil {
		t.Fatal("the server has no display")
	}
	return d
}

// shown is the fingerprint of what a client of ours shows now.
func shown(t *testing.T, d *client.Display) string {
	t.Helper()
	hash, err := fingerprint(d)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func fingerprint(d *client.Display) (string, error) {
	img, err := d.Snapshot()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%016x", client.Hash(img)), nil
}

// TestJoin has clients come before, in the middle of, and after a recording:
// all of them show its end.
func TestJoin(t *testing.T) {
	realclient.need(t)
	for _, r := range rows(t) {
		if r.commands != "end" {
			continue
		}
		for i, stop := range []int{1, 17, 97, 301} {
			compression := []string{"lz", "auto_glz"}[i%2]
			t.Run(fmt.Sprintf("%s/%d", r.trace, stop), func(t *testing.T) {
				t.Parallel()
				p := play(t, r, stop, compression)
				before := p.dial(t)
				await(t, "the first client's joining", p.joined)
				await(t, "reaching the gate", p.gate.reached)

				looked := make(chan func() seen, 1)
				go func() { looked <- look(t, p.addr, r.hash) }()
				middle := p.dial(t)
				await(t, "the second client's joining", p.joined)
				await(t, "the third client's joining", p.joined)
				p.end(t)

				wantPicture(t, await(t, "the picture", looked)(), r.hash)
				wantPicture(t, look(t, p.addr, r.hash)(), r.hash)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				for _, d := range []*client.Display{before, middle, p.dial(t)} {
					becomes(ctx, t, d, r.hash)
				}
			})
		}
	}
}
