package drain

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

var le = binary.LittleEndian

const (
	maxReply = 4096
	maxBody  = 1 << 30
	keySize  = 162 // bytes of the server's public key
)

// channel is a linked channel with mini headers.
type channel struct {
	c            net.Conn
	r            *bufio.Reader
	limit        limiter
	head         [wire.MiniHeaderSize]byte
	body, out    []byte
	window, left uint32 // messages of the ACK window, and those to the next ACK

	done     chan struct{} // closed when nothing more can come
	err      error         // why; set by then
	lastByte atomic.Int64  // nanoseconds, 0: nothing has come
	mu       sync.Mutex
	counts   Counts
}

// open connects a channel of a session, 0 for a new one.
func open(o *Options, session uint32, t wire.ChannelType, caps wire.Caps) (*channel, error) {
	c, err := net.Dial("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	ch := &channel{c: c, r: bufio.NewReaderSize(c, 256<<10), done: make(chan struct{}), counts: Counts{
		ByMessage: map[string]int64{}, ImageCount: map[string]int64{}, ImageBytes: map[string]int64{},
	}}
	if err := ch.link(o.Password, session, t, caps); err != nil {
		c.Close()
		return nil, fmt.Errorf("linking %v: %w", t, err)
	}
	return ch, nil
}

// link performs the link phase.
func (ch *channel) link(password string, session uint32, t wire.ChannelType, caps wire.Caps) error {
	common := wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE, wire.CapMiniHeader)
	b := append([]byte(nil), wire.Magic...)
	for _, v := range []uint32{wire.VersionMajor, wire.VersionMinor, uint32(18 + 4*len(common) + 4*len(caps)), session} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, byte(t), 0)
	for _, v := range append(append([]uint32{uint32(len(common)), uint32(len(caps)), 18}, common...), caps...) {
		b = le.AppendUint32(b, v)
	}
	if _, err := ch.c.Write(b); err != nil {
		return err
	}
	var head [16]byte
	if _, err := io.ReadFull(ch.r, head[:]); err != nil {
		return err
	}
	size := le.Uint32(head[12:])
	if size < 4+keySize || size > maxReply {
		return fmt.Errorf("link reply of %d bytes", size)
	}
	reply := make([]byte, size)
	if _, err := io.ReadFull(ch.r, reply); err != nil {
		return err
	}
	if code := wire.LinkError(le.Uint32(reply)); code != wire.LinkOK {
		return code
	}
	return ch.authenticate(reply[4:4+keySize], password)
}

func (ch *channel) authenticate(der []byte, password string) error {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return err
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the server's key is a %T", key)
	}
	ticket, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, public, append([]byte(password), 0), nil)
	if err != nil {
		return err
	}
	if _, err := ch.c.Write(append([]byte{1, 0, 0, 0}, ticket...)); err != nil {
		return err
	}
	var result [4]byte
	if _, err := io.ReadFull(ch.r, result[:]); err != nil {
		return err
	}
	if code := wire.LinkError(le.Uint32(result[:])); code != wire.LinkOK {
		return code
	}
	return nil
}

// session reads the main channel up to its init message, asks for the
// channels, and returns the session's id.
func (ch *channel) session() (uint32, error) {
	for {
		t, body, err := ch.next()
		if err != nil {
			return 0, err
		}
		if t == wire.MsgMainInit && len(body) >= 4 {
			return le.Uint32(body), ch.send(wire.MsgcMainAttachChannels, nil)
		}
	}
}

// send sends a message; it belongs to the goroutine that reads.
func (ch *channel) send(t uint16, body []byte) error {
	ch.out = le.AppendUint16(ch.out[:0], t)
	ch.out = le.AppendUint32(ch.out, uint32(len(body)))
	ch.out = append(ch.out, body...)
	_, err := ch.c.Write(ch.out)
	return err
}

// run reads until the channel ends, at the rate that was asked for.
func (ch *channel) run() {
	defer close(ch.done)
	ch.limit.begin(time.Now())
	for {
		_, body, err := ch.next()
		if err != nil {
			ch.err = err
			return
		}
		time.Sleep(ch.limit.wait(time.Now(), wire.MiniHeaderSize+len(body)))
	}
}

// next reads, counts and acknowledges a message; the body is valid until the
// next one.
func (ch *channel) next() (t uint16, body []byte, err error) {
	if _, err := io.ReadFull(ch.r, ch.head[:]); err != nil {
		return 0, nil, err
	}
	t = le.Uint16(ch.head[:])
	n := int(le.Uint32(ch.head[2:]))
	if n > maxBody {
		return 0, nil, fmt.Errorf("message %d has %d bytes", t, n)
	}
	if n > cap(ch.body) {
		ch.body = make([]byte, n+n/2)
	}
	body = ch.body[:n]
	if _, err := io.ReadFull(ch.r, body); err != nil {
		return 0, nil, err
	}
	if t != wire.MsgPing {
		ch.lastByte.Store(time.Now().UnixNano())
	}
	ch.count(t, body)
	return t, body, ch.answer(t, body)
}

// answer keeps the server sending: pongs and acknowledgements.
func (ch *channel) answer(t uint16, body []byte) error {
	switch {
	case t == wire.MsgSetAck && len(body) >= 8:
		ch.window = le.Uint32(body[4:])
		ch.left = ch.window
		if err := ch.send(wire.MsgcAckSync, body[:4]); err != nil {
			return err
		}
	case t == wire.MsgPing && len(body) >= 12:
		if err := ch.send(wire.MsgcPong, body[:12]); err != nil {
			return err
		}
	}
	if ch.window == 0 {
		return nil
	}
	if ch.left--; ch.left > 0 {
		return nil
	}
	ch.left = ch.window
	return ch.send(wire.MsgcAck, nil)
}

// last is when the last byte came; zero: none has.
func (ch *channel) last() time.Time {
	if ns := ch.lastByte.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

// counted returns a copy of what was counted.
func (ch *channel) counted() Counts {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c := ch.counts
	c.ByMessage, c.ImageCount, c.ImageBytes = maps.Clone(c.ByMessage), maps.Clone(c.ImageCount), maps.Clone(c.ImageBytes)
	return c
}

func (ch *channel) count(t uint16, body []byte) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.counts.Messages++
	ch.counts.Bytes += int64(wire.MiniHeaderSize + len(body))
	ch.counts.ByMessage[messageName(t)]++
	if t != wire.MsgDisplayDrawCopy {
		return
	}
	if kind, n, ok := sourceImage(body); ok {
		ch.counts.ImageCount[kind]++
		ch.counts.ImageBytes[kind] += int64(n)
	}
}

// sourceImage finds the image of a draw_copy: its type, and the bytes from its
// descriptor to the end of the message.
func sourceImage(body []byte) (kind string, size int, ok bool) {
	r := wire.NewReader(body)
	r.Skip(4 + 16) // surface, box
	if r.U8() == 1 {
		r.Skip(16 * int(r.U32()))
	}
	at := r.U32()
	im := r.At(at)
	im.Skip(8)
	kind = imageName(im.U8())
	return kind, len(body) - int(at), r.Err() == nil && im.Err() == nil && at != 0
}
