package core

import (
	"time"

	"github.com/spiceecs/spiceecs/ecs"
)

// Keyboard is the virtual machine's keyboard. Its methods are called on the
// core's goroutine and must not block.
type Keyboard interface {
	// Scancode takes one byte of PC/XT set 1.
	Scancode(code byte)
	// LEDs is the guest's lock state.
	LEDs() Locks
}

// Locks is a set of locking keys.
type Locks uint16

// Locking keys.
const (
	ScrollLock Locks = 1 << iota
	NumLock
	CapsLock

	allLocks = ScrollLock | NumLock | CapsLock
)

// Scancodes.
const (
	prefixE0 = 0xe0
	prefixE1 = 0xe1 // Pause: two codes follow
	released = 0x80

	scanScroll = 0x46
	scanNum    = 0x45
	scanCaps   = 0x3a
)

// locksDelay is how long the guest gets to act on a locking key before clients
// are told the state.
const locksDelay = 2 * time.Second

// lockKeys are the scancodes of the locking keys, by bit of Locks.
var lockKeys = [...]byte{scanScroll, scanNum, scanCaps}

// lockOf is the lock that an unprefixed scancode switches, 0 for other keys.
func lockOf(code byte) Locks {
	for i, k := range lockKeys {
		if k == code {
			return 1 << i
		}
	}
	return 0
}

// keyboard is the device and what the core believes of its locks.
type keyboard struct {
	core  *Core
	dev   Keyboard
	locks Locks
	timer *ecs.Timer // until clients are told
}

func (k *keyboard) init(c *Core) {
	k.core = c
	k.timer = c.loop.NewTimer(func() { k.tell() })
}

// SetKeyboard plugs the keyboard in, or with nil out.
func (c *Core) SetKeyboard(dev Keyboard) { c.post(func() { c.keyboard.dev = dev }) }

// KeyboardLEDs tells that the guest has switched its locks. Clients are told at once.
func (c *Core) KeyboardLEDs(l Locks) {
	c.post(func() {
		c.keyboard.locks = l & allLocks
		c.keyboard.tell()
	})
}

// tell sends the locks to every client.
func (k *keyboard) tell() {
	for _, cl := range k.core.clients {
		if cl.inputs != nil {
			cl.inputs.sendLocks()
			cl.inputs.conn.Pump()
		}
	}
}

// refresh takes the locks from the device.
func (k *keyboard) refresh() Locks {
	if k.dev == nil {
		return 0
	}
	k.locks = k.dev.LEDs() & allLocks
	return k.locks
}

// want presses the locking keys that bring the guest to the state that a client
// has. A key that is held down is left alone: its press is under way.
func (k *keyboard) want(l Locks) {
	if k.dev == nil {
		return
	}
	for i, code := range lockKeys {
		bit := Locks(1) << i
		if (l^k.locks)&bit == 0 || k.held(0, code) {
			continue
		}
		k.dev.Scancode(code)
		k.dev.Scancode(code | released)
		k.locks ^= bit
	}
	k.timer.Reset(locksDelay)
}

// held reports whether a client holds a key down.
func (k *keyboard) held(extended int, code byte) bool {
	for _, cl := range k.core.clients {
		if cl.inputs != nil && cl.inputs.keys.has(extended, code) {
			return true
		}
	}
	return false
}

// keys is one client's stream of scancodes: the keys it holds down, plain and
// E0-prefixed ones, and how far the current sequence has come.
type keys struct {
	down   [2][2]uint64
	prefix byte // E0 has been seen
	skip   int  // codes of an E1 sequence still to come
}

func (s *keys) has(extended int, code byte) bool {
	return s.down[extended][code>>6&1]>>(code&63)&1 != 0
}

func (s *keys) set(extended int, code byte, down bool) {
	word, bit := &s.down[extended][code>>6&1], uint64(1)<<(code&63)
	if *word &^= bit; down {
		*word |= bit
	}
}

// scancode passes one byte of a client on to the device and keeps track of it.
func (k *keyboard) scancode(s *keys, b byte) {
	if k.dev == nil {
		return
	}
	k.dev.Scancode(b)
	switch {
	case b == prefixE0:
		s.prefix = b
		return
	case b == prefixE1:
		s.prefix, s.skip = 0, 2
		return
	case s.skip > 0:
		s.prefix, s.skip = 0, s.skip-1
		return
	}
	extended, code, down := 0, b&^released, b&released == 0
	if s.prefix == prefixE0 {
		extended = 1
	}
	s.prefix = 0
	if lock := lockOf(code); lock != 0 && extended == 0 && down && !s.has(extended, code) {
		k.locks ^= lock
		k.timer.Reset(locksDelay)
	}
	s.set(extended, code, down)
}

// releaseAll lets go of the keys that a client holds down and no other does.
func (k *keyboard) releaseAll(s *keys) {
	down := s.down
	*s = keys{}
	if k.dev == nil {
		return
	}
	for extended := range down {
		for code := range byte(released) {
			if down[extended][code>>6]>>(code&63)&1 == 0 || k.held(extended, code) {
				continue
			}
			if extended == 1 {
				k.dev.Scancode(prefixE0)
			}
			k.dev.Scancode(code | released)
		}
	}
}
