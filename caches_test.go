package spiceecs_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

// sprite is the side of the images that are drawn again and again.
const sprite = 40

// sprites are images that a guest wants cached: photos, text, and some with one
// of more palettes than a client keeps.
type sprites struct {
	rng    *rand.Rand
	images []qxl.Image
}

func newSprites(seed uint64) *sprites {
	s := &sprites{rng: rand.New(rand.NewPCG(seed, 0))}
	for id := range uint64(60) {
		im := qxl.Image{
			ID: 1000 + id, Type: qxl.ImageBitmap, Flags: qxl.ImageCacheMe, Format: qxl.Bitmap32Bit, BitFlags: qxl.BitmapTopDown,
			Width: sprite, Height: sprite, X: sprite, Y: sprite, Stride: 4 * sprite,
		}
		pix := make([]byte, 4*sprite*sprite)
		for i := range sprite * sprite {
			for k := range 3 {
				pix[4*i+k] = byte(uint64(i%sprite*3+i/sprite)+20*id*uint64(k)) + byte(s.rng.IntN(5))
				if id%3 == 0 {
					pix[4*i+k] = byte(s.rng.IntN(4) / 3 * 255)
				}
			}
		}
		im.Data.Append(pix)
		s.images = append(s.images, im)
	}
	return s
}

// palettes is how many there are; clients keep 128.
const palettes = 200

// draw makes a random command, which draws an image or combines it with what is
// there.
func (s *sprites) draw() *qxl.Drawable {
	d := &qxl.Drawable{
		Type: qxl.DrawCopy, Effect: qxl.EffectOpaque, Deps: [3]int32{-1, -1, -1}, Mask: qxl.Mask{Image: qxl.NoImage},
		BBox:    regions.XYWH(s.rng.Int32N(width-sprite), s.rng.Int32N(height-sprite), sprite, sprite),
		SrcArea: regions.XYWH(0, 0, sprite, sprite), Rop: qxl.RopPut, Scale: qxl.ScaleNearest,
	}
	im := s.images[s.rng.IntN(len(s.images))]
	switch s.rng.IntN(8) {
	case 0, 1: // needs the exact pixels
		d.Effect, d.Rop = qxl.EffectBlend, qxl.RopXor
	case 2, 3:
		im.Flags, im.ID = 0, 1<<40+uint64(s.rng.Uint32())
		im.Format, im.Stride, im.HasPalette = qxl.Bitmap8Bit, sprite, true
		unique := s.rng.Uint32N(palettes)
		im.Palette = qxl.Palette{Unique: 1 + uint64(unique)}
		for i := range uint32(256) {
			im.Palette.Entries = append(im.Palette.Entries, unique*i*77&0xffffff)
		}
		im.Data = qxl.Blob{}
		im.Data.Append(make([]byte, sprite*sprite))
		for i := range im.Data.Chunks[0] {
			im.Data.Chunks[0][i] = byte(s.rng.Uint32())
		}
	}
	d.Images = []qxl.Image{im}
	return d
}

// noSurfaces is where commands find no image but their own.
type noSurfaces struct{}

func (noSurfaces) Surface(uint32) *canvas.Canvas { return nil }
func (noSurfaces) Decode(*qxl.Image) (*canvas.Pixmap, error) {
	return nil, errors.New("compressed")
}

// screens are two devices of a server, and what they should show.
type screens struct {
	server  *spiceecs.Server
	devices [2]*spiceecs.Device
	rings   [2]*ring
	want    [2]*canvas.Canvas
}

func newScreens(t *testing.T) *screens {
	t.Helper()
	s := &screens{}
	var err error
	s.server, err = spiceecs.New(spiceecs.Options{NoPassword: true})
	noError(t, err)
	for i := range s.devices {
		vram, err := guest.NewVRAM(32 << 20)
		noError(t, err)
		s.rings[i] = &ring{commands: make(chan qxl.Command, 512), vram: vram}
		s.devices[i], err = s.server.AddDevice(spiceecs.DeviceOptions{ID: uint8(i), Ring: s.rings[i], ImageCompression: "auto_glz", JPEG: "always"})
		noError(t, err)
		noError(t, s.devices[i].AddMemSlot(vram.Slot()))
		noError(t, s.devices[i].CreatePrimary(qxl.PrimarySurface{
			Width: width, Height: height, Stride: 4 * width, Format: qxl.Surface32xRGB, Memory: make([]byte, 4*width*height),
		}))
		s.want[i] = canvas.New(qxl.Surface32xRGB, width, height)
	}
	return s
}

