package regions

import "math/bits"

// op is one of the operations on two regions.
type op uint8

const (
	opOr op = iota
	opAnd
	opMinus
)

// keepsLeft and keepsRight report whether the result has the pixels of lines
// that have none on the other side.
func (o op) keepsLeft() bool  { return o != opAnd }
func (o op) keepsRight() bool { return o == opOr }

// merge writes what an operation makes of a line with the cells a and one with
// the cells b to dst, and returns the number of cells; 0 if no pixel is left.
// Runs: dst has room for both lists. Words: all three are equally long.
type merge[E cell] func(dst, a, b []E) int

var (
	mergeRuns  = [...]merge[run]{opOr: orRuns, opAnd: andRuns, opMinus: minusRuns}
	mergeWords = [...]merge[uint64]{opOr: orWords, opAnd: andWords, opMinus: minusWords}
)

// sweep makes d the result of a op b, from top to bottom. Each step does the
// lines down to where the rows that cover them change next.
func sweep[E cell](d *table[E], op op, merge merge[E], a, b *table[E]) {
	d.reset()
	left, right := op.keepsLeft(), op.keepsRight()
	i, j := below(a.rows, b.rows[0].top), below(b.rows, a.rows[0].top)
	if left {
		d.addRows(MinCoord, a, 0, i)
	}
	if right {
		d.addRows(MinCoord, b, 0, j)
	}
	y := int16(MinCoord) // everything above is done
	for i < len(a.rows) && j < len(b.rows) {
		ra, rb := &a.rows[i], &b.rows[j]
		ta, tb := max(ra.top, y), max(rb.top, y)
		switch {
		case ta < tb:
			y = min(ra.bottom, tb)
			if left {
				d.add(ta, y, a.of(*ra))
			}
		case tb < ta:
			y = min(rb.bottom, ta)
			if right {
				d.add(tb, y, b.of(*rb))
			}
		default:
			y = min(ra.bottom, rb.bottom)
			ca, cb := a.of(*ra), b.of(*rb)
			if n := merge(d.reserve(len(ca)+len(cb)), ca, cb); n > 0 {
				d.commit(ta, y, n)
			}
		}
		if ra.bottom == y {
			i++
		}
		if rb.bottom == y {
			j++
		}
	}
	if left {
		d.addRows(y, a, i, len(a.rows))
	}
	if right {
		d.addRows(y, b, j, len(b.rows))
	}
}

func orRuns(dst, a, b []run) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		var now run
		if a[0].left < b[0].left {
			now, a = a[0], a[1:]
		} else {
			now, b = b[0], b[1:]
		}
		for { // while the next of a or b touches, it belongs to this run
			if len(a) > 0 && a[0].left <= now.right {
				now.right = max(now.right, a[0].right)
				a = a[1:]
			} else if len(b) > 0 && b[0].left <= now.right {
				now.right = max(now.right, b[0].right)
				b = b[1:]
			} else {
				break
			}
		}
		dst[n] = now
		n++
	}
	for _, r := range a {
		dst[n] = r
		n++
	}
	for _, r := range b {
		dst[n] = r
		n++
	}
	return n
}

func andRuns(dst, a, b []run) int {
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		p, q := a[i], b[j]
		left, right := max(p.left, q.left), min(p.right, q.right)
		dst[n] = run{left, right}
		n += btoi(left < right)
		i += btoi(p.right <= q.right)
		j += btoi(q.right <= p.right)
	}
	return n
}

// btoi is 1 for true, without a branch: one that depends on where runs end is
// mispredicted half of the time.
func btoi(b bool) int {
	n := 0
	if b {
		n = 1
	}
	return n
}

func minusRuns(dst, a, b []run) int {
	n := 0
	for _, p := range a {
		for len(b) > 0 && b[0].right <= p.left {
			b = b[1:]
		}
		for len(b) > 0 && b[0].left < p.right {
			if p.left < b[0].left {
				dst[n] = run{p.left, b[0].left}
				n++
			}
			p.left = b[0].right
			if p.left >= p.right {
				break // what is left of b[0] may cut the next run
			}
			b = b[1:]
		}
		if p.left < p.right {
			dst[n] = p
			n++
		}
	}
	return n
}

func orWords(dst, a, b []uint64) int {
	dst, b = dst[:len(a)], b[:len(a)]
	for i, w := range a {
		dst[i] = w | b[i]
	}
	return len(a)
}

func andWords(dst, a, b []uint64) int {
	dst, b = dst[:len(a)], b[:len(a)]
	var any uint64
	for i, w := range a {
		w &= b[i]
		dst[i] = w
		any |= w
	}
	if any == 0 {
		return 0
	}
	return len(a)
}

func minusWords(dst, a, b []uint64) int {
	dst, b = dst[:len(a)], b[:len(a)]
	var any uint64
	for i, w := range a {
		w &^= b[i]
		dst[i] = w
		any |= w
	}
	if any == 0 {
		return 0
	}
	return len(a)
}

// paint sets the pixels of runs in words, the first of which is word first of a
// line. What lies outside is left out.
func paint(words []uint64, first int32, runs []run) {
	end := int32(len(words)) << wordShift
	for _, r := range runs {
		left := max(int32(r.left)-first<<wordShift, 0)
		last := min(int32(r.right)-first<<wordShift, end) - 1
		if left > last {
			continue
		}
		i, j := left>>wordShift, last>>wordShift
		head, tail := ^uint64(0)<<(left&63), ^uint64(0)>>(63-last&63)
		if i == j {
			words[i] |= head & tail
			continue
		}
		words[i] |= head
		for i++; i < j; i++ {
			words[i] = ^uint64(0)
		}
		words[j] |= tail
	}
}

// nextRun returns the first run [left,right) at or right of pixel x, counted from
// the start of words; left is -1 if there is none.
func nextRun(words []uint64, x int) (left, right int) {
	if left = seek(words, x, 0); left >= 0 {
		if right = seek(words, left, ^uint64(0)); right < 0 {
			right = len(words) << wordShift
		}
	}
	return left, right
}

// seek is the next pixel at or right of x that is set (flip 0) or clear (flip all
// ones), -1 if there is none.
func seek(words []uint64, x int, flip uint64) int {
	i := x >> wordShift
	if i >= len(words) {
		return -1
	}
	word := (words[i] ^ flip) & (^uint64(0) << (x & 63))
	for word == 0 {
		if i++; i == len(words) {
			return -1
		}
		word = words[i] ^ flip
	}
	return i<<wordShift + bits.TrailingZeros64(word)
}
