package interop

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl/replay"
)

// screen is a device of a server in this process, on which a recording will be
// played.
type screen struct {
	player *replay.Player
	device *spiceecs.Device
}

// screens starts a server with devices that all play the same, and connects our
// own client to it. clock is the server's, nil the system's.
func screens(t *testing.T, r row, n int, clock ecs.Clock, o spiceecs.DeviceOptions, co client.Options) ([]screen, *client.Session) {
	t.Helper()
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	joined := make(chan uint32, n)
	o.OnDisplay = func(id uint32) { joined <- id }
	all := make([]screen, n)
	for i := range all {
		all[i].player = r.player(t)
		o.ID, o.Ring = uint8(i), all[i].player
		if all[i].device, err = server.AddDevice(o); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	co.Log, co.Channels = slog.New(slog.DiscardHandler), []wire.ChannelType{wire.ChannelDisplay}
	session, err := client.Dial(t.Context(), l.Addr().String(), co)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	for range all {
		await(t, "the client's joining", joined)
	}
	return all, session
}

// player plays the recording up to the row's state.
func (r row) player(t *testing.T) *replay.Player {
	t.Helper()
	o := replay.Options{}
	var err error
	if r.commands != "end" {
		if o.StopAfter, err = strconv.ParseUint(r.commands, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	p, err := replay.New(func() (io.ReadCloser, error) { return os.Open(r.file()) }, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTwoDevices plays a recording on two devices at once to a client that has
// one set of caches: what one of its channels brings the other one uses.
func TestTwoDevices(t *testing.T) {
	for _, r := range rows(t) {
		if r.commands != "end" || r.trace == "prims" && !matrix {
			continue
		}
		for _, v := range []struct{ compression, jpeg string }{{"glz", "never"}, {"auto_glz", "always"}} {
			t.Run(r.trace+"/"+v.compression+"/jpeg-"+v.jpeg, func(t *testing.T) {
				t.Parallel()
				all, session := screens(t, r, 2, nil, spiceecs.DeviceOptions{ImageCompression: v.compression, JPEG: v.jpeg}, client.Options{})
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				var group sync.WaitGroup
				for _, s := range all {
					group.Go(func() {
						if err := s.player.Run(ctx, s.device); err != nil {
							t.Error(err)
						}
					})
				}
				group.Wait()
				for i := range all {
					becomes(ctx, t, session.Display(uint8(i)), r.hash)
				}
			})
		}
	}
}

// becomes waits until a display shows a picture.
func becomes(ctx context.Context, t *testing.T, d *client.Display, hash string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := fingerprint(d) // it may show nothing yet
		if got == hash {
			return
		}
		select {
		case <-tick.C:
		case <-d.Done():
			t.Errorf("the display ends: %v", d.Err())
			return
		case <-ctx.Done():
			t.Errorf("in the end our client has hash %s, want %s: %v", got, hash, err)
			return
		}
	}
}
