package interop

import (
	"bytes"
	"context"
	bin "encoding/binary"
	"image"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/replay"
)

var compressions = []string{"quic", "lz", "glz", "lz4", "auto_lz", "auto_glz", "off"}

// matrix asks for every row of every recording with everything, which takes
// a long while, rather than for the last rows with what differs.
var matrix = os.Getenv("SPICEECS_MATRIX") != ""

// codecRows are the rows that codecs are tried on.
func codecRows(t *testing.T) []row {
	all := rows(t)
	if matrix {
		return all
	}
	var ends []row
	for _, r := range all {
		if r.commands == "end" {
			ends = append(ends, r)
		}
	}
	return ends
}

// TestCodecs plays recordings to the reference client with every compression:
// without loss, with and without zlib, it shows what was drawn.
func TestCodecs(t *testing.T) {
	realclient.need(t)
	for _, r := range codecRows(t) {
		for _, compression := range compressions {
			for _, zlib := range []string{"never", "always"} {
				if zlib == "always" && !matrix && compression != "glz" {
					continue
				}
				t.Run(r.name()+"/"+compression+"/zlib-"+zlib, func(t *testing.T) {
					t.Parallel()
					addr := serve(t, append(r.serveArgs(compression), "--jpeg-wan", "never", "--zlib-glz-wan", zlib)...)
					wantPicture(t, look(t, addr)(), r.hash)
				})
			}
		}
	}
}

// leastPSNR is how near a lossy picture has to be to the exact one, in dB.
const leastPSNR = 32

// TestJPEG plays recordings with lossy images: the picture is good when all has
// been sent, and exact when nothing has for a while.
func TestJPEG(t *testing.T) {
	realclient.need(t)
	for _, r := range codecRows(t) {
		for _, compression := range []string{"quic", "auto_glz", "auto_lz"} {
			if compression == "auto_lz" && !matrix {
				continue
			}
			t.Run(r.name()+"/"+compression, func(t *testing.T) {
				t.Parallel()
				addr := serve(t, append(r.serveArgs(compression), "--jpeg-wan", "always")...)
				wantPicture(t, look(t, addr)(), r.hash)
				lossy(t, r, compression)
			})
		}
	}
}

// stopClock is the system's clock, but its hands can be held.
type stopClock struct {
	ecs.SystemClock
	held atomic.Pointer[time.Time]
}

func (c *stopClock) Now() time.Time {
	if t := c.held.Load(); t != nil {
		return *t
	}
	return c.SystemClock.Now()
}

func (c *stopClock) hold() {
	now := time.Now()
	c.held.Store(&now)
}

