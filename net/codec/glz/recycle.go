package glz

// maxSpare is how many images' memory a Window keeps for later ones.
const maxSpare = 32

// recycler is the memory of a Window's images. It belongs to the window's lock.
//
// An image's memory may be used again when the window has freed it, the caller
// has released it, and no stream is being decoded that might still refer to it.
type recycler struct {
	busy    int        // streams being decoded
	retired []*Decoded // freed and released
	spare   []*Decoded // and referred to by nobody; oldest first
	pixels  int        // that spare has room for
}

// Release says that the caller does not read img any more, which Decode gave
// it. Then its memory serves a later image, some time after the window has freed
// it. Images that are not released are left to the garbage collector.
func (w *Window) Release(img *Decoded) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !img.released {
		img.released = true
		w.retire(img)
	}
}

// retire notes an image that was freed or released.
func (w *Window) retire(img *Decoded) {
	if img.freed && img.released {
		w.memory.retired = append(w.memory.retired, img)
	}
	w.memory.collect(w.limit)
}

// begin is called before a stream is decoded, end after it.
func (r *recycler) begin() { r.busy++ }

func (r *recycler) end(limit int) {
	r.busy--
	r.collect(limit)
}

// collect makes spare what is retired, if no stream refers to it. All of it
// together has room for limit pixels at most.
func (r *recycler) collect(limit int) {
	if r.busy > 0 {
		return
	}
	for i, img := range r.retired {
		r.spare = append(r.spare, img)
		r.pixels += cap(img.Pix) / 4
		r.retired[i] = nil
	}
	r.retired = r.retired[:0]
	drop := 0
	for r.pixels > limit || len(r.spare)-drop > maxSpare {
		r.pixels -= cap(r.spare[drop].Pix) / 4
		drop++
	}
	r.remove(0, drop)
}

// remove takes spare[from:to] out.
func (r *recycler) remove(from, to int) {
	n := copy(r.spare[from:], r.spare[to:])
	clear(r.spare[from+n:])
	r.spare = r.spare[:from+n]
}

// take returns an image for h, whose pixels are not 0 if it is a spare one: one
// that is large enough, and not more than four times too large.
func (r *recycler) take(h Header) *Decoded {
	n := 4 * h.Units()
	for i, img := range r.spare {
		if cap(img.Pix) >= n && cap(img.Pix)/4 <= n {
			r.remove(i, i+1)
			r.pixels -= cap(img.Pix) / 4
			*img = Decoded{Header: h, Pix: img.Pix[:n]}
			return img
		}
	}
	return nil
}
