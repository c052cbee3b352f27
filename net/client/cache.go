package client

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// pixmap is an image in the cache: a bitmap that owns its memory. It does not
// change once it is in.
type pixmap struct {
	format        qxl.BitmapFormat
	flags         uint8 // of the bitmap: top-down
	width, height uint32
	stride        uint32
	pix           []byte
	palette       []uint32
	lossy         bool
	refs          int // additions not yet taken back, guarded by the cache
}

func (p *pixmap) pixels() int64 { return int64(p.width) * int64(p.height) }

// pixmapCache is the images that a server has told the session to keep. It is
// shared by the display channels, and may for a moment hold more than the size
// agreed upon, since additions and removals come over several of them.
type pixmapCache struct {
	session *Session
	mu      sync.Mutex
	items   map[uint64]*pixmap
	pixels  int64
	limit   int64
}

func (p *pixmapCache) init(s *Session) {
	p.session, p.items, p.limit = s, make(map[uint64]*pixmap), 2*s.opts.CacheSize
}

// put adds an image, or replaces the one with its id. Another addition of an
// id takes another removal; a replacement does not.
func (p *pixmapCache) put(id uint64, im *pixmap, replace bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	im.refs = 1
	size := p.pixels + im.pixels()
	if old := p.items[id]; old != nil {
		size -= old.pixels()
		im.refs = old.refs
		if !replace {
			im.refs++
		}
	}
	if size > p.limit {
		return fmt.Errorf("pixmap cache of %d pixels: %w", size, ErrTooLarge)
	}
	p.items[id], p.pixels = im, size
	return nil
}

// drop takes one addition back.
func (p *pixmapCache) drop(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	im := p.items[id]
	if im == nil {
		return
	}
	if im.refs--; im.refs == 0 {
		delete(p.items, id)
		p.pixels -= im.pixels()
	}
}

func (p *pixmapCache) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.items)
	p.pixels = 0
}

// CacheUse is how many images, of how many pixels together, the server has told
// the session to keep.
func (s *Session) CacheUse() (images int, pixels int64) {
	p := &s.images
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.items), p.pixels
}

// get returns an image for channel c. One that another display channel may
// still bring is waited for.
func (p *pixmapCache) get(c *conn, id uint64, lossless bool) (*pixmap, error) {
	var im *pixmap
	err := p.session.gate.wait(p.session.ctx, func() (bool, error) {
		others := p.session.others(c)
		p.mu.Lock()
		defer p.mu.Unlock()
		im = p.items[id]
		if im != nil && !(lossless && im.lossy) {
			return true, nil
		}
		if !others {
			return false, ErrCache
		}
		return false, nil
	})
	return im, err
}

// glzWindow is the window of earlier images that GLZ images refer to, shared
// by the display channels.
type glzWindow struct {
	session *Session
	once    sync.Once
	window  *glz.Window
}

// glzSlack is how much more than the window agreed upon may be held, since
// images arrive out of order over several channels.
const glzSlack = 4

func (g *glzWindow) init(s *Session) { g.session = s }

// decode decodes a stream that came on channel c. If it refers to an image that
// another channel is still to bring, it waits for that.
func (g *glzWindow) decode(c *conn, src []byte) (*glz.Decoded, error) {
	g.once.Do(func() {
		size := g.session.opts.glzWindow(g.session.main.info().RAMHint)
		g.window = glz.NewWindow(glzSlack * int(size))
	})
	var out *glz.Decoded
	err := g.session.gate.wait(g.session.ctx, func() (bool, error) {
		others := g.session.others(c)
		var err error
		out, err = g.window.Decode(src)
		if missing := (glz.MissingError{}); others && errors.As(err, &missing) {
			return false, nil
		}
		return err == nil, err
	})
	return out, err
}

// release gives back images that are not read any more, and empties the list.
func (g *glzWindow) release(images []*glz.Decoded) []*glz.Decoded {
	for _, im := range images {
		g.window.Release(im)
	}
	return slices.Delete(images, 0, len(images))
}

// keepPalette notes the palette of an image, or fetches it from the cache, as
// its flags say.
func (d *Display) keepPalette(im *qxl.Image) error {
	if !im.HasPalette {
		return nil
	}
	p := &im.Palette
	switch {
	case im.BitFlags&wire.BitmapPalFromCache != 0:
		ents, ok := d.palettes[p.Unique]
		if !ok {
			return fmt.Errorf("palette %#x: %w", p.Unique, ErrCache)
		}
		p.Entries = append(p.Entries[:0], ents...)
	case im.BitFlags&wire.BitmapPalCacheMe != 0:
		if len(d.palettes) >= maxPalettes {
			return fmt.Errorf("palette cache: %w", ErrTooLarge)
		}
		d.palettes[p.Unique] = slices.Clone(p.Entries)
	}
	return nil
}
