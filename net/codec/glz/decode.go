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
func (w *Window) Decode(src []byte) (*Decoded, error) {
	h, err := ParseHeader(src)
	if err != nil {
		return nil, err
	}
	if err := w.admit(h); err != nil {
		return nil, fmt.Errorf("decoding GLZ image %d: %w", h.ID, err)
	}
	img := &Decoded{Header: h, Pix: make([]byte, 4*h.Units())}
	s := headerSize
	for _, l := range pixel.Layouts32(h.Type) {
		if s, err = w.decodePass(img, src, s, l); err != nil {
			return nil, fmt.Errorf("decoding GLZ image %d, before byte %d of %d: %w", h.ID, s, len(src), err)
		}
	}
	if s != len(src) {
		return nil, fmt.Errorf("decoding GLZ image %d: %w: %d bytes too many", h.ID, ErrCorrupt, len(src)-s)
	}
	if err := w.insert(img); err != nil {
		return nil, fmt.Errorf("decoding GLZ image %d: %w", h.ID, err)
	}
	return img, nil
}

// admit tells whether an image can be taken before memory is spent on it.
func (w *Window) admit(h Header) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refuse(h)
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
		w.pixels -= w.images[w.oldest].Units()
		delete(w.images, w.oldest)
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
