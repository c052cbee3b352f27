package glz

import (
	"fmt"
	"sync"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// maxHeld is how many images a Window holds at most, however small.
const maxHeld = 1 << 20

// Decoded is an image that a stream was decoded to.
type Decoded struct {
	Header
	// Pix has 4 * Width * Height bytes: pixels B,G,R,x in memory order, x being
	// alpha for RGBA and else 0. It is shared with the window: read only.
	Pix []byte

	freed, released bool // by the window, and by the caller
}

// Window is the receiver's side: the images that streams may refer to. It is
// safe for concurrent use; the streams of one window may come over several
// channels.
type Window struct {
	limit int // pixels

	mu     sync.Mutex
	images map[uint64]*Decoded
	pixels int
	gap    uint64 // smallest id that has not arrived
	oldest uint64 // smallest id that has not been freed
	memory recycler
}

// NewWindow makes an empty window. It holds at most limit pixels, which should
// be a few times the size announced to the server: images that arrive out of
// order over several channels wait in it.
func NewWindow(limit int) *Window {
	return &Window{limit: limit, images: make(map[uint64]*Decoded)}
}

// Len is the number of images held.
func (w *Window) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.images)
}

// Decode decodes a stream, keeps the image for later ones and frees those that
// the server gave up.
//
// A reference to an image that has not arrived gives a MissingError: decode the
// same stream again after another channel brought it. ErrTooLarge is an image
// beyond the limit, ErrCorrupt anything that is not a stream or reaches out of
// the images there are. The window is unchanged after an error.
//
// A caller that gives its images back with Release has their memory used again.
func (w *Window) Decode(src []byte) (*Decoded, error) {
	h, err := ParseHeader(src)
	if err != nil {
		return nil, err
	}
	img, err := w.admit(h)
	if err != nil {
		return nil, fmt.Errorf("decoding GLZ image %d: %w", h.ID, err)
	}
	if img == nil {
		img = &Decoded{Header: h, Pix: make([]byte, 4*h.Units())}
	}
	if err = w.decode(img, src); err == nil {
		err = w.insert(img)
	}
	w.finish(img, err)
	if err != nil {
		return nil, fmt.Errorf("decoding GLZ image %d: %w", h.ID, err)
	}
	return img, nil
}

// decode fills img, which every pass does without a gap, from its stream.
func (w *Window) decode(img *Decoded, src []byte) (err error) {
	s := headerSize
	for _, l := range pixel.Layouts32(img.Type) {
		if s, err = w.decodePass(img, src, s, l); err != nil {
			return fmt.Errorf("before byte %d of %d: %w", s, len(src), err)
		}
	}
	if s != len(src) {
		return fmt.Errorf("%w: %d bytes too many", ErrCorrupt, len(src)-s)
	}
	return nil
}

// admit tells whether an image can be taken before memory is spent on it, and
// returns one for it if there is a spare one. If it can, finish must follow.
func (w *Window) admit(h Header) (*Decoded, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refuse(h); err != nil {
		return nil, err
	}
	w.memory.begin()
	return w.memory.take(h), nil
}

// finish ends what admit began. An image that was not taken is nobody's.
func (w *Window) finish(img *Decoded, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		img.freed, img.released = true, true
		w.retire(img)
	}
	w.memory.end(w.limit)
}

// refuse is admit with the lock held.
func (w *Window) refuse(h Header) error {
	if h.ID < w.gap || w.images[h.ID] != nil {
		return fmt.Errorf("%w: came before", ErrCorrupt)
	}
	if h.Units() > w.limit-w.pixels || len(w.images) >= maxHeld {
		return fmt.Errorf("%w: %d pixels and %d images, which hold %d of %d",
			ErrTooLarge, h.Units(), len(w.images), w.pixels, w.limit)
	}
	return nil
}

// insert adds an image and frees what the newest one before the gap allows.
func (w *Window) insert(img *Decoded) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refuse(img.Header); err != nil { // others were decoded meanwhile
		return err
	}
	w.images[img.ID] = img
	w.pixels += img.Units()
	for w.images[w.gap] != nil {
		w.gap++
	}
	if w.gap == 0 {
		return nil
	}
	newest := w.images[w.gap-1]
	for keep := newest.ID - uint64(newest.HeadDistance); w.oldest < keep; w.oldest++ {
		img := w.images[w.oldest]
		w.pixels -= img.Units()
		delete(w.images, w.oldest)
		img.freed = true
		w.retire(img)
	}
	return nil
}

// image finds an image that img may refer to.
func (w *Window) image(img *Decoded, back int) (*Decoded, error) {
	if back > int(img.HeadDistance) {
		return nil, fmt.Errorf("%w: reference %d images back, window is %d", ErrCorrupt, back, img.HeadDistance)
	}
	id := img.ID - uint64(back)
	w.mu.Lock()
	defer w.mu.Unlock()
	other := w.images[id]
	switch {
	case other == nil && id >= w.gap:
		return nil, MissingError{id}
	case other == nil:
		return nil, fmt.Errorf("%w: reference to image %d, which was freed", ErrCorrupt, id)
	case other.Type != img.Type:
		return nil, fmt.Errorf("%w: reference from type %d to type %d", ErrCorrupt, img.Type, other.Type)
	}
	return other, nil
}

// decodePass runs the operations of src[s:] until the image is full. It returns
// the place behind the last one.
func (w *Window) decodePass(img *Decoded, src []byte, s int, l *pixel.Layout) (int, error) {
	dst := img.Pix
	other := img // the image last referred to
	for at := 0; at < len(dst); {
		if s >= len(src) {
			return s, fmt.Errorf("%w: no more data", ErrCorrupt)
		}
		c := int(src[s])
		s++
		if c < pixel.MaxLiterals {
			n, end := (c+1)*l.Literal, at+(c+1)*l.Unit
			if n > len(src)-s || end > len(dst) {
				return s, fmt.Errorf("%w: %d literals do not fit", ErrCorrupt, c+1)
			}
			l.Unpack(dst, at, end, src, s)
			s += n
			at = end
			continue
		}
		r, next, ok := readReference(src, s, c)
		if s = next; !ok {
			return s, fmt.Errorf("%w: no more data", ErrCorrupt)
		}
		n := (r.length + l.Bias) * l.Unit
		if n > len(dst)-at {
			return s, fmt.Errorf("%w: reference over the end", ErrCorrupt)
		}
		if r.images == 0 {
			ref := at - (r.offset+1)*l.Unit
			if ref < 0 {
				return s, fmt.Errorf("%w: reference before the start", ErrCorrupt)
			}
			l.Copy(dst, at, ref, n)
		} else {
			if other.ID != img.ID-uint64(r.images) {
				var err error
				if other, err = w.image(img, r.images); err != nil {
					return s, err
				}
			}
			if r.offset*l.Unit+n > len(other.Pix) {
				return s, fmt.Errorf("%w: reference out of image %d", ErrCorrupt, other.ID)
			}
			l.CopyFrom(dst, at, other.Pix, r.offset*l.Unit, n)
		}
		at += n
	}
	return s, nil
}
