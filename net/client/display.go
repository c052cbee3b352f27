package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// Errors that end a display channel besides those of the canvas and the codecs.
var (
	ErrSurface = errors.New("unknown surface")
	ErrStream  = errors.New("bad video stream")
	ErrCache   = errors.New("not in the cache")
	ErrImage   = errors.New("bad image")
)

// Fixed parts of the request that starts a display channel: all displays of a
// session share one pixmap cache and one GLZ window.
const (
	pixmapCacheID = 1
	glzWindowID   = 1
)

// Head is a monitor: an area of a surface.
type Head struct {
	ID, Surface   uint32
	Width, Height uint32
	X, Y          uint32
	Flags         uint32
}

// Display is a display channel: the surfaces of one graphics device.
type Display struct {
	*conn
	drawable qxl.Drawable   // of the message being handled
	pending  pending        // the image of it that becomes a bitmap
	scratch  [][]byte       // decoded images of that message, by index
	lent     []*glz.Decoded // those of it that belong to the GLZ window and not to the cache
	inflated []byte         // and a GLZ stream of one
	inflater glz.Inflater
	quic     quic.Decoder
	jpeg     *jpeg.Decoder
	palettes map[uint64][]uint32
	streams  map[uint32]*stream // changed with the mutex held, as their clips and playlists are

	mu       sync.Mutex // guards what follows
	surfaces surfaces
	bytes    int64 // of all surfaces
	primary  *canvas.Canvas
	marked   bool
	heads    []Head
	maxHeads int
	changed  time.Time // of the last change to a surface; zero while there was none
	changes  gate      // opened at each of them
}

// surfaces are canvases by surface id. It is the canvas.Sources of drawables
// whose images have become bitmaps already.
type surfaces map[uint32]*canvas.Canvas

// Surface returns a surface, or nil.
func (s surfaces) Surface(id uint32) *canvas.Canvas { return s[id] }

// Decode refuses every image.
func (s surfaces) Decode(im *qxl.Image) (*canvas.Pixmap, error) {
	return nil, fmt.Errorf("image of type %d: %w", im.Type, ErrImage)
}

func newDisplay(c *conn) *Display {
	return &Display{
		conn: c, surfaces: make(surfaces), jpeg: jpeg.NewPureDecoder(),
		palettes: make(map[uint64][]uint32), streams: make(map[uint32]*stream),
	}
}

// opened sends the request without which a server stays silent.
func (d *Display) opened() error {
	o := &d.session.opts
	return d.send(wire.MsgcDisplayInit, func(w *wire.Writer) {
		w.U8(pixmapCacheID)
		w.U64(uint64(o.CacheSize))
		w.U8(glzWindowID)
		w.I32(o.glzWindow(d.session.main.info().RAMHint))
	})
}

func (d *Display) closed() {
	d.mu.Lock()
	d.endStreams()
	d.mu.Unlock()
	d.changes.open()
}

// PreferCompression asks for an image compression: 1 off, 2 auto_glz,
// 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4. The server must have
// wire.CapDisplayPrefCompression.
func (d *Display) PreferCompression(mode uint8) error {
	return d.send(wire.MsgcDisplayPrefCompression, func(w *wire.Writer) { w.U8(mode) })
}

// PreferVideoCodecs names video codecs, the best one first: 1 MJPEG, 2 VP8,
// 3 H264, 4 VP9, 5 H265. The server must have wire.CapDisplayPrefVideoCodec.
func (d *Display) PreferVideoCodecs(codecs ...uint8) error {
	if len(codecs) > 255 {
		return fmt.Errorf("%d video codecs: %w", len(codecs), ErrTooLarge)
	}
	return d.send(wire.MsgcDisplayPrefVideoCodec, func(w *wire.Writer) {
		w.U8(uint8(len(codecs)))
		w.Bytes(codecs)
	})
}

// Marked reports whether the server has called the picture presentable.
func (d *Display) Marked() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.marked
}

// Heads returns the monitors and how many there may be.
func (d *Display) Heads() (heads []Head, limit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.heads), d.maxHeads
}

// WaitQuiet waits until the display shows something and nothing has changed
// for as long as quiet. It fails when the channel ends before that.
func (d *Display) WaitQuiet(ctx context.Context, quiet time.Duration) error {
	clock := d.session.opts.Clock
	for {
		change := d.changes.next()
		d.mu.Lock()
		shown, last := d.primary != nil && !d.changed.IsZero(), d.changed
		d.mu.Unlock()
		left := quiet - clock.Now().Sub(last)
		if shown && left <= 0 {
			return nil
		}
		var due chan struct{}
		stop := func() bool { return true }
		if shown {
			due, change = make(chan struct{}), nil
			stop = clock.AfterFunc(left, func() { close(due) })
		}
		select {
		case <-due:
		case <-change:
		case <-d.done:
			stop()
			return d.err
		case <-ctx.Done():
			stop()
			return fmt.Errorf("waiting for a quiet display: %w", context.Cause(ctx))
		}
	}
}

