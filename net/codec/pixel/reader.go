package pixel

// Reader walks over the bytes of an image that lie in several chunks.
// The chunks are read only while one of its methods runs.
type Reader struct {
	chunks [][]byte
	cur    []byte  // what is left of the current chunk
	unit   [4]byte // a unit that straddles chunks
}

// Reset starts over with chunks, consecutive bytes of an image.
func (r *Reader) Reset(chunks [][]byte) { r.chunks, r.cur = chunks, nil }

// Release forgets the chunks.
func (r *Reader) Release() { r.Reset(nil) }

// Total is the number of bytes in chunks.
func Total(chunks [][]byte) int {
	n := 0
	for _, c := range chunks {
		n += len(c)
	}
	return n
}

// Skip passes over n bytes, or all if there are fewer.
func (r *Reader) Skip(n int) {
	for n > 0 && r.refill() {
		k := min(n, len(r.cur))
		r.cur = r.cur[k:]
		n -= k
	}
}

// Next returns the next bytes, a whole number of units of size (1 to 4) bytes,
// at least one and at most limit units. It returns nil at the end. The bytes
// are valid until the next call.
func (r *Reader) Next(size, limit int) []byte {
	if !r.refill() {
		return nil
	}
	if units := min(len(r.cur)/size, limit); units > 0 {
		b := r.cur[:units*size]
		r.cur = r.cur[units*size:]
		return b
	}
	for i := range size {
		if !r.refill() {
			return nil
		}
		r.unit[i] = r.cur[0]
		r.cur = r.cur[1:]
	}
	return r.unit[:size]
}

// refill makes sure that the current chunk has a byte, if there is any left.
func (r *Reader) refill() bool {
	for len(r.cur) == 0 {
		if len(r.chunks) == 0 {
			return false
		}
		r.cur, r.chunks = r.chunks[0], r.chunks[1:]
	}
	return true
}
