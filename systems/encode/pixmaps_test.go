package encode

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// note is what a message says about one image.
type note struct {
	id                     uint64
	add, replace, lossy    bool // it carries the image
	cached, exact, perfect bool // it refers to the cache: to be lossless, and to wait for that
}

type message struct {
	serial  uint64
	evicted []uint64
	waits   []Wait
	notes   []note
}

// side is a display channel: what the server has emitted and not sent, and what
// the client has received and not handled.
type side struct {
	channel uint8
	serial  uint64
	out, in []message
	life    int // how many connections there have been
}

// copyOf is an image in the client's cache.
type copyOf struct {
	lossy bool
	refs  int
}

// mirrorModel plays server and client, which handles its channels' messages in
// any order that they allow.
type mirrorModel struct {
	t      *testing.T
	rng    *rand.Rand
	caches *Caches
	pixels map[uint64]int64
	sides  []*side
	client map[uint64]copyOf
	done   [maxChannels]uint64
	deaths int
	hits   map[Presence]int
}

// emit prepares a message with up to three images, as the marshaller does.
func (m *mirrorModel) emit(s *side) {
	s.serial++
	msg := message{serial: s.serial}
	for range 1 + m.rng.IntN(3) {
		id := 1 + m.rng.Uint64N(60)
		lossless, lossy := m.rng.IntN(4) == 0, m.rng.IntN(3) == 0
		if lossless {
			lossy = false
		}
		p := m.caches.Look(id, s.channel, lossless)
		m.hits[p]++
		used, before := len(msg.notes), len(msg.evicted)
		switch p {
		case Absent:
			var ok bool
			if ok, msg.evicted, msg.waits = m.caches.Add(id, m.pixels[id], lossy, s.channel, msg.evicted, msg.waits); ok {
				msg.notes = append(msg.notes, note{id: id, add: true, lossy: lossy})
			} else if len(msg.evicted) > before {
				m.t.Fatal("an image was evicted for nothing")
			}
		case Stale:
			msg.notes = append(msg.notes, note{id: id, replace: true})
		case Rough:
			msg.notes = append(msg.notes, note{id: id, cached: true})
		case Exact:
			msg.notes = append(msg.notes, note{id: id, cached: true, exact: true})
		case ExactNow:
			msg.notes = append(msg.notes, note{id: id, cached: true, perfect: true})
		}
		for _, n := range msg.notes[:used] {
			if slices.Contains(msg.evicted[before:], n.id) {
				m.t.Fatalf("image %d is evicted by the message that uses it", n.id)
			}
		}
	}
	if m.caches.used > m.caches.budget {
		m.t.Fatalf("the mirror holds %d of %d pixels", m.caches.used, m.caches.budget)
	}
	for _, w := range msg.waits {
		if w.Channel == s.channel || w.Serial > m.caches.sent[w.Channel] {
			m.t.Fatalf("channel %d waits for what has not been sent: %+v", s.channel, w)
		}
	}
	s.out = append(s.out, msg)
	if m.rng.IntN(10) == 0 {
		return // it stays in preparation, for good: only an end of the channel may follow
	}
	for _, n := range msg.notes {
		m.caches.Used(n.id, s.channel, msg.serial)
	}
}

// send hands what was emitted to the client.
func (m *mirrorModel) send(s *side) {
	for _, msg := range s.out {
		for _, n := range msg.notes {
			m.caches.Used(n.id, s.channel, msg.serial)
		}
	}
	s.in, s.out = append(s.in, s.out...), nil
	m.caches.Sent(s.channel, s.serial)
}

