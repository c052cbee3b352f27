package interop

import (
	"bytes"
	"context"
	bin "encoding/binary"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// TestSameQUIC decodes the QUIC streams that the reference server sends and
// encodes what comes out: the streams are the same, byte for byte.
func TestSameQUIC(t *testing.T) {
	feeder := vmmdrive.need(t)
	for _, r := range rows(t) {
		if r.commands != "end" {
			continue
		}
		t.Run(r.trace, func(t *testing.T) {
			t.Parallel()
			addr := reference(t, feeder, "--comp", "quic", r.file())
			var heard tape
			d := dial(t, addr, client.Options{
				Log: slog.New(slog.DiscardHandler), Channels: []wire.ChannelType{wire.ChannelDisplay},
				DialContext: func(ctx context.Context) (net.Conn, error) { return heard.dial(ctx, addr) },
			})
			await(t, "the end of the recording", d.Done())
			streams, size := heard.sameQUIC(t)
			if want := d.Stats().Images[qxl.ImageQUIC].Count; uint64(streams) != want || want == 0 {
				t.Errorf("%d streams found, the client saw %d", streams, want)
			}
			t.Logf("%d streams, %d bytes", streams, size)
		})
	}
}

// tape keeps what is read from connections.
type tape struct {
	mu    sync.Mutex
	conns []*bytes.Buffer
}

func (p *tape) dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	data := new(bytes.Buffer)
	p.conns = append(p.conns, data)
	return tapped{c, p, data}, nil
}

// tapped is a connection on tape.
type tapped struct {
	net.Conn
	tape *tape
	data *bytes.Buffer
}

func (c tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tape.mu.Lock()
	defer c.tape.mu.Unlock()
	c.data.Write(b[:n])
	return n, err
}

// sameQUIC finds all streams, each with its length in front, and encodes them
// again. It returns how many there are, and their size.
func (p *tape) sameQUIC(t *testing.T) (streams, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var dec quic.Decoder
	var enc quic.Encoder
	var pix, ours []byte
	magic := []byte("QUIC\x00\x00\x00\x00")
	for _, conn := range p.conns {
		data := conn.Bytes()
		for at := bytes.Index(data, magic); at >= 4; at = bytes.Index(data, magic) {
			n := bin.LittleEndian.Uint32(data[at-4:])
			if data = data[at:]; uint64(n) > uint64(len(data)) {
				t.Fatalf("a stream of %d bytes, %d are left", n, len(data))
			}
			stream := data[:n]
			data = data[n:]
			im, err := quic.ParseHeader(stream)
			if err != nil {
				t.Fatal(err)
			}
			if im.Size() > len(pix) {
				pix = make([]byte, im.Size())
			}
			if err := dec.Decode(pix[:im.Size()], im, stream); err != nil {
				t.Fatal(err)
			}
			ours, err = enc.Encode(ours[:0], im, [][]byte{pix[:im.Size()]})
			if err != nil || !bytes.Equal(ours, stream) {
				t.Fatalf("stream %d, %+v: ours has %d bytes, the reference's %d, %v", streams, im, len(ours), len(stream), err)
			}
			streams, size = streams+1, size+len(stream)
		}
	}
	return streams, size
}