// TestSharedCaches has two devices draw the same images to a client whose cache
// is too small for them, some with loss and some without: what one channel brings
// and forgets the other one knows, in time, and in the end both screens are exact.
func TestSharedCaches(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := newScreens(t)
	defer s.server.Close()
	m := machine{server: s.server}
	var replaced atomic.Int64
	session, err := dial(t, m.listen(t), client.Options{
		CacheSize: 20 * sprite * sprite, Channels: []wire.ChannelType{wire.ChannelDisplay},
		OnDraw: func(_ *client.Display, d *qxl.Drawable) {
			for i := range d.Images {
				if d.Images[i].Flags&qxl.ImageCacheReplaceMe != 0 {
					replaced.Add(1)
				}
			}
		},
	})
	noError(t, err)
	defer session.Close()
	all, pick := newSprites(seed), rand.New(rand.NewPCG(seed, 1))
	asm := [2]*guest.Assembler{guest.NewAssembler(s.rings[0].vram), guest.NewAssembler(s.rings[1].vram)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range 4000 {
		n := pick.IntN(2)
		d := all.draw()
		noError(t, s.want[n].Draw(d, noSurfaces{}))
		s.rings[n].push(asm[n].Drawable(d))
		if s.devices[n].Wakeup(); i%20 == 19 {
			s.settle(t)
		}
	}
	got := client.Stats{ByMessage: map[uint16]uint64{}, Images: map[qxl.ImageType]client.ImageStats{}}
	for i := range s.devices {
		display := session.Display(uint8(i))
		noError(t, display.WaitQuiet(ctx, 0))
		wantScreen(t, display, s.want[i])
		stats := display.Stats()
		for msg, n := range stats.ByMessage {
			got.ByMessage[msg] += n
		}
		for kind, im := range stats.Images {
			got.Images[kind] = client.ImageStats{Count: got.Images[kind].Count + im.Count}
		}
	}
	t.Logf("messages %v, images %v, %d replaced", got.ByMessage, got.Images, replaced.Load())
	for what, n := range map[string]uint64{
		"WAIT_FOR_CHANNELS": got.ByMessage[wire.MsgWaitForChannels], "INVAL_LIST": got.ByMessage[wire.MsgDisplayInvalList],
		"INVAL_PALETTE": got.ByMessage[wire.MsgDisplayInvalPalette], "FROM_CACHE": got.Images[qxl.ImageFromCache].Count,
		"FROM_CACHE_LOSSLESS": got.Images[qxl.ImageFromCacheLossless].Count, "CACHE_REPLACE_ME": uint64(replaced.Load()),
		"JPEG": got.Images[qxl.ImageJPEG].Count, "GLZ": got.Images[qxl.ImageGLZRGB].Count,
	} {
		if n == 0 {
			t.Errorf("there is no %s", what)
		}
	}
}

// settle waits until everything drawn so far is on its way.
func (s *screens) settle(t *testing.T) {
	t.Helper()
	for _, d := range s.devices {
		noError(t, d.FlushSurfaces())
		eventually(t, func() error {
			if stats, err := d.Stats(); err != nil || stats.Queued > 0 {
				return fmt.Errorf("%d items wait: %w", stats.Queued, err)
			}
			return nil
		})
	}
}

// wantScreen waits until a display shows what it should.
func wantScreen(t *testing.T, d *client.Display, want *canvas.Canvas) {
	t.Helper()
	eventually(t, func() error {
		select {
		case <-d.Done():
			t.Fatalf("the display ends: %v", d.Err())
		default:
		}
		img, err := d.Snapshot()
		if err != nil {
			return err
		}
		for y := range height {
			row := want.Row(y)
			for x := range width {
				if p := img.Pix[4*(y*width+x):]; p[0] != row[4*x+2] || p[1] != row[4*x+1] || p[2] != row[4*x] {
					return errors.New("the screen is not the one that was drawn")
				}
			}
		}
		return nil
	})
}
