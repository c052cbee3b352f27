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
// lines down to where one side begins or ends to have pixels, or has others.
func sweep[E cell](d *table[E], op op, merge merge[E], a, b *table[E]) {
	d.reset()
	left, right := op.keepsLeft(), op.keepsRight()
	i, j, y := 0, 0, int16(MinCoord) // everything above y is done
	for i < len(a.rows) && j < len(b.rows) {
		ra, rb := &a.rows[i], &b.rows[j]
		ta, tb := max(ra.top, y), max(rb.top, y)
		switch {
		case ta < tb:
			if y = tb; left {
				i = d.addLines(a, i, ta, y)
			} else {
				i = skipLines(a.rows, i, y)
			}
		case tb < ta:
			if y = ta; right {
				j = d.addLines(b, j, tb, y)
			} else {
				j = skipLines(b.rows, j, y)
			}
		default:
			y = min(ra.bottom, rb.bottom)
			ca, cb := a.of(*ra), b.of(*rb)
			if n := merge(d.reserve(len(ca)+len(cb)), ca, cb); n > 0 {
				d.commit(ta, y, n)
			}
			i += btoi(ra.bottom == y)
			j += btoi(rb.bottom == y)
		}
	}
	if left && i < len(a.rows) {
		d.addLines(a, i, y, MaxCoord)
	}
	if right && j < len(b.rows) {
		d.addLines(b, j, y, MaxCoord)
	}
}

// The merges of runs take a step for each run, and have no branch but that for
// the next step: where runs begin and end is as good as random, so any other
// would be mispredicted half of the time. As every line ends with lineEnd, they
// know the number of steps beforehand, and need not ask which side has runs left:
// i of the k runs that are done were of a.

func orRuns(dst, a, b []run) int {
	n, i := 0, 0
	left := min(a[0], b[0]) >> 16
	right := left
	for k := range len(a) + len(b) - 2 {
		p, q := a[i], b[k-i]
		i += btoi(p <= q)
		next := min(p, q)
		n += btoi(next>>16 > right) // else it touches the run [left,right)
		if next>>16 > right {
			left = next >> 16
		}
		right = max(right, next&0xffff)
		dst[n] = left<<16 | right
	}
	dst[n+1] = lineEnd
	return n + 2
}

func andRuns(dst, a, b []run) int {
	n, i := 0, 0
	for k := range len(a) + len(b) - 3 {
		p, q := a[i], b[k-i]
		i += btoi(uint16(p) <= uint16(q))
		left, right := max(p, q)&^0xffff, run(min(uint16(p), uint16(q)))
		dst[n] = left | right
		n += btoi(left>>16 < right)
	}
	return endLine(dst, n)
}

func minusRuns(dst, a, b []run) int {
	n, i := 0, 0
	done := run(0) // what lies left of it is done; in the upper bits
	for k := range len(a) + len(b) - 2 {
		p, q := a[i], b[k-i]
		i += btoi(uint16(p) <= uint16(q))
		left, right := max(p, done)&^0xffff, min(p&0xffff, q>>16)
		dst[n] = left | right
		n += btoi(left>>16 < right)
		done = min(p<<16, q<<16)
	}
	return endLine(dst, n)
}

// endLine ends a line of n runs, and returns its number of cells.
func endLine(dst []run, n int) int {
	if n == 0 {
		return 0
	}
	dst[n] = lineEnd
	return n + 1
}

// btoi is 1 for true, without a branch.
func btoi(b bool) int {
	n := 0
	if b {
		n = 1
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
		left := max(r.left()-first<<wordShift, 0)
		last := min(r.right()-first<<wordShift, end) - 1
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
