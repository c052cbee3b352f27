package core

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

var mainHello = link.Hello{Type: wire.ChannelMain, MiniHeader: true}

// fakeKeyboard records scancodes.
type fakeKeyboard struct {
	codes []byte
	leds  Locks
}

func (k *fakeKeyboard) Scancode(c byte) { k.codes = append(k.codes, c) }
func (k *fakeKeyboard) LEDs() Locks     { return k.leds }

func (k *fakeKeyboard) expect(t *testing.T, want ...byte) {
	t.Helper()
	if !bytes.Equal(k.codes, want) {
		t.Errorf("scancodes %x, want %x", k.codes, want)
	}
	k.codes = nil
}

// keyRig is a rig with a keyboard and a client that has an inputs channel.
func keyRig(t *testing.T, leds Locks) (*rig, *fakeKeyboard, *peer, uint32) {
	t.Helper()
	r := newRig(t, nil)
	k := &fakeKeyboard{leds: leds}
	r.SetKeyboard(k)
	r.settle()
	_, id := r.main()
	return r, k, r.inputs(id), id
}

func TestInputsInit(t *testing.T) {
	r := newRig(t, nil)
	main, id := r.main()
	secure := link.Hello{Type: wire.ChannelInputs, ConnectionID: id, MiniHeader: true, Secure: true}
	p := r.connect(secure)
	p.expect(wire.MsgInputsInit, 0, 0) // no keyboard
	main.expectQuiet()
	r.connect(secure).expectClosed() // it has one already
	p.expectQuiet()
	p.close()
	r.settle()
	main.expectQuiet() // losing inputs is not losing the client

	r.SetKeyboard(&fakeKeyboard{leds: 0xff00 | NumLock | CapsLock})
	r.settle()
	secure.Secure = false
	p = r.connect(secure)
	p.expect(wire.MsgInputsInit, 6, 0)
	stamp := []byte{0, 0, 0x64, 0xa7, 0xb3, 0xb6, 0xe0, 0x0d} // 1e18 ns
	main.expect(wire.MsgNotify, concat(stamp, le32(1, 2, 0, 28), []byte("keyboard channel is insecure\x00"))...)
}

func TestKeys(t *testing.T) {
	_, k, p, _ := keyRig(t, 0)
	p.send(wire.MsgcInputsKeyDown, 0x1e, 0, 0, 0)
	k.expect(t, 0x1e)
	p.send(wire.MsgcInputsKeyUp, 0x9e, 0, 0, 0)
	k.expect(t, 0x9e)
	p.send(wire.MsgcInputsKeyDown, 0xe0, 0x4b, 0, 0)
	k.expect(t, 0xe0, 0x4b)
	p.send(wire.MsgcInputsKeyDown, 0xe0, 0x2a, 0xe0, 0x37)
	k.expect(t, 0xe0, 0x2a, 0xe0, 0x37)
	p.send(wire.MsgcInputsKeyDown, 0x1e, 0, 0x1f, 0) // ends at the zero
	k.expect(t, 0x1e)
	p.send(wire.MsgcInputsKeyDown, 0, 0, 0, 0)
	k.expect(t)
	p.send(wire.MsgcInputsKeyScancode, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5)
	k.expect(t, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5)
	p.expectQuiet()
}

// TestKeysAreReleased: what a client holds down when it goes, plain keys first.
func TestKeysAreReleased(t *testing.T) {
	r, k, p, _ := keyRig(t, 0)
	p.send(wire.MsgcInputsKeyScancode, 0x1e, 0x2a, 0x7f, 0x9e, 0xe0, 0x1d, 0xe0, 0x48, 0xe0, 0xc8, 0x1d)
	_, other := r.main()
	q := r.inputs(other)
	q.send(wire.MsgcInputsKeyScancode, 0x2a)
	k.codes = nil
	p.close()
	r.settle()
	k.expect(t, 0x9d, 0xff, 0xe0, 0x9d) // not 0x2a: the other client holds it
	q.close()
	r.settle()
	k.expect(t, 0xaa)
}

