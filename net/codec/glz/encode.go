package glz

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

const (
	tableBits = 14
	// patience is the number of misses after which the search starts to skip,
	// by one unit more each time, up to maxSkip units.
	patience = 32
	maxSkip  = 8
	// keySize is how many bytes units in other images are looked up by.
	keySize = 16
	// sampled are bits of a hash, none of which is set for the places that are looked
	// up and noted in the dictionary's table: one in 16, besides those where a search begins.
	sampled = 15 << 40
	// sameSize is how many images back one of the same size is looked for.
	sameSize = 8

	multiplier  = 0x9e3779b97f4a7c15
	multiplier2 = 0xc2b2ae3d27d4eb4f
)

// Encoder finds matches and writes streams. The zero value is ready. It is not
// for concurrent use; each goroutine has its own, for any dictionaries.
type Encoder struct {
	slot Slot
	pass *pixel.Pass
	ring []byte
	salt uint64 // keeps images of different types apart in the dictionary's table

	plane        // of the image being encoded
	from, to int // the part of it that is
	back     int // images, of the furthest reference of the part

	// The images that may be referred to lie from reachFrom on, reach bytes
	// around the end of the ring, and Slack more that may be read.
	reachFrom, reach int
	// But for those that others may still write to: so far behind reachFrom.
	foreignFrom, foreignTo int

	// other is the plane that was last referred to, or that of an earlier
	// image of this size, and delta the way to the place in it that goes
	// with the one being encoded.
	other plane
	delta int

	reader pixel.Reader // of what is staged

	probed plane // the one of a repeat, if it is none of those above

	// table maps the hash of the units at a place of the plane to the place,
	// in bytes on a clock that runs on over all passes and images.
	table [1 << tableBits]uint32
	clock uint32 // the place of from
}

// plane is one plane of an image in the ring.
type plane struct {
	id         uint64
	start, end int // end < start: there is none
}

// Encode reserves a place for an image in d, stages it, and appends its stream to dst.
// It returns the stream's id, too. d has one channel, and chunks are the bytes of the
// image in memory order, in any division; if they are too few, the error is ErrShort.
// See Dictionary.Reserve for others.
func (e *Encoder) Encode(dst []byte, d *Dictionary, im Image, chunks [][]byte) ([]byte, uint64, error) {
	if n := pixel.Total(chunks); im.Check() == nil && n < im.Size() {
		return dst, 0, fmt.Errorf("encoding GLZ: %w: %d of %d bytes", ErrShort, n, im.Size())
	}
	slot, err := d.Reserve(0, Unlike, im, false)
	if err != nil {
		return dst, 0, fmt.Errorf("encoding GLZ: %w", err)
	}
	e.Stage(&slot, chunks, 0, 1)
	return e.EncodeSlot(dst, &slot), slot.ID(), nil
}

// Stage copies one of so many parts of an image's pixels into its place. The parts
// may be staged by several encoders at a time. chunks are the bytes of the whole image
// in memory order, in any division; what is missing is 0.
func (e *Encoder) Stage(s *Slot, chunks [][]byte, part, parts int) {
	at, units := s.rec.colour, s.rec.im.Units()
	from, to := units*part/parts, units*(part+1)/parts
	for _, p := range s.rec.im.Type.Passes() {
		e.reader.Reset(chunks)
		e.reader.Skip(p.SourceSize(from))
		p.Stage(s.ring[at+from*p.Unit:at+to*p.Unit], &e.reader)
		at = s.rec.alpha
	}
	e.reader.Release()
}

// EncodeSlot appends the stream of a staged image to dst, and releases the
// slot. It must be called exactly once for each slot that is not encoded in
// parts.
func (e *Encoder) EncodeSlot(dst []byte, s *Slot) []byte {
	for part := range s.Parts(1) {
		dst = e.EncodePart(dst, s, part, 1)
	}
	s.Release()
	return dst
}

// Parts is the number of parts of the stream when each pass over the image is
// divided into strips.
func (s *Slot) Parts(strips int) int { return strips * len(s.rec.im.Type.Passes()) }

// EncodePart appends one of Parts(strips) parts of the stream of a staged image
// to dst. The parts may be encoded in any order, by several encoders at a time;
// one after the other they are the stream. Release the slot after the last one.
func (e *Encoder) EncodePart(dst []byte, s *Slot, part, strips int) []byte {
	out := dst
	if part == 0 {
		out = appendHeader(out, s.Header())
	}
	e.slot, e.ring = *s, s.ring
	defer func() { e.slot, e.ring = Slot{}, nil }()
	pass, units, strip := part/strips, s.rec.im.Units(), part%strips
	e.begin(s.rec.im.Type.Passes()[pass], pass, units*strip/strips, units*(strip+1)/strips)
	out = slices.Grow(out, e.pass.Worst((e.to-e.from)/e.pass.Unit)+pixel.Slack)
	o := e.encodePass(out[:cap(out)], len(out))
	e.clock += uint32(e.to - e.from)
	return out[:o]
}

