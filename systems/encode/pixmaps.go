package encode

import (
	"math"
	"sync"

	"github.com/spiceecs/spiceecs/net/codec/glz"
)

// Bounds of a client's pixmap cache.
const (
	maxChannels = glz.MaxChannels // of one client that may share its caches
	maxPixmaps  = 1 << 15         // however small they are
)

// Caches are what a client keeps and the server mirrors: images it was told to
// cache, and those that GLZ streams may refer to. All display channels of the
// client that name the same ids share them, so they are safe for concurrent use.
//
// Channels rely on nothing that is still to be sent: what one of them has told
// the client to cache, to use or to forget counts for the others only when that
// has left. A channel that ends in between thus takes nothing with it that
// another one needs. And since a client handles its channels in any order, one
// that adds an image waits for what others were told to forget: it might be an
// earlier version of it.
//
// Memory follows the images: some 80 bytes each, at most maxPixmaps of them.
type Caches struct {
	mu     sync.Mutex
	budget int64 // pixels
	used   int64
	sent   [maxChannels]uint64 // serial of the last message of each channel that was sent
	index  map[uint64]int32    // in slots, by id
	// slots[0] is the head of the ring of images in the order of their use,
	// next being the most recently used one. free begins the list, by next, of
	// slots not in use.
	slots []pixmap
	free  int32
	lossy bool // there has been a lossy image

	// evicting is how many messages of each channel that evict are being
	// prepared. barrier is the serial of the last one that was emitted, or makes
	// up for one that was lost; waited is what each channel waited for.
	evicting [maxChannels]int
	barrier  [maxChannels]uint64
	waited   [maxChannels][maxChannels]uint64

	Dictionary *glz.Dictionary // nil where the client has no window
}

// pixmap is an image in the client's cache.
type pixmap struct {
	id         uint64
	pixels     int64
	prev, next int32
	lossy      bool
	evicts     bool                // the message that adds it does
	by         uint8               // the channel that brings it as it is
	since      uint64              // and the serial of the message that does
	used       [maxChannels]uint64 // serial of the last message of each channel that used it
}

// pending stands for the serial of a message that is being prepared.
const pending = math.MaxUint64

// Wait names a message of another channel that has to be handled first.
type Wait struct {
	Channel uint8
	Serial  uint64
}

// Presence is what the client has of an image.
type Presence uint8

// Presences.
const (
	Absent    Presence = iota // nothing: it may be added
	Unsettled                 // another channel is about to bring it: send it, but do not add it
	Stale                     // it was lossy, and is replaced by what is going to be sent
	Rough                     // it is there, lossy
	Exact                     // it is there
	ExactNow                  // it is there, but may have been lossy when another channel brought it
)

// NewCaches mirrors caches of so many pixels.
func NewCaches(pixels int64, window int) *Caches {
	c := &Caches{budget: pixels, index: map[uint64]int32{}, slots: make([]pixmap, 1)}
	if window > 0 {
		c.Dictionary = glz.NewDictionary(window, 0)
	}
	return c
}

// Look tells what the client has of an image that a channel is going to use,
// losslessly if that is asked for. What is found is not evicted before Used
// tells in which message the channel uses it.
func (c *Caches) Look(id uint64, channel uint8, lossless bool) Presence {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.index[id]
	switch p := &c.slots[i]; {
	case i == 0:
		return Absent
	case channel >= maxChannels || !c.settled(p, channel):
		return Unsettled
	case p.lossy && lossless && p.by != channel:
		// A replacement could overtake what it is to replace.
		return Unsettled
	}
	c.unlink(i)
	c.link(i)
	p := &c.slots[i]
	p.used[channel] = pending
	switch {
	case p.lossy && lossless:
		p.lossy, p.by, p.since = false, channel, pending
		return Stale
	case p.lossy:
		return Rough
	case c.lossy:
		return ExactNow
	}
	return Exact
}

// settled reports whether a channel may rely on an image: it brings it itself,
// or that has been sent.
func (c *Caches) settled(p *pixmap, channel uint8) bool {
	return p.by == channel || p.since <= c.sent[p.by]
}

// Used tells the serial of the message in which a channel uses an image that it
// has looked up or added.
func (c *Caches) Used(id uint64, channel uint8, serial uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.index[id]
	if i == 0 || channel >= maxChannels {
		return
	}
	p := &c.slots[i]
	p.used[channel] = serial
	if p.by == channel && p.since == pending {
		p.since = serial
		if p.evicts {
			p.evicts, c.barrier[channel] = false, serial
			c.evicting[channel]--
		}
	}
}

// Sent tells that a channel's messages up to serial have been sent.
func (c *Caches) Sent(channel uint8, serial uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if channel < maxChannels {
		c.sent[channel] = serial
	}
}