// touch notes a change to an area of a surface and tells about it. It must not
// be called with the mutex held.
func (d *Display) touch(surface uint32, area regions.Rect) {
	now := d.session.opts.Clock.Now()
	d.mu.Lock()
	d.changed = now
	d.mu.Unlock()
	d.changes.open()
	if f := d.session.opts.OnInvalidate; f != nil && !area.Empty() {
		f(d, surface, area)
	}
}

func (d *Display) message(msg uint16, body []byte) error {
	if t, ok := wire.DrawOf(msg); ok {
		return d.draw(t, body)
	}
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgDisplaySurfaceCreate:
		return d.createSurface(&r)
	case wire.MsgDisplaySurfaceDestroy:
		return d.destroySurface(&r)
	case wire.MsgDisplayMode:
		return d.mode(&r)
	case wire.MsgDisplayMark:
		d.mu.Lock()
		d.marked = true
		d.mu.Unlock()
		d.touch(0, regions.Rect{})
		return nil
	case wire.MsgDisplayReset:
		d.reset()
		return nil
	case wire.MsgDisplayMonitorsConfig:
		return d.monitors(&r)
	case wire.MsgDisplayInvalList, wire.MsgDisplayInvalAllPixmaps:
		return d.invalPixmaps(msg, &r)
	case wire.MsgDisplayInvalPalette:
		delete(d.palettes, r.U64())
		return r.Err()
	case wire.MsgDisplayInvalAllPalettes:
		clear(d.palettes)
		return nil
	case wire.MsgDisplayStreamCreate, wire.MsgDisplayStreamData, wire.MsgDisplayStreamDataSized,
		wire.MsgDisplayStreamClip, wire.MsgDisplayStreamDestroy, wire.MsgDisplayStreamDestroyAll,
		wire.MsgDisplayStreamActivateRep:
		return d.streamMessage(msg, &r)
	}
	return ErrUnknown
}

// draw obeys a drawing message.
func (d *Display) draw(t qxl.DrawType, body []byte) error {
	dr := &d.drawable
	if err := wire.ReadDraw(body, t, dr); err != nil {
		return err
	}
	if err := d.resolve(dr); err != nil {
		return err
	}
	if err := d.paint(dr); err != nil {
		return err
	}
	if f := d.session.opts.OnDraw; f != nil {
		f(d, dr)
	}
	return nil
}

// paint draws on a surface what has only bitmaps as images.
func (d *Display) paint(dr *qxl.Drawable) error {
	d.mu.Lock()
	c := d.surfaces[dr.Surface]
	var err error
	if c == nil {
		err = fmt.Errorf("drawing on surface %d: %w", dr.Surface, ErrSurface)
	} else {
		err = c.Draw(dr, d.surfaces)
	}
	d.mu.Unlock()
	if err == nil {
		d.touch(dr.Surface, dr.BBox.Intersect(c.Bounds()))
	}
	return err
}

func (d *Display) monitors(r *wire.Reader) error {
	n, limit := r.U16(), r.U16()
	if n > maxHeads {
		return fmt.Errorf("%d monitors: %w", n, ErrTooLarge)
	}
	heads := make([]Head, n)
	for i := range heads {
		heads[i] = Head{
			ID: r.U32(), Surface: r.U32(), Width: r.U32(), Height: r.U32(),
			X: r.U32(), Y: r.U32(), Flags: r.U32(),
		}
	}
	if r.Err() != nil {
		return r.Err()
	}
	d.mu.Lock()
	d.heads, d.maxHeads = heads, int(limit)
	d.mu.Unlock()
	return nil
}

// invalPixmaps takes INVAL_LIST and INVAL_ALL_PIXMAPS.
func (d *Display) invalPixmaps(msg uint16, r *wire.Reader) error {
	if msg == wire.MsgDisplayInvalAllPixmaps {
		if err := d.waitForChannels(r); err != nil {
			return err
		}
		d.session.images.clear()
		return nil
	}
	for n := r.U16(); n > 0 && r.Err() == nil; n-- {
		kind, id := r.U8(), r.U64()
		if r.Err() == nil && kind == wire.ResourcePixmap {
			d.session.images.drop(id)
		}
	}
	return r.Err()
}