// die ends a connection. What was sent arrives, and a new one begins.
func (m *mirrorModel) die(s *side) {
	m.deaths++
	m.caches.Leave(s.channel)
	for len(s.in) > 0 {
		if !m.anyProgress() {
			m.t.Fatal("the channels wait for each other")
		}
	}
	s.out, s.serial, s.life = nil, 0, s.life+1
	m.done[s.channel] = 0
	for _, o := range m.sides {
		for _, queue := range [][]message{o.in, o.out} {
			for i := range queue { // a channel that has gone is not waited for
				queue[i].waits = slices.DeleteFunc(queue[i].waits, func(w Wait) bool { return w.Channel == s.channel })
			}
		}
	}
}

// handle lets the client do the first message of a channel, if it can.
func (m *mirrorModel) handle(s *side) bool {
	if len(s.in) == 0 {
		return false
	}
	msg := s.in[0]
	for _, w := range msg.waits {
		if m.done[w.Channel] < w.Serial {
			return false
		}
	}
	for _, n := range msg.notes {
		c, have := m.client[n.id]
		own := slices.ContainsFunc(msg.notes, func(o note) bool { return o.id == n.id && (o.add || o.replace) })
		if n.cached && !own && (!have || n.perfect && c.lossy) {
			return false
		}
		if n.exact && have && c.lossy && !own {
			m.t.Fatalf("image %d is taken for lossless", n.id)
		}
	}
	for _, id := range msg.evicted {
		if c := m.client[id]; c.refs > 1 {
			m.client[id] = copyOf{c.lossy, c.refs - 1}
		} else {
			delete(m.client, id)
		}
	}
	for _, n := range msg.notes {
		c := m.client[n.id]
		switch {
		case n.add:
			m.client[n.id] = copyOf{n.lossy, c.refs + 1}
		case n.replace:
			if c.refs == 0 {
				m.t.Fatalf("image %d is replaced, but is not there", n.id)
			}
			m.client[n.id] = copyOf{false, c.refs}
		case n.cached && (c.refs == 0 || n.perfect && c.lossy):
			m.t.Fatalf("image %d is used but not there: %+v", n.id, n)
		}
	}
	m.done[s.channel] = msg.serial
	s.in = s.in[1:]
	return true
}

func (m *mirrorModel) anyProgress() bool {
	for _, i := range m.rng.Perm(len(m.sides)) {
		if m.handle(m.sides[i]) {
			return true
		}
	}
	return false
}

// TestMirror has several channels of a client share its cache, in any order of
// planning, sending, handling and breaking down: the client always has what it
// is told to use, nobody waits for ever, and in the end both sides hold the same.
func TestMirror(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	hits, deaths := map[Presence]int{}, 0
	for run := range 60 {
		rng := rand.New(rand.NewPCG(seed, uint64(run)))
		m := &mirrorModel{
			t: t, rng: rng, caches: NewCaches(1+rng.Int64N(3000), 0), pixels: map[uint64]int64{},
			client: map[uint64]copyOf{}, hits: hits,
		}
		for id := range uint64(61) {
			m.pixels[id] = 1 + rng.Int64N(400)
		}
		for i := range 1 + rng.IntN(maxChannels) {
			m.sides = append(m.sides, &side{channel: uint8(i)})
		}
		mortal := rng.IntN(2) == 0
		for range 800 {
			s := m.sides[rng.IntN(len(m.sides))]
			switch n := rng.IntN(100); {
			case n < 50:
				m.emit(s)
			case n < 65:
				m.send(s)
			case n < 66 && mortal:
				m.die(s)
			default:
				m.handle(s)
			}
		}
		for _, s := range m.sides {
			m.send(s)
		}
		for m.anyProgress() {
		}
		for _, s := range m.sides {
			if len(s.in) > 0 {
				t.Fatalf("run %d: channel %d waits for ever for %+v", run, s.channel, s.in[0])
			}
		}
		m.compare(mortal)
		deaths += m.deaths
	}
	t.Logf("looks %v, %d channels ended", hits, deaths)
	for p := Absent; p <= ExactNow; p++ {
		if hits[p] == 0 {
			t.Errorf("presence %d never comes up", p)
		}
	}
}

