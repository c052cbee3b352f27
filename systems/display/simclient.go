package display

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// SimClient describes a client of a Sim.
//
// A client without a line is sent nothing by itself: Send marshals what waits
// for it into a batch, and Sent says that the batch has left. One with a line is
// served by Pump through a socket, as the worker does it, and whoever drives the
// Sim reads the other end.
type SimClient struct {
	Compression encode.Compression // 0: the device's
	LZ4         bool               // it decodes LZ4
	Monitors    bool               // it understands monitors configurations
	Slow        bool               // its line counts as slow: JPEG, zlib
	Pixmaps     int                // pixels that it caches
	Window      int                // pixels of its GLZ window
	Line        bool
	Ack         uint32 // its line's window of acknowledgements, 0: the worker's
	Buffer      int    // bytes of its line's socket buffer, 0: the system's
	Sized       bool   // frames of videos may be of any size
	Reports     bool   // it tells how videos do
	NoVideo     bool   // it knows no video codec
}

// simLine is what a Sim keeps of a client.
type simLine struct {
	batch wire.Writer
	live  bool // it has a line
	peer  int  // the other end of its socket
}

func (l *simLine) close() {
	if l.batch.Reset(); l.peer > 0 {
		unix.Close(l.peer)
		l.peer = 0
	}
}

// simItem is what an item counts for when a client behind is sent pictures, in
// bytes of pixels. It is little, so that small surfaces go in many pieces.
const simItem = 256

// ErrSlot reports a client that does not exist.
var ErrSlot = errors.New("no such client")

// Join connects a client, and returns its slot.
func (s *Sim) Join(o SimClient) (slot int, err error) {
	s.now()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil && o.Buffer > 0 {
		err = unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, o.Buffer)
	}
	if err != nil {
		return 0, fmt.Errorf("joining: %w", err)
	}
	var caps []int
	for c, has := range map[int]bool{
		wire.CapDisplayLZ4: o.LZ4, wire.CapDisplayMonitorsConfig: o.Monitors,
		wire.CapDisplaySizedStream: o.Sized, wire.CapDisplayStreamReport: o.Reports, wire.CapDisplayMultiCodec: o.NoVideo,
	} {
		if has {
			caps = append(caps, c)
		}
	}
	s.joined++
	if err := s.w.connectDisplay(Connection{
		FD: fds[0], Client: s.joined, MiniHeader: true, Caps: wire.NewCaps(caps...), LowBandwidth: o.Slow,
	}); err != nil {
		return 0, fmt.Errorf("joining: %w", err)
	}
	for slot = range s.w.clients {
		if c := s.w.clients[slot]; c != nil && c.id == s.joined {
			break
		}
	}
	for slot >= len(s.lines) {
		s.lines = append(s.lines, simLine{})
	}
	s.lines[slot].close()
	s.lines[slot].live, s.lines[slot].peer = o.Line, fds[1]
	return slot, s.hello(s.w.clients[slot], o)
}

// hello is the client's first message.
func (s *Sim) hello(c *client, o SimClient) error {
	if o.Compression != 0 {
		c.state.Compression = o.Compression
	}
	hello := binary.LittleEndian.AppendUint64([]byte{1}, uint64(o.Pixmaps))
	hello = binary.LittleEndian.AppendUint32(append(hello, 1), uint32(o.Window))
	err := c.Message(nil, wire.MsgcDisplayInit, hello)
	if o.Ack != 0 {
		c.conn.SetAck(o.Ack)
	}
	return err
}

func (s *Sim) client(slot int) (*client, error) {
	if slot < 0 || slot >= len(s.w.clients) || s.w.clients[slot] == nil {
		return nil, fmt.Errorf("%w: %d", ErrSlot, slot)
	}
	return s.w.clients[slot], nil
}

// Leave takes a client off the device. One with a line hangs up.
func (s *Sim) Leave(slot int) error {
	c, err := s.client(slot)
	if err != nil {
		return err
	}
	s.lines[slot].close()
	if !s.lines[slot].live {
		c.conn.Close(ErrStopped)
		return nil
	}
	// What it sent before comes first.
	for range 10 {
		if err := s.Pump(); err != nil || s.Gone(slot) {
			return err
		}
	}
	return nil
}

// Send marshals up to n items of a client's pipe into its batch.
func (s *Sim) Send(slot, n int) error {
	c, err := s.client(slot)
	if err != nil {
		return err
	}
	c.planItems(s.now(), n, int64(n)*simItem)
	s.w.encoder.Run()
	s.w.msg.Emit(&s.lines[slot].batch, &c.state, c.monitorsConfig)
	c.framesSent()
	return nil
}