// lossy plays a recording in this process to our own client, and looks at the
// picture when all has arrived; then time goes on, and it becomes exact.
func lossy(t *testing.T, r row, compression string) {
	stop := uint64(0)
	if r.commands != "end" {
		var err error
		if stop, err = strconv.ParseUint(r.commands, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	player, err := replay.New(func() (io.ReadCloser, error) { return os.Open(r.file()) }, replay.Options{StopAfter: stop})
	if err != nil {
		t.Fatal(err)
	}
	clock := &stopClock{}
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	joined := make(chan uint32, 1)
	device, err := server.AddDevice(spiceecs.DeviceOptions{
		Ring: player, ImageCompression: compression, JPEG: "always", OnDisplay: func(id uint32) { joined <- id },
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	d := dial(t, l.Addr().String(), client.Options{Log: slog.New(slog.DiscardHandler), Channels: []wire.ChannelType{wire.ChannelDisplay}})
	await(t, "the client's joining", joined)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	clock.hold() // refinement begins when nothing has been drawn for a while
	if err := player.Run(ctx, device); err != nil {
		t.Fatal(err)
	}
	if err := d.WaitQuiet(ctx, idle); err != nil {
		t.Fatal(err)
	}
	rough, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	jpegs := d.Stats().Images[qxl.ImageJPEG].Count + d.Stats().Images[qxl.ImageJPEGAlpha].Count
	clock.held.Store(nil)
	for tick := time.NewTicker(50 * time.Millisecond); shown(t, d) != r.hash; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in the end our client has hash %s, want %s", shown(t, d), r.hash)
		}
	}
	exact, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	db, same := compare(rough, exact)
	t.Logf("%d JPEG images; before the refinement %.1f dB, %.2f of the pixels exact", jpegs, db, same)
	if db < leastPSNR {
		t.Errorf("the lossy picture has %.1f dB, want %d", db, leastPSNR)
	}
}

// compare is the PSNR of a picture in dB, and the share of its pixels that are exact.
func compare(got, want *image.RGBA) (db, same float64) {
	sum, n, equal := 0.0, len(want.Pix)/4, 0
	for i := 0; i < len(want.Pix); i += 4 {
		if bytes.Equal(got.Pix[i:i+4], want.Pix[i:i+4]) {
			equal++
			continue
		}
		for k := range 3 {
			d := float64(got.Pix[i+k]) - float64(want.Pix[i+k])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255/(sum/float64(3*n)+1e-9)), float64(equal) / float64(n)
}

// tap keeps what is read from a connection.
type tap struct {
	net.Conn
	mu   *sync.Mutex
	data *bytes.Buffer
}

func (c tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.data.Write(p[:n])
	c.mu.Unlock()
	return n, err
}

// TestSameQUIC decodes the QUIC streams that the reference server sends and
// encodes what comes out: the streams are the same, byte for byte.
func TestSameQUIC(t *testing.T) {
	feeder := vmmdrive.need(t)
	for _, r := range rows(t) {
		if r.commands != "end" || r.trace == "prims" && !matrix {
			continue
		}
		t.Run(r.trace, func(t *testing.T) {
			t.Parallel()
			addr := reference(t, feeder, "--comp", "quic", r.file())
			var mu sync.Mutex
			var taps []*bytes.Buffer
			d := dial(t, addr, client.Options{
				Log: slog.New(slog.DiscardHandler), Channels: []wire.ChannelType{wire.ChannelDisplay},
				DialContext: func(ctx context.Context) (net.Conn, error) {
					nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
					mu.Lock()
					defer mu.Unlock()
					taps = append(taps, new(bytes.Buffer))
					return tap{nc, &mu, taps[len(taps)-1]}, err
				},
			})
			await(t, "the end of the recording", d.Done())
			mu.Lock()
			defer mu.Unlock()
			streams := 0
			for _, data := range taps {
				streams += sameQUIC(t, data.Bytes())
			}
			if want := d.Stats().Images[qxl.ImageQUIC].Count; uint64(streams) != want || want == 0 {
				t.Errorf("%d streams found, the client saw %d", streams, want)
			}
			t.Logf("%d streams", streams)
		})
	}
}

// sameQUIC finds the streams in what a display channel received, each with its
// length in front, and returns how many there are.
func sameQUIC(t *testing.T, data []byte) (streams int) {
	var dec quic.Decoder
	var enc quic.Encoder
	magic := []byte("QUIC\x00\x00\x00\x00")
	for {
		at := bytes.Index(data, magic)
		if at < 4 {
			return streams
		}
		size := bin.LittleEndian.Uint32(data[at-4:])
		if uint64(size) > uint64(len(data)-at) {
			t.Fatalf("a stream of %d bytes, %d are left", size, len(data)-at)
		}
		stream := data[at : at+int(size)]
		im, err := quic.ParseHeader(stream)
		if err != nil {
			t.Fatal(err)
		}
		pix := make([]byte, im.Size())
		if err := dec.Decode(pix, im, stream); err != nil {
			t.Fatal(err)
		}
		ours, err := enc.Encode(nil, im, [][]byte{pix})
		if err != nil || !bytes.Equal(ours, stream) {
			t.Fatalf("stream %d, %+v: ours has %d bytes, the reference's %d, %v", streams, im, len(ours), len(stream), err)
		}
		data = data[at+int(size):]
		streams++
	}
}
