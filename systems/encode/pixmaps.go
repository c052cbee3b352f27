package encode

import (
	"container/list"
	"math"
	"slices"
	"sync"

	"github.com/spiceecs/spiceecs/net/codec/glz"
)

// maxChannels is how many display channels of one client may share its caches.
const maxChannels = 4

// Caches are what a client keeps and the server mirrors: images it was told to
// cache, and those that GLZ streams may refer to. All display channels of the
// client that name the same ids share them, so they are safe for concurrent use.
type Caches struct {
	mu     sync.Mutex
	budget int64 // pixels
	used   int64
	items  map[uint64]*list.Element // of *pixmap
	order  list.List                // most recently used first

	Dictionary *glz.Dictionary // nil where the client has no window
}

// pixmap is an image in the client's cache.
type pixmap struct {
	id     uint64
	pixels int64
	lossy  bool
	used   [maxChannels]uint64 // serial of the last message of each channel that used it
}

// pending stands for the serial of a message that is being prepared.
const pending = math.MaxUint64

// Wait names a message of another channel that has to be handled first.
type Wait struct {
	Channel uint8
	Serial  uint64
}

// NewCaches mirrors caches of so many pixels.
func NewCaches(pixels int64, window int) *Caches {
	c := &Caches{budget: pixels, items: map[uint64]*list.Element{}}
	if window > 0 {
		c.Dictionary = glz.NewDictionary(window, 0)
	}
	return c
}

// Hit reports whether the client has an image, and whether what it has is
// lossy. If lossless is asked for, a lossy one counts as absent, and is replaced
// by what is going to be sent. It is not evicted before Used tells in which
// message the channel uses it.
func (c *Caches) Hit(id uint64, channel uint8, lossless bool) (hit, lossy, replace bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.items[id]
	if e == nil {
		return false, false, false
	}
	c.order.MoveToFront(e)
	p := e.Value.(*pixmap)
	p.use(channel, pending)
	if p.lossy && lossless {
		p.lossy = false
		return false, false, true
	}
	return true, p.lossy, false
}

func (p *pixmap) use(channel uint8, serial uint64) {
	if channel < maxChannels {
		p.used[channel] = serial
	}
}

// inUse reports whether a message that uses p is being prepared.
func (p *pixmap) inUse() bool { return slices.Contains(p.used[:], pending) }

// Used tells the serial of the message in which a channel uses an image that
// was hit or added.
func (c *Caches) Used(id uint64, channel uint8, serial uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.items[id]; e != nil {
		e.Value.(*pixmap).use(channel, serial)
	}
}

// Add notes that the client is told to cache an image. What it has to forget
// for that is appended to evicted, and what it has to wait for before to waits.
// It reports false, and nothing is evicted, if the image does not fit without
// evicting one that a message in preparation uses.
func (c *Caches) Add(id uint64, pixels int64, lossy bool, channel uint8, evicted []uint64, waits []Wait) (bool, []uint64, []Wait) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if channel >= maxChannels || pixels > c.budget || c.items[id] != nil {
		return false, evicted, waits
	}
	room := c.budget - c.used
	for e := c.order.Back(); room < pixels; e = e.Prev() {
		if e == nil || e.Value.(*pixmap).inUse() {
			return false, evicted, waits
		}
		room += e.Value.(*pixmap).pixels
	}
	for c.budget-c.used < pixels {
		p := c.order.Remove(c.order.Back()).(*pixmap)
		delete(c.items, p.id)
		c.used -= p.pixels
		evicted = append(evicted, p.id)
		waits = p.waits(channel, waits)
	}
	p := &pixmap{id: id, pixels: pixels, lossy: lossy}
	p.use(channel, pending)
	c.items[id] = c.order.PushFront(p)
	c.used += pixels
	return true, evicted, waits
}

// waits merges the other channels' uses of p into waits.
func (p *pixmap) waits(channel uint8, waits []Wait) []Wait {
next:
	for ch, serial := range p.used {
		if serial == 0 || uint8(ch) == channel {
			continue
		}
		for i := range waits {
			if waits[i].Channel == uint8(ch) {
				waits[i].Serial = max(waits[i].Serial, serial)
				continue next
			}
		}
		waits = append(waits, Wait{uint8(ch), serial})
	}
	return waits
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