// Leave tells that a channel has ended. Images that it had not sent yet are
// forgotten; those that it has not told the client to forget take room there.
func (c *Caches) Leave(channel uint8) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if channel >= maxChannels {
		return
	}
	for i := c.slots[0].next; i != 0; {
		p := &c.slots[i]
		next := p.next
		if p.used[channel] = 0; p.by == channel && p.since > c.sent[channel] {
			c.drop(i)
		} else if p.by == channel {
			p.since = 0
		}
		i = next
	}
	if c.unsettled(int(channel)) {
		for ch, serial := range c.sent {
			c.barrier[ch] = max(c.barrier[ch], serial)
		}
	}
	c.sent[channel], c.evicting[channel], c.barrier[channel] = 0, 0, 0
	c.waited[channel] = [maxChannels]uint64{}
	for ch := range c.waited {
		c.waited[ch][channel] = 0
	}
	if c.Dictionary != nil {
		c.Dictionary.Leave(int(channel))
	}
}

// Add notes that the client is told to cache an image that is absent. What it
// has to forget for that is appended to evicted, and what it has to wait for
// before to waits. It reports false, and nothing is evicted, if the image does
// not fit without evicting one that a message uses which is being prepared, or
// is another channel's and not sent.
func (c *Caches) Add(id uint64, pixels int64, lossy bool, channel uint8, evicted []uint64, waits []Wait) (bool, []uint64, []Wait) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if channel >= maxChannels || pixels > c.budget || c.index[id] != 0 || !c.open(channel) {
		return false, evicted, waits
	}
	room, images := c.budget-c.used, maxPixmaps-len(c.index)
	for i := c.slots[0].prev; room < pixels || images < 1; i = c.slots[i].prev {
		if i == 0 || c.busy(&c.slots[i], channel) {
			return false, evicted, waits
		}
		room += c.slots[i].pixels
		images++
	}
	before := len(evicted)
	for ch, serial := range c.barrier {
		if ch != int(channel) && serial > c.waited[channel][ch] {
			waits = wait(waits, ch, serial)
			c.waited[channel][ch] = serial
		}
	}
	for c.budget-c.used < pixels || len(c.index) >= maxPixmaps {
		p := &c.slots[c.slots[0].prev]
		for ch, serial := range p.used {
			if ch != int(channel) && serial > 0 {
				waits = wait(waits, ch, serial)
			}
		}
		evicted = append(evicted, p.id)
		c.drop(c.slots[0].prev)
	}
	i := c.take()
	c.slots[i] = pixmap{id: id, pixels: pixels, lossy: lossy, by: channel, since: pending}
	c.slots[i].used[channel] = pending
	if len(evicted) > before {
		c.slots[i].evicts = true
		c.evicting[channel]++
	}
	c.link(i)
	c.index[id] = i
	c.used += pixels
	c.lossy = c.lossy || lossy
	return true, evicted, waits
}

// busy reports whether an image may not be evicted by a channel.
func (c *Caches) busy(p *pixmap, channel uint8) bool {
	for ch, serial := range p.used {
		if serial == pending || uint8(ch) != channel && serial > c.sent[ch] {
			return true
		}
	}
	return false
}

// open reports whether a channel may add images: what it would have to wait for
// has been sent.
func (c *Caches) open(channel uint8) bool {
	for ch := range c.barrier {
		if ch != int(channel) && c.unsettled(ch) {
			return false
		}
	}
	return true
}

// unsettled reports whether a channel has still to send evictions.
func (c *Caches) unsettled(ch int) bool {
	return c.evicting[ch] > 0 || c.barrier[ch] > c.sent[ch]
}

// wait adds a message of a channel to those that are waited for.
func wait(waits []Wait, ch int, serial uint64) []Wait {
	for i := range waits {
		if int(waits[i].Channel) == ch {
			waits[i].Serial = max(waits[i].Serial, serial)
			return waits
		}
	}
	return append(waits, Wait{uint8(ch), serial})
}

// take returns a slot that is not in use.
func (c *Caches) take() int32 {
	if i := c.free; i != 0 {
		c.free = c.slots[i].next
		return i
	}
	c.slots = append(c.slots, pixmap{})
	return int32(len(c.slots) - 1)
}

// drop forgets an image.
func (c *Caches) drop(i int32) {
	c.unlink(i)
	delete(c.index, c.slots[i].id)
	c.used -= c.slots[i].pixels
	c.slots[i].next = c.free
	c.free = i
}

// link makes a slot the most recently used one.
func (c *Caches) link(i int32) {
	head, p := &c.slots[0], &c.slots[i]
	p.prev, p.next = 0, head.next
	c.slots[head.next].prev = i
	head.next = i
}

func (c *Caches) unlink(i int32) {
	p := &c.slots[i]
	c.slots[p.prev].next = p.next
	c.slots[p.next].prev = p.prev
}

// Registry finds the caches that a client's display channels share.
type Registry struct {
	mu  sync.Mutex
	all map[cacheKey]*shared
}

type cacheKey struct {
	client         uint32
	pixmap, window uint8
}

type shared struct {
	caches *Caches
	users  int
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{all: map[cacheKey]*shared{}} }

// Join returns the caches that a client calls by these ids. The first channel
// to do so fixes their sizes. leave ends the use.
func (r *Registry) Join(client uint32, pixmapID, windowID uint8, pixels int64, window int) (c *Caches, leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := cacheKey{client, pixmapID, windowID}
	s := r.all[key]
	if s == nil {
		s = &shared{caches: NewCaches(pixels, window)}
		r.all[key] = s
	}
	s.users++
	return s.caches, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if s.users--; s.users == 0 {
			delete(r.all, key)
		}
	}
}
