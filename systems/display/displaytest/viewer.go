package displaytest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/marshal"
)

// viewer is a client, and where the device has it. It takes messages as soon as
// they have been marshalled, and sees to it that they do not change until they
// have left.
type viewer struct {
	*client
	*JoinOptions
	slot  int
	ahead []byte // messages taken that have not left, or have not been read

	// Of a client with a line.
	partial []byte // of a message that was read
	acked   uint64 // messages, by acknowledgements
	moved   time.Time
	rate    int // bytes a second that it reads
	owed    int // bytes that it may read, times a second's milliseconds
	reports uint32
}

func (b *bench) join(s *Step) error {
	if s.Join == nil {
		s.Join = &JoinOptions{}
	}
	slot, err := b.sim.Join(s.Join.sim())
	b.clients[s.Client] = &viewer{client: newClient(s.Join, b.reached), JoinOptions: s.Join, slot: slot, moved: b.clock.Now()}
	return err
}

// clientStep does something to one client.
func (b *bench) clientStep(s *Step) error {
	v := b.clients[s.Client]
	if (v == nil) != (s.Do == Join) {
		return nil
	}
	var err error
	switch s.Do {
	case Join:
		err = b.join(s)
	case Leave:
		delete(b.clients, s.Client)
		if err = b.sim.Leave(v.slot); err != nil {
			break
		}
		if !b.sim.Gone(v.slot) {
			err = errors.New("it left, but is still there")
			break
		}
		return b.dropped()
	case Hangup:
		delete(b.clients, s.Client)
		err = b.sim.Hangup(v.slot)
	case Rate:
		v.rate = s.Count
	case Lag:
		err = b.sim.Lag(v.slot)
	case Send:
		if v.Line {
			return b.pump()
		}
		err = b.sim.Send(v.slot, s.Count)
	case Sent:
		if err = b.catchUp(v); err != nil {
			break
		}
		if v.Line {
			err = b.read(v, s.Count)
			break
		}
		v.ahead = v.ahead[:0]
		err = b.sim.Sent(v.slot)
	default:
		err = fmt.Errorf("unknown step %q", s.Do)
	}
	if err != nil {
		return fmt.Errorf("client %d: %w", s.Client, err)
	}
	return nil
}

// pump has the device serve its lines.
func (b *bench) pump() error {
	if err := b.sim.Pump(); err != nil {
		return err
	}
	return b.dropped()
}

// dropped forgets the clients that the device has dropped when it served its lines:
// they have taken nothing for too long.
func (b *bench) dropped() error {
	for n, v := range b.clients {
		if !b.sim.Gone(v.slot) {
			continue
		}
		if idle := b.clock.Now().Sub(v.moved); !v.Line || idle < stall {
			return fmt.Errorf("client %d was dropped after %v", n, idle)
		}
		delete(b.clients, n)
		b.reached["stalled client dropped"]++
	}
	return nil
}

// stall is how long a client may take nothing.
const stall = 30 * time.Second

// advance lets time pass, in which the device serves its lines and their clients
// read at their rates.
func (b *bench) advance(ms int) error {
	for step := max(10, ms/64); ms > 0; ms -= step {
		step = min(step, ms)
		b.clock.Advance(time.Duration(step) * time.Millisecond)
		if err := b.pump(); err != nil {
			return err
		}
		for n, v := range b.clients {
			if err := b.trickle(v, step); err != nil {
				return fmt.Errorf("client %d: %w", n, err)
			}
		}
	}
	return nil
}

// trickle has a client read what its rate lets it in so many milliseconds.
func (b *bench) trickle(v *viewer, ms int) error {
	const second = 1000
	v.owed += v.rate * ms
	n := v.owed / second
	if v.owed %= second; n == 0 || !v.Line {
		return nil
	}
	if err := b.catchUp(v); err != nil || len(v.ahead) == 0 {
		return err
	}
	return b.read(v, n)
}

// leastWindow is the smallest window of acknowledgements in which there always is room
// for an item, once the client has acknowledged what it can.
const leastWindow = marshal.MostMessages - 2