// begin sets everything up for the units from to to of one pass.
func (e *Encoder) begin(p *pixel.Pass, index, from, to int) {
	s := &e.slot
	e.pass = p
	e.salt = uint64(s.rec.im.Type)*2 + uint64(index)
	e.plane = s.rec.plane(index)
	e.from, e.to, e.back = e.start+from*p.Unit, e.start+to*p.Unit, 0
	if e.clock == 0 || uint64(e.clock)+uint64(e.to-e.from) >= 1<<32 {
		clear(e.table[:])
		e.clock = 1
	}
	e.reachFrom = s.record(s.head).colour
	if e.reach = s.rec.end - e.reachFrom; e.reach <= 0 {
		e.reach += len(e.ring)
	}
	e.reach -= pixel.Slack
	e.foreignFrom, e.foreignTo = 0, 0
	if s.foreignFrom < s.foreignTo {
		last := s.record(s.foreignTo - 1)
		e.foreignFrom = e.depth(s.record(s.foreignFrom).colour) - pixel.Slack // which is read behind a place
		e.foreignTo = e.depth(last.colour) + last.end - last.colour
	}
	e.other, e.delta = plane{end: -1}, 0
	for id := s.rec.id; id > s.head && s.rec.id-id < sameSize; id-- {
		if rec := s.record(id - 1); sameShape(rec.im, s.rec.im) && s.mayRefer(rec) {
			e.other = rec.plane(index)
			e.delta = e.other.start - e.start
			break
		}
	}
}

func sameShape(a, b Image) bool {
	return a.Type == b.Type && a.Width == b.Width && a.Height == b.Height
}

// plane is the plane of the pass with that index.
func (rec *record) plane(index int) plane {
	start := rec.colour
	if index > 0 {
		start = rec.alpha
	}
	return plane{rec.id, start, start + rec.im.Units()*rec.im.Type.Passes()[index].Unit}
}

func (s *Slot) record(id uint64) *record { return &s.records[id&uint64(len(s.records)-1)] }

// mayRefer reports whether the stream may refer to an image.
func (s *Slot) mayRefer(rec *record) bool { return !rec.hollow && s.arrives(rec) }

// arrives reports whether the receiver is sure to have an image: one that went
// over the same channel, or that had been sent when s was reserved.
func (s *Slot) arrives(rec *record) bool {
	return rec.channel == s.rec.channel || rec.id < s.sent[rec.channel]
}

