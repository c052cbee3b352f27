package glz

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// maxImages is how many images the window holds at most, however small.
const maxImages = 1 << 16

// MaxChannels is how many channels may share a dictionary.
const MaxChannels = 4

// record is an image in the window. It does not change while anyone can reach it.
type record struct {
	id            uint64
	content       uint64
	channel       int  // that brings it to the receiver
	hollow        bool // nobody may refer to it
	im            Image
	colour, alpha int // where its planes start in the ring; alpha < 0 if there is none
	end           int // where the next image may start
}

// Dictionary is the sender's side of a window: the images that streams of one
// client may refer to. It is safe for concurrent use.
type Dictionary struct {
	window int // pixels

	mu     sync.Mutex
	next   uint64 // id of the next image
	head   uint64 // oldest image that may be referred to
	pixels int    // of all images from head on

	// ring holds the planes of records oldest to next-1 in order, around the
	// end, each image in one piece. The oldest is head, or older while an
	// encoder that was allowed to refer to it still runs.
	ring    []byte
	oldest  uint64
	records []record  // by id modulo the length, a power of two
	running []running // the slots that are not released

	// For each channel, the id behind the newest image that was reserved, and
	// behind the newest one that was sent.
	reserved, sent [MaxChannels]uint64
	lost           bool // an image never will be

	// table is where in the ring some units were last seen, by their hash. It
	// may be wrong: what it points to has to be looked at.
	table []entry
	shift uint // from a 64-bit hash to an index
}

// running is what has to be known of a slot that is not released.
type running struct {
	id, head uint64
	channel  int
}

// entry is a place in the ring, a multiple of placeUnit bytes, and some further
// bits of the hash. These save most looks at places that are something else,
// which are misses of the cache.
type entry struct{ v atomic.Uint32 }

const (
	placeUnit = 4
	placeBits = 26 // enough for 5 bytes for each of MaxWindow pixels
	markShift = 32 // where the further bits of the hash are
	tablePage = 4096 / 4
)

func (e *entry) set(hash uint64, place int) {
	e.v.Store(uint32(hash>>markShift)<<placeBits | uint32(place/placeUnit))
}

// at returns the place, and whether it is one of such a hash.
func (e *entry) at(hash uint64) (place int, same bool) {
	v := e.v.Load()
	return int(v&(1<<placeBits-1)) * placeUnit, v>>placeBits == uint32(hash>>markShift)&(1<<(32-placeBits)-1)
}

// NewDictionary makes an empty dictionary with a window of so many pixels,
// bounded to MaxWindow, whose images are numbered from firstID on.
func NewDictionary(window int, firstID uint64) *Dictionary {
	window = max(0, min(window, MaxWindow))
	tableBits := min(max(bits.Len(uint(window))-6, 10), 18)
	return &Dictionary{
		window: window,
		next:   firstID, head: firstID, oldest: firstID,
		records: make([]record, 64),
		table:   make([]entry, 1<<tableBits),
		shift:   uint(64 - tableBits),
	}
}

// Window is the size of the window in pixels.
func (d *Dictionary) Window() int { return d.window }

// NextID is the id the next image will get.
func (d *Dictionary) NextID() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.next
}

// Slot is an image that has its id and its place in the window. It is to be
// staged and encoded, once, and the stream to be sent.
type Slot struct {
	dict    *Dictionary
	rec     record
	head    uint64   // oldest image it may refer to
	records []record // those from head on
	ring    []byte
	sent    [MaxChannels]uint64 // as in the dictionary, when it was reserved

	// Other channels may still be staging images from foreignFrom to foreignTo-1.
	foreignFrom, foreignTo uint64
}

// ID is the id of the image.
func (s *Slot) ID() uint64 { return s.rec.id }

// Header is the header of the stream.
func (s *Slot) Header() Header {
	return Header{Image: s.rec.im, ID: s.rec.id, HeadDistance: uint32(s.rec.id - s.head)}
}