// catchUp lets a client have what was marshalled since the last time.
func (b *bench) catchUp(v *viewer) error {
	var stream []byte
	if v.Line {
		var err error
		if stream, err = b.peek(b.sim.Peer(v.slot)); err != nil {
			return err
		}
	}
	stream = append(stream, bytes.Join(b.sim.Outgoing(v.slot), nil)...)
	if v.Line && b.sim.Blocked(v.slot) {
		b.reached["line full"]++
	}
	if v.Line && b.sim.Room(v.slot) < marshal.MostMessages {
		b.reached["acknowledgement window full"]++
	}
	if !bytes.HasPrefix(stream, v.ahead) {
		return errors.New("messages changed before they had left")
	}
	n := len(v.ahead)
	v.ahead = stream
	return v.receive(stream[n:])
}

// peek returns all that can be read from a socket, and leaves it there.
func (b *bench) peek(fd int) ([]byte, error) {
	if b.peeked == nil {
		b.peeked = make([]byte, 1<<20) // more than a socket holds
	}
	n, _, err := unix.Recvfrom(fd, b.peeked, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) {
		return nil, nil
	}
	if err != nil || n == len(b.peeked) {
		return nil, fmt.Errorf("peeking at %d bytes: %w", n, err)
	}
	return bytes.Clone(b.peeked[:n]), nil
}

// freesRoom is as many bytes as a client has to read for the device's end of the
// line to notice.
const freesRoom = 8 << 10

// read takes up to n bytes from a client's line, and acknowledges messages.
func (b *bench) read(v *viewer, n int) error {
	buf := make([]byte, max(1, min(n, len(v.ahead))))
	n, err := unix.Read(b.sim.Peer(v.slot), buf)
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil || n == 0 {
		return fmt.Errorf("reading its line: %d bytes, %w", n, err)
	}
	if n >= min(len(v.ahead), freesRoom) {
		v.moved = b.clock.Now()
	}
	if !bytes.Equal(buf[:n], v.ahead[:n]) {
		return errors.New("the line has other bytes than were marshalled")
	}
	v.ahead = v.ahead[n:]
	v.partial = append(v.partial, buf[:n]...)
	for len(v.partial) >= wire.MiniHeaderSize {
		size := wire.MiniHeaderSize + int(binary.LittleEndian.Uint32(v.partial[2:]))
		if size > len(v.partial) {
			break
		}
		if err := b.answer(v, v.partial[:size]); err != nil {
			return err
		}
		v.partial = v.partial[size:]
	}
	return nil
}

// answer answers a message that was read, if it asks for that, and acknowledges
// messages as the window says.
func (b *bench) answer(v *viewer, msg []byte) error {
	out, body := []byte{}, msg[wire.MiniHeaderSize:]
	v.acked++
	switch binary.LittleEndian.Uint16(msg) {
	case wire.MsgSetAck:
		v.acked = 0
		out = message(out, wire.MsgcAckSync, body[:4])
	case wire.MsgPing:
		out = message(out, wire.MsgcPong, body[:12])
	case wire.MsgDisplayStreamActivateRep:
		out = message(out, wire.MsgcDisplayStreamReport, b.report(v, body))
	}
	if v.window > 0 && v.acked == uint64(v.window) {
		v.acked = 0
		out = message(out, wire.MsgcAck, nil)
	}
	if len(out) == 0 {
		return nil
	}
	if _, err := unix.Write(b.sim.Peer(v.slot), out); err != nil {
		return fmt.Errorf("answering: %w", err)
	}
	return nil
}

// report answers the request to report on a stream: that it cannot be played, or that
// frames came early, or late.
func (b *bench) report(v *viewer, request []byte) []byte {
	out := bytes.Clone(request[:8])
	frames, drops, margin := uint32(5), uint32(0), int32(v.reports*97%400)-200
	if v.reports++; v.Refuses {
		frames, drops = 0, wire.CannotPlay
		b.reached["video refused"]++
	}
	for _, n := range [...]uint32{1, 2, frames, drops, uint32(margin), 0} {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

func message(dst []byte, msg uint16, body []byte) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, msg)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	return append(dst, body...)
}