func TestModifiers(t *testing.T) {
	r, k, p, _ := keyRig(t, NumLock)
	p.send(wire.MsgcInputsKeyModifiers, 5, 0) // scroll and caps instead
	k.expect(t, 0x46, 0xc6, 0x45, 0xc5, 0x3a, 0xba)
	p.send(wire.MsgcInputsKeyModifiers, 5, 0)
	k.expect(t)
	p.expectQuiet()
	r.clock.Advance(2*time.Second - 1)
	p.expectQuiet()
	r.clock.Advance(1)
	p.expect(wire.MsgInputsKeyModifiers, 5, 0)
	r.KeyboardLEDs(NumLock | 0x80)
	r.settle()
	p.expect(wire.MsgInputsKeyModifiers, 2, 0)
	p.send(wire.MsgcInputsKeyModifiers, 0xfa, 0xff) // only three bits mean anything
	k.expect(t)
}

// TestHeldLockKey is not pressed again while it is held.
func TestHeldLockKey(t *testing.T) {
	r, k, p, _ := keyRig(t, 0)
	p.send(wire.MsgcInputsKeyScancode, 0x3a)
	k.expect(t, 0x3a)
	p.send(wire.MsgcInputsKeyScancode, 0x3a) // it repeats: no change
	k.expect(t, 0x3a)
	p.send(wire.MsgcInputsKeyModifiers, 0, 0)
	k.expect(t)
	r.clock.Advance(2 * time.Second)
	p.expect(wire.MsgInputsKeyModifiers, 4, 0)
	p.send(wire.MsgcInputsKeyScancode, 0xba)
	k.expect(t, 0xba)
	p.send(wire.MsgcInputsKeyModifiers, 0, 0)
	k.expect(t, 0x3a, 0xba)
	p.send(wire.MsgcInputsKeyScancode, 0xe0, 0x45, 0xe0, 0xc5) // not Num Lock
	k.codes = nil
	p.send(wire.MsgcInputsKeyScancode, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5) // Pause
	r.clock.Advance(2 * time.Second)
	p.expect(wire.MsgInputsKeyModifiers, 0, 0)
}

func TestMotionAcks(t *testing.T) {
	_, _, p, _ := keyRig(t, 0)
	motion, position := make([]byte, 10), make([]byte, 11)
	for range 3 {
		p.send(wire.MsgcInputsMouseMotion, motion...)
	}
	p.expectQuiet()
	p.send(wire.MsgcInputsMousePosition, position...)
	p.expect(wire.MsgInputsMouseMotionAck)
	for range 4 {
		p.send(wire.MsgcInputsMousePosition, position...)
	}
	p.expect(wire.MsgInputsMouseMotionAck)
	p.expectQuiet()
}