// locate finds the plane of the same kind as the current one that holds a
// place of the ring within reach. It reports false if something else is there.
func (e *Encoder) locate(at int) (plane, bool) {
	s := &e.slot
	lo, hi := s.head, s.rec.id // the last image that starts at or before
	for want := e.depth(at); lo < hi; {
		mid := lo + (hi-lo+1)/2
		if e.depth(s.record(mid).colour) <= want {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	rec := s.record(lo)
	if rec.im.Type != s.rec.im.Type || s.rec.id-rec.id > maxBack || !s.mayRefer(rec) {
		return plane{}, false
	}
	p := rec.plane(int(e.salt & 1))
	return p, at >= p.start && at < p.end && (at-p.start)&(e.pass.Unit-1) == 0
}

// encodePass writes the operations for its part of the plane to out[o:], and
// returns the new o. out has room for the worst case.
func (e *Encoder) encodePass(out []byte, o int) int {
	p := e.pass
	anchor := e.from // first unit not yet written
	for at := e.from; ; {
		found, c, ok := e.find(at)
		if !ok {
			break
		}
		best := e.choose(found, anchor, c)
		ref, ok := e.refer(found, best)
		if !ok {
			at = found + p.Unit
			continue
		}
		from := found - best.back
		o = p.PutLiterals(out, o, e.ring, anchor, from)
		o = ref.put(out, o)
		e.back = max(e.back, ref.images)
		anchor = from + best.size
		at = anchor
	}
	return p.PutLiterals(out, o, e.ring, anchor, e.to)
}

// candidates are places in the ring that a place begins like, or -1.
type candidates struct {
	before int // the unit before: a run
	other  int // in the plane last referred to
	local  int // in this plane
	far    int // anywhere in reach
}

// find looks for the next place from at on that begins like another. The
// longer it finds nothing the fewer places it looks at.
func (e *Encoder) find(at int) (found int, c candidates, ok bool) {
	var (
		ring       = e.ring
		table      = e.slot.dict.table
		shift      = e.slot.dict.shift & 63
		key, mask  = e.pass.Key, e.pass.Mask
		unit       = e.pass.Unit
		clock      = e.clock - uint32(e.from)
		otherStart = e.other.start - e.delta // in terms of at
		otherEnd   = e.other.end - e.delta - keySize
	)
	c = candidates{-1, -1, -1, -1}
	for skip := patience; at+keySize <= e.to; skip++ {
		v := binary.LittleEndian.Uint64(ring[at:])
		k := v & key
		if at >= otherStart && at <= otherEnd && binary.LittleEndian.Uint64(ring[at+e.delta:])&key == k {
			c.other = at + e.delta
			ok = true
		}
		if at > e.start && binary.LittleEndian.Uint64(ring[at-unit:])&key == k {
			c.before = at - unit
			return at, c, true
		}
		h := k * multiplier >> (64 - tableBits)
		now := clock + uint32(at)
		distance := int(now - e.table[h])
		e.table[h] = now
		if distance <= at-e.from && distance > 0 && binary.LittleEndian.Uint64(ring[at-distance:])&key == k {
			c.local = at - distance
			ok = true
		}
		w := binary.LittleEndian.Uint64(ring[at+8:]) & mask
		hash := (v&mask^e.salt)*multiplier ^ w*multiplier2
		// The table's memory is far away, and stores take it away from other cores. So
		// few places count, which the units there choose: the same ones in all images.
		if skip == patience || hash&sampled == 0 {
			entry := &table[hash>>shift]
			place, same := entry.at(hash)
			same = same && place != at && e.reachable(place) && binary.LittleEndian.Uint64(ring[place:])&key == k
			if same {
				c.far = place
				ok = true
			}
			// None is stored of what this image had before.
			if at%placeUnit == 0 && !(same && place >= e.start && place < e.end) {
				entry.set(hash, at)
			}
		}
		if ok {
			return at, c, true
		}
		at += min(skip/patience, maxSkip-skip&1) * unit
	}
	return at, c, false
}

// depth is how far a place lies behind the oldest one that may be referred to.
func (e *Encoder) depth(at int) int {
	if at -= e.reachFrom; at < 0 {
		at += len(e.ring)
	}
	return at
}

// reachable tells whether a place in the ring may be looked at.
func (e *Encoder) reachable(at int) bool {
	depth := e.depth(at)
	return depth < e.reach && (depth < e.foreignFrom || depth >= e.foreignTo)
}

// repeat is a stretch of the plane that is the same elsewhere in the ring.
type repeat struct {
	ref  int // a place in the ring
	in   *plane
	back int // bytes before ref that are the same too
	size int // bytes in all
}

// choose takes the longest of the candidates for a place. A reference may
// begin at anchor. One to another image must be worth its longer form.
func (e *Encoder) choose(at, anchor int, c candidates) repeat {
	const form = 8
	best := repeat{in: &e.plane}
	if c.before >= 0 {
		best = e.measure(at, anchor, c.before, &e.plane)
	}
	if c.local >= 0 {
		if r := e.measure(at, anchor, c.local, &e.plane); r.size > best.size {
			best = r
		}
	}
	if c.other >= 0 {
		if r := e.measure(at, anchor, c.other, &e.other); r.size > best.size+form {
			best = r
		}
	}
	if c.far >= 0 && c.far != c.other && c.far != c.local {
		p, ok := e.locate(c.far)
		switch {
		case !ok || p.id == e.id && c.far > at:
		case p.id == e.id:
			if r := e.measure(at, anchor, c.far, &e.plane); r.size > best.size {
				best = r
			}
		default:
			e.probed = p
			if r := e.measure(at, anchor, c.far, &e.probed); r.size > best.size+form {
				best = r
				e.other, e.delta = p, c.far-at
			}
		}
	}
	return best
}

// measure sees how far the units around at are those around ref, in plane p.
func (e *Encoder) measure(at, anchor, ref int, p *plane) repeat {
	end := min(e.to, at+p.end-ref)
	back := 0
	if limit := min(at-anchor, ref-p.start); limit > 0 {
		back = pixel.MatchBack(e.ring, ref, at, limit, e.pass.Mask) &^ (e.pass.Unit - 1)
	}
	size := pixel.MatchLen(e.ring, ref, at, end, e.pass.Mask)&^(e.pass.Unit-1) + back
	return repeat{ref, p, back, size}
}

// refer makes a reference of a repeat. It reports false if that is no shorter
// than literals.
func (e *Encoder) refer(at int, r repeat) (reference, bool) {
	shift := e.pass.Shift & 3
	units := r.size >> shift
	ref := reference{
		length: units - e.pass.Bias,
		offset: (r.ref - r.back - r.in.start) >> shift,
		images: int(e.id - r.in.id),
	}
	if r.in.id == e.id {
		ref.offset = (at-r.ref)>>shift - 1
	}
	saved := units*e.pass.Literal - ref.cost() - ref.length>>8
	return ref, ref.length > 0 && saved > 0 && ref.offset <= maxOffset
}