// Sent tells that a client's batch has left. It must not be looked at later.
func (s *Sim) Sent(slot int) error {
	c, err := s.client(slot)
	if err == nil {
		s.lines[slot].batch.Reset()
		s.w.msg.Sent(&c.state)
	}
	return err
}

// Hangup closes a client's end of its socket. The device learns of it when it serves
// its lines.
func (s *Sim) Hangup(slot int) error {
	c, err := s.client(slot)
	if err != nil {
		return err
	}
	if !s.lines[slot].live {
		c.conn.Close(ErrStopped)
	}
	s.lines[slot].close()
	return nil
}

// Pump takes what clients with a line have sent, and does what a tick does for
// videos and for them.
func (s *Sim) Pump() error {
	now := s.now()
	if err := s.w.loop.Poll(0); err != nil {
		return err
	}
	s.w.streamStage(now)
	for slot, c := range s.w.clients {
		if c != nil && s.lines[slot].live {
			c.watch(now)
			c.plan(now)
		}
	}
	s.w.encoder.Run()
	for slot, c := range s.w.clients {
		if c != nil && s.lines[slot].live {
			c.conn.Pump()
		}
	}
	return nil
}

// Peer is the client's end of a line's socket.
func (s *Sim) Peer(slot int) (fd int) { return s.lines[slot].peer }

// Gone reports whether a client's connection has ended.
func (s *Sim) Gone(slot int) bool { return s.w.clients[slot] == nil }

// Outgoing is what is marshalled for a client and has not left, in pieces. What
// it refers to may change only when it has.
func (s *Sim) Outgoing(slot int) (pieces [][]byte) {
	if !s.lines[slot].live {
		return s.lines[slot].batch.Buffers(nil)
	}
	conn := s.w.clients[slot].conn
	skip := conn.Out.Len() - conn.Waiting()
	for _, b := range conn.Out.Buffers(nil) {
		n := min(skip, len(b))
		skip -= n
		pieces = append(pieces, b[n:])
	}
	return pieces
}

// Room is how many more messages may be marshalled for a client's line now.
func (s *Sim) Room(slot int) int { return s.w.clients[slot].conn.Room() }

// Blocked reports whether a client's line is full.
func (s *Sim) Blocked(slot int) bool { return s.w.clients[slot].conn.Blocked() }

// Lag makes a client count as one that does not keep up.
func (s *Sim) Lag(slot int) error {
	c, err := s.client(slot)
	if err == nil {
		c.fall(nil)
	}
	return err
}

// Behind is where a client will be sent pictures of a surface when it has been sent
// what waits; nil: nowhere.
func (s *Sim) Behind(slot int, surface uint32) *regions.Region {
	return s.w.clients[slot].behind[surface]
}

// Shows is where a stream will show at a client when it has been sent what waits;
// nil: the client has no such stream then.
func (s *Sim) Shows(slot int, stream uint8) *regions.Region {
	if a := s.w.clients[slot].agents[stream]; a != nil && a.on {
		return &a.clip
	}
	return nil
}

// Rest has videos rest, or end.
func (s *Sim) Rest(end bool) {
	if end {
		s.w.endStreams()
		return
	}
	for st := range s.w.streams.All {
		for _, c := range s.w.clients {
			if c != nil {
				c.restStream(st.ID)
			}
		}
	}
}

// Lossy is where a client will have a surface only roughly when it has been sent
// what is marshalled; nil: nowhere.
func (s *Sim) Lossy(slot int, surface uint32) *regions.Region {
	return s.w.clients[slot].state.Lossy(surface)
}

// Settled reports whether nothing is left to be sent to a client, which has
// everything exactly.
func (s *Sim) Settled(slot int) bool {
	c := s.w.clients[slot]
	for id := range s.w.Scene.ByID {
		if c.state.Lossy(uint32(id)) != nil {
			return false
		}
	}
	return s.w.Pipes.Len(slot) == 0 && len(c.behind) == 0 && len(s.Outgoing(slot)) == 0
}

// Items yields what waits for a client, oldest first.
func (s *Sim) Items(slot int) func(yield func(ecs.Entity, *components.PipeItem) bool) {
	return s.w.Pipes.Items(slot)
}

// Knows reports whether a client has a surface, or will when it has been sent
// what waits.
func (s *Sim) Knows(slot int, surface uint32) bool { return s.w.clients[slot].announced.has(surface) }