func TestMotionAllocatesNothing(t *testing.T) {
	r, _, p, id := keyRig(t, 0)
	in := r.clients[id].inputs
	motion, key := make([]byte, 10), []byte{0x1e, 0x9e}
	buf := make([]byte, 64)
	if n := testing.AllocsPerRun(100, func() {
		for range ackBunch {
			_ = in.Message(in.conn, wire.MsgcInputsMouseMotion, motion)
		}
		_ = in.Message(in.conn, wire.MsgcInputsKeyScancode, key)
		in.conn.Pump()
		_, _ = unix.Read(p.fd, buf)
		if k, ok := r.keyboard.dev.(*fakeKeyboard); ok {
			k.codes = k.codes[:0]
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestInputsEnds goes through everything that ends an inputs channel, and
// nothing but that.
func TestInputsEnds(t *testing.T) {
	type message struct {
		msg  uint16
		size int
	}
	cases := []message{{0, 0}, {105, 4}, {115, 4}, {wire.MsgcMigrateFlushMark, 0}, {wire.MsgcMigrateData, 2},
		{wire.MsgcInputsKeyScancode, 0}, {wire.MsgcInputsKeyScancode, 2049}}
	for msg, size := range map[uint16]int{
		wire.MsgcInputsKeyDown: 4, wire.MsgcInputsKeyUp: 4, wire.MsgcInputsKeyModifiers: 2,
		wire.MsgcInputsMouseMotion: 10, wire.MsgcInputsMousePosition: 11,
		wire.MsgcInputsMousePress: 3, wire.MsgcInputsMouseRelease: 3,
	} {
		for n := range size {
			cases = append(cases, message{msg, n})
		}
	}
	for _, m := range cases {
		r, k, p, _ := keyRig(t, 0)
		p.send(m.msg, make([]byte, m.size)...)
		p.expectClosed()
		k.expect(t)
		if len(r.clients) != 1 {
			t.Errorf("message %d of %d bytes ended the client", m.msg, m.size)
		}
	}
	_, k, p, _ := keyRig(t, 0)
	p.send(wire.MsgcInputsKeyScancode, bytes.Repeat([]byte{1}, 2048)...)
	k.expect(t, bytes.Repeat([]byte{1}, 2048)...)
	p.send(wire.MsgcInputsMousePress, make([]byte, 100)...)
	p.expectQuiet()
}

// FuzzInputs feeds an inputs channel any messages. Scancodes arrive as they are,
// and what a plain reading of them leaves down is released afterwards.
func FuzzInputs(f *testing.F) {
	f.Add(uint16(wire.MsgcInputsKeyScancode), []byte{0xe0, 0x4b, 0x1e}, uint16(104), []byte{0x9e})
	f.Add(uint16(wire.MsgcInputsMouseMotion), make([]byte, 10), uint16(103), []byte{7, 0})
	r := newRig(f, func(c *Config) { c.OnClient = nil })
	k := &fakeKeyboard{}
	r.SetKeyboard(k)
	r.SetMouse(&fakeMouse{})
	r.settle()
	f.Fuzz(func(t *testing.T, msg1 uint16, body1 []byte, msg2 uint16, body2 []byte) {
		r.t, k.codes = t, nil
		main, id := r.main()
		in := r.inputs(id)
		conn := r.clients[id].inputs
		_ = conn.Message(conn.conn, msg1, body1)
		_ = conn.Message(conn.conn, msg2, body2)
		main.close()
		in.close()
		r.settle()
		if len(r.clients) != 0 {
			t.Fatal("the client is still there")
		}
		if msg1 != wire.MsgcInputsKeyScancode || msg2 != wire.MsgcInputsKeyScancode {
			return
		}
		sent := concat(body1, body2)
		if want := concat(sent, releases(sent)); !bytes.Equal(k.codes, want) {
			t.Fatalf("scancodes %x, want %x", k.codes, want)
		}
	})
}

// releases is what brings the keys up that a stream of scancodes leaves down.
func releases(stream []byte) []byte {
	down := map[int]bool{} // by scancode, 128 and up prefixed
	for i := 0; i < len(stream); i++ {
		switch {
		case stream[i] == 0xe1:
			for skip := 2; skip > 0 && i+1 < len(stream); i++ {
				if next := stream[i+1]; next != 0xe0 && next != 0xe1 {
					skip--
				} else if next == 0xe1 {
					skip = 2
				}
			}
		case stream[i] != 0xe0:
			key := int(stream[i] & 0x7f)
			if i > 0 && stream[i-1] == 0xe0 {
				key += 128
			}
			down[key] = stream[i] < 0x80
		}
	}
	var out []byte
	for key := range 256 {
		if !down[key] {
			continue
		}
		if key >= 128 {
			out = append(out, 0xe0)
		}
		out = append(out, byte(key)|0x80)
	}
	return out
}

// FuzzMain feeds a main channel any messages.
func FuzzMain(f *testing.F) {
	f.Add(uint16(wire.MsgcMainAttachChannels), []byte{}, uint16(105), []byte{2, 0})
	f.Add(uint16(wire.MsgcMainAgentData), []byte{1}, uint16(102), []byte{})
	r := newRig(f, func(c *Config) { c.OnClient = nil })
	r.SetTablet(&fakeTablet{})
	r.settle()
	f.Fuzz(func(t *testing.T, msg1 uint16, body1 []byte, msg2 uint16, body2 []byte) {
		r.t = t
		p, _ := r.main()
		if len(body1)+len(body2) < 1<<15 {
			p.write(frame(false, msg1, body1))
			p.write(frame(false, msg2, body2))
		}
		r.settle()
		for {
			if _, _, ok := p.next(); !ok { // every message is whole
				break
			}
		}
		p.close()
		r.settle()
		if len(r.clients) != 0 {
			t.Fatal("the client is still there")
		}
	})
}