// Reserve makes room in the window for an image that a channel is going to send,
// and gives it the next id, in the order of calls. Images with the same content,
// unless that is Unlike, have the same type, size and pixels. What falls out of the
// window for it, the oldest images, can no longer be referred to.
//
// The image is to be staged before any that the channel reserved later is encoded,
// unless it is hollow: no stream will refer to a hollow one, so that it need not be
// staged at all if it is not encoded but adopts a stream.
//
// The stream will refer to images of the same channel and to such of other
// channels that have been sent already: no channel of the receiver ever waits
// for another one.
//
// The errors are pixel.ErrImage, ErrTooLarge, ErrBusy and ErrLost; no id is used then.
func (d *Dictionary) Reserve(channel int, content uint64, im Image, hollow bool) (Slot, error) {
	if channel < 0 || channel >= MaxChannels {
		return Slot{}, fmt.Errorf("reserving GLZ image: %w: channel %d", ErrLost, channel)
	}
	if err := check(im); err != nil {
		return Slot{}, fmt.Errorf("reserving GLZ image: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lost {
		return Slot{}, errLost
	}
	if im.Units() >= d.window {
		return Slot{}, fmt.Errorf("reserving GLZ image: %w: %d of %d pixels", ErrTooLarge, im.Units(), d.window)
	}
	at, ok := d.makeRoom(im)
	if !ok {
		return Slot{}, errBusy
	}
	rec := layOut(im, at)
	rec.id, rec.content, rec.channel, rec.hollow = d.next, content, channel, hollow
	d.insert(rec)
	d.reserved[channel] = d.next
	s := Slot{dict: d, rec: rec, head: d.head, records: d.records, ring: d.ring, sent: d.sent}
	s.foreignFrom, s.foreignTo = d.foreign(channel)
	d.running = append(d.running, running{rec.id, d.head, channel})
	return s, nil
}

// foreign is the range of images in which those of other channels lie whose slots
// are not released: they may be staged at any time.
func (d *Dictionary) foreign(channel int) (from, to uint64) {
	for _, r := range d.running {
		if r.channel == channel || r.id < d.head {
			continue
		}
		if from == to {
			from = r.id
		}
		from, to = min(from, r.id), max(to, r.id+1)
	}
	return from, to
}

// Errors that are no rare events are made once.
var (
	errBusy = fmt.Errorf("reserving GLZ image: %w", ErrBusy)
	errLost = fmt.Errorf("reserving GLZ image: %w", ErrLost)
)

// Sent tells that a channel has sent all streams it has reserved below next.
func (d *Dictionary) Sent(channel int, next uint64) {
	if channel < 0 || channel >= MaxChannels {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent[channel] = max(d.sent[channel], next)
}

// Leave tells that a channel has ended. If it did not send all it had reserved,
// nothing more can be reserved: the receiver would wait for what is missing
// before it frees any image.
func (d *Dictionary) Leave(channel int) {
	if channel < 0 || channel >= MaxChannels {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sent[channel] < d.reserved[channel] {
		d.lost = true
	}
}

// layOut places the planes of an image at and behind at in the ring.
func layOut(im Image, at int) record {
	rec := record{im: im, colour: at, alpha: -1}
	for i, p := range im.Type.Passes() {
		if i > 0 {
			rec.alpha = at
		}
		at = (at + im.Units()*p.Unit + pixel.Slack + 7) &^ 7
	}
	rec.end = at
	return rec
}

// makeRoom moves the head on until the window and the ring have room for im.
// It returns the place in the ring. If the ring has none, because encoders run,
// it changes nothing and reports false.
func (d *Dictionary) makeRoom(im Image) (at int, ok bool) {
	if d.ring == nil {
		d.allocate()
	}
	pinned := d.next // no memory from here on is given up
	for _, r := range d.running {
		pinned = min(pinned, r.head)
	}
	head, pixels, oldest := d.head, d.pixels, d.oldest
	drop := func() {
		pixels -= d.record(head).im.Units()
		head++
	}
	for head < d.next && (pixels+im.Units() > d.window || d.next-head >= maxImages) {
		drop()
	}
	for {
		oldest = max(oldest, min(head, pinned))
		if at, ok = d.gap(oldest, layOut(im, 0).end); ok {
			break
		}
		if head == d.next || head >= pinned {
			return 0, false
		}
		drop()
	}
	d.head, d.pixels, d.oldest = head, pixels, oldest
	return at, true
}

// allocate makes what is large, for the first image.
func (d *Dictionary) allocate() {
	d.ring = make([]byte, d.window*5+4*pixel.Slack)
	// A fresh page that is read before it is written costs a second fault, which
	// stops the other cores. Encoders look before they write.
	for i := 0; i < len(d.table); i += tablePage {
		d.table[i].v.Store(0)
	}
}

// gap finds size bytes of the ring that are free when the images from oldest
// on stay.
func (d *Dictionary) gap(oldest uint64, size int) (at int, ok bool) {
	if oldest == d.next {
		return 0, size <= len(d.ring)
	}
	start, end := d.record(oldest).colour, d.record(d.next-1).end
	if end <= start { // they lie around the end
		return end, size < start-end
	}
	if size <= len(d.ring)-end {
		return end, true
	}
	return 0, size < start
}

func (d *Dictionary) record(id uint64) *record { return &d.records[id&uint64(len(d.records)-1)] }

// insert makes rec the newest image.
func (d *Dictionary) insert(rec record) {
	if d.next-d.oldest == uint64(len(d.records)) {
		// Slots keep the old records, which nobody changes any more.
		old := d.records
		d.records = make([]record, 2*len(old))
		for id := d.oldest; id < d.next; id++ {
			*d.record(id) = old[id&uint64(len(old)-1)]
		}
	}
	*d.record(d.next) = rec
	d.next++
	d.pixels += rec.im.Units()
}

// Release ends the encoding of a slot.
func (s *Slot) Release() {
	d := s.dict
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, r := range d.running {
		if r.id == s.rec.id {
			last := len(d.running) - 1
			d.running[i] = d.running[last]
			d.running = d.running[:last]
			return
		}
	}
}