// compare holds the client's cache to the mirror. After a channel has ended the
// client may know more.
func (m *mirrorModel) compare(mortal bool) {
	sum := int64(0)
	for id, i := range m.caches.index {
		p := &m.caches.slots[i]
		sum += p.pixels
		c, have := m.client[id]
		if !have || c.lossy && !p.lossy || c.lossy != p.lossy && !mortal {
			m.t.Fatalf("the mirror has image %d as %+v, the client %v, %+v", id, *p, have, c)
		}
	}
	if sum != m.caches.used || sum > m.caches.budget {
		m.t.Fatalf("the mirror counts %d pixels, holds %d, of %d", m.caches.used, sum, m.caches.budget)
	}
	if !mortal && len(m.client) != len(m.caches.index) {
		m.t.Fatalf("the client holds %d images, the mirror %d", len(m.client), len(m.caches.index))
	}
	order := 0
	for i := m.caches.slots[0].next; i != 0; i = m.caches.slots[i].next {
		order++
	}
	if order != len(m.caches.index) {
		m.t.Fatalf("%d images in order, %d in the index", order, len(m.caches.index))
	}
}

// TestEviction is the order in which a cache forgets.
func TestEviction(t *testing.T) {
	c := NewCaches(100, 0)
	add := func(id uint64, pixels int64, want bool, evicted ...uint64) {
		t.Helper()
		ok, gone, _ := c.Add(id, pixels, false, 0, nil, nil)
		if ok != want || !slices.Equal(gone, evicted) {
			t.Errorf("adding %d: %v, evicted %v, want %v, %v", id, ok, gone, want, evicted)
		}
		c.Used(id, 0, id)
	}
	add(1, 40, true)
	add(2, 40, true)
	if c.Look(1, 0, true) != Exact {
		t.Error("image 1 is not found")
	}
	add(3, 61, false) // image 1 is used by a message in preparation
	c.Used(1, 0, 9)
	add(4, 30, true, 2)
	add(5, 101, false)
	add(4, 1, false)
	add(6, 100, true, 1, 4)
	if c.Look(6, maxChannels, false) != Unsettled {
		t.Error("a channel without account uses the cache")
	}
}

// TestMany bounds the number of images, however small.
func TestMany(t *testing.T) {
	c := NewCaches(1<<30, 0)
	for id := range uint64(maxPixmaps) {
		c.Add(id+1, 1, false, 0, nil, nil)
		c.Used(id+1, 0, id+1)
	}
	if ok, gone, _ := c.Add(1<<40, 1, false, 0, nil, nil); !ok || !slices.Equal(gone, []uint64{1}) {
		t.Errorf("one image too many: %v, evicted %v", ok, gone)
	}
}

// TestRegistry has channels of clients find their caches.
func TestRegistry(t *testing.T) {
	r := NewRegistry()
	a, leaveA := r.Join(1, 1, 1, 100, 1000)
	b, leaveB := r.Join(1, 1, 1, 500, 5)
	other, leaveOther := r.Join(2, 1, 1, 100, 0)
	if a != b || a == other || a.budget != 100 || a.Dictionary.Window() != 1000 || other.Dictionary != nil {
		t.Error("caches are mixed up")
	}
	leaveA()
	leaveB()
	leaveOther()
	if c, _ := r.Join(1, 1, 1, 7, 0); c == a || len(r.all) != 1 {
		t.Error("caches live on without a channel")
	}
}

// TestCacheAllocations holds a full cache that forgets as much as it learns to
// no allocation.
func TestCacheAllocations(t *testing.T) {
	c := NewCaches(1000, 0)
	var evicted []uint64
	id := uint64(0)
	step := func() {
		id++
		_, evicted, _ = c.Add(id, 1, false, 0, evicted[:0], nil)
		c.Used(id, 0, id)
		c.Look(id-10, 0, false)
		c.Used(id-10, 0, id)
	}
	for range 5000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
