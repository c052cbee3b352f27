package client

import (
	"bytes"
	"compress/zlib"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"runtime"
	"testing"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	ourjpeg "github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

func encodeLZ(t testing.TB, im pixel.Image, pix []byte) []byte {
	t.Helper()
	out, err := new(lz.Encoder).Encode(nil, im, [][]byte{pix})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encodeJPEG(t testing.TB, w, h int, at func(x, y int) color.Color) []byte {
	t.Helper()
	pic := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			pic.Set(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, pic, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ramp(x, y int) color.Color { return color.RGBA{byte(4 * x), byte(4 * y), 128, 255} }

// TestImages sends an image in each compression.
func TestImages(t *testing.T) {
	const w, h = 20, 12
	pix := gradient(w, h)
	rgb32 := pixel.New(pixel.RGB32, w, h, true)
	fourLZ4, err := new(lz4.Encoder).Encode(nil, rgb32, [][]byte{pix})
	if err != nil {
		t.Fatal(err)
	}
	glzs := encodeGLZ(t, pix, w, h)
	var zipped bytes.Buffer
	z := zlib.NewWriter(&zipped)
	if _, err := z.Write(glzs[0]); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	var upsideDown []byte
	for y := h - 1; y >= 0; y-- {
		upsideDown = append(upsideDown, pix[4*w*y:][:4*w]...)
	}
	for name, im := range map[string]qxl.Image{
		"bitmap":       bitmap(1, w, h, pix),
		"LZ":           compressed(qxl.ImageLZRGB, 1, w, h, encodeLZ(t, rgb32, pix)),
		"LZ bottom-up": compressed(qxl.ImageLZRGB, 1, w, h, encodeLZ(t, pixel.New(pixel.RGB32, w, h, false), upsideDown)),
		"LZ4":          compressed(qxl.ImageLZ4, 1, w, h, fourLZ4),
		"QUIC":         compressed(qxl.ImageQUIC, 1, w, h, encodeQUIC(t, quic.New(quic.RGB32, w, h, true), pix)),
		"GLZ":          compressed(qxl.ImageGLZRGB, 1, w, h, glzs[0]),
		"zlib GLZ":     {ID: 1, Type: qxl.ImageZlibGLZRGB, Width: w, Height: h, Part: uint32(len(glzs[0])), Data: blob(zipped.Bytes())},
	} {
		t.Run(name, func(t *testing.T) {
			c, d := connectDisplay(t, Options{})
			c.Draw(copyImage(im, 3, 5))
			c.Sync()
			wantPixels(t, d, 3, 5, w, h, pix)
		})
	}
}

func encodeQUIC(t testing.TB, im quic.Image, pix []byte) []byte {
	t.Helper()
	out, err := new(quic.Encoder).Encode(nil, im, [][]byte{pix})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func blob(p []byte) (b qxl.Blob) {
	b.Append(p)
	return b
}

// encodeGLZ encodes the same picture three times into one dictionary.
func encodeGLZ(t *testing.T, pix []byte, w, h int) (streams [3][]byte) {
	t.Helper()
	dict := glz.NewDictionary(1<<16, 0)
	var enc glz.Encoder
	for i := range streams {
		var err error
		if streams[i], _, err = enc.Encode(nil, dict, pixel.New(pixel.RGB32, w, h, true), [][]byte{pix}); err != nil {
			t.Fatal(err)
		}
	}
	return streams
}

// TestPaletteImages sends LZ_PLT images, with whole and partial lines, and
// palettes inline, for the cache and from it.
func TestPaletteImages(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	send := func(typ pixel.Type, w, stride int, flags uint8, unique uint64, ents []uint32, lines ...byte) {
		im := compressed(qxl.ImageLZPalette, 1, w, len(lines)/stride,
			encodeLZ(t, pixel.Image{Type: typ, Width: w, Height: len(lines) / stride, Stride: stride, TopDown: true}, lines))
		im.BitFlags, im.HasPalette, im.Palette = flags, true, qxl.Palette{Unique: unique, Entries: ents}
		c.Draw(copyImage(im, 0, 0))
		c.Sync()
	}
	send(pixel.PLT8, 2, 2, wire.BitmapPalCacheMe, 5, []uint32{0x111111, 0x222222, 0x333333}, 2, 1, 0, 2)
	wantPixel(t, d, 0, 0, 0x333333)
	wantPixel(t, d, 0, 1, 0x111111)
	send(pixel.PLT1BE, 9, 2, wire.BitmapPalFromCache, 5, nil, 0x80, 0x80)
	wantPixel(t, d, 0, 0, 0x222222)
	wantPixel(t, d, 8, 0, 0x222222)
	wantPixel(t, d, 1, 0, 0x111111)
	send(pixel.PLT1LE, 9, 1, wire.BitmapPalFromCache, 5, nil, 0x02, 0x01) // the ninth pixel is left out
	wantPixel(t, d, 1, 0, 0x222222)
	wantPixel(t, d, 8, 0, 0x111111)
	wantPixel(t, d, 0, 1, 0x222222)
	send(pixel.PLT4BE, 2, 1, 0, 0, []uint32{0x444444, 0x555555, 0x666666}, 0x5f) // modulo 3
	wantPixel(t, d, 0, 0, 0x666666)
	wantPixel(t, d, 1, 0, 0x444444)
	send(pixel.PLT8, 2, 2, wire.BitmapPalFromCache, 5, nil, 2, 0)
	wantPixel(t, d, 0, 0, 0x333333)
	wantPixel(t, d, 1, 0, 0x111111)
	c.Send(wire.MsgDisplayInvalPalette, func(w *wire.Writer) { w.U64(5) })
	im := compressed(qxl.ImageLZPalette, 1, 8, 1, encodeLZ(t, pixel.New(pixel.PLT1BE, 8, 1, true), []byte{1}))
	im.BitFlags, im.HasPalette, im.Palette.Unique = wire.BitmapPalFromCache, true, 5
	c.Draw(copyImage(im, 0, 0))
	wantEnd(t, d, ErrCache)
}

func TestInvalAllPalettes(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	im := bitmap(1, 8, 1, []byte{0xf0})
	im.Format, im.Stride, im.BitFlags, im.HasPalette = qxl.Bitmap1BitBE, 1, wire.BitmapPalCacheMe, true
	im.Palette = qxl.Palette{Unique: 9, Entries: []uint32{1, 2}}
	c.Draw(copyImage(im, 0, 0))
	im.BitFlags = wire.BitmapPalFromCache
	c.Draw(copyImage(im, 0, 0))
	c.Sync()
	wantPixel(t, d, 0, 0, 2)
	c.Send(wire.MsgDisplayInvalAllPalettes, nil)
	c.Draw(copyImage(im, 0, 0))
	wantEnd(t, d, ErrCache)
}

// near checks an area against a picture that went through JPEG.
func near(t *testing.T, d *Display, w, h int, at func(x, y int) color.Color) {
	t.Helper()
	img := snapshot(t, d)
	for y := range h {
		for x := range w {
			got, want := img.RGBAAt(x, y), color.RGBAModel.Convert(at(x, y)).(color.RGBA)
			if diff(got.R, want.R) > 12 || diff(got.G, want.G) > 12 || diff(got.B, want.B) > 12 {
				t.Fatalf("pixel (%d,%d) is %v, want about %v", x, y, got, want)
			}
		}
	}
}

func diff(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// TestJPEG sends pictures whose descriptor is right, and wrong.
func TestJPEG(t *testing.T) {
	const w, h = 32, 24
	data := encodeJPEG(t, w, h, ramp)
	c, d := connectDisplay(t, Options{})
	c.Draw(copyImage(compressed(qxl.ImageJPEG, 1, w, h, data), 0, 0))
	c.Sync()
	near(t, d, w, h, ramp)
	c.Draw(copyImage(compressed(qxl.ImageJPEG, 1, w, h+1, data), 0, 0))
	wantEnd(t, d, ErrImage)
}

// TestJPEGAlpha blends a picture whose left half is transparent.
func TestJPEGAlpha(t *testing.T) {
	const w, h = 16, 8
	for _, topDown := range []bool{true, false} {
		jpg := encodeJPEG(t, w, h, func(x, y int) color.Color { return color.Gray{byte(20 * y)} })
		plane := make([]byte, 4*w*h)
		for i := range w * h {
			if i%w >= w/2 {
				plane[4*i+3] = 255
			}
			if i/w == 0 { // the line that comes first in memory
				plane[4*i+3] = 0
			}
		}
		alpha := encodeLZ(t, pixel.New(pixel.XXXA, w, h, topDown), plane)
		im := compressed(qxl.ImageJPEGAlpha, 1, w, h, append(bytes.Clone(jpg), alpha...))
		im.Part = uint32(len(jpg))
		if topDown {
			im.BitFlags = alphaTopDown
		}
		c, d := connectDisplay(t, Options{})
		c.Draw(fill(regions.XYWH(0, 0, 64, 48), 0xffffff))
		blend := copyImage(im, 0, 0)
		blend.Type, blend.Alpha = qxl.DrawAlphaBlend, 255
		c.Draw(blend)
		c.Sync()
		hidden := 0
		if !topDown {
			hidden = h - 1
		}
		img := snapshot(t, d)
		for y := range h {
			left, right := img.RGBAAt(2, y), img.RGBAAt(w-2, y)
			want := byte(20 * y)
			if y == hidden {
				want = 255
			}
			if left.R < 250 || diff(right.R, want) > 14 {
				t.Errorf("top-down %v, line %d: %v and %v, want about %d", topDown, y, left, right, want)
			}
		}
	}
}

// TestCache follows an image through the pixmap cache.
func TestCache(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	ref := func(id uint64, typ qxl.ImageType) *qxl.Drawable {
		return copyImage(qxl.Image{ID: id, Type: typ, Width: 4, Height: 4}, 0, 0)
	}
	inval := func(ids ...uint64) {
		c.Send(wire.MsgDisplayInvalList, func(w *wire.Writer) {
			w.U16(uint16(len(ids)))
			for _, id := range ids {
				w.U8(wire.ResourcePixmap)
				w.U64(id)
			}
		})
	}
	im := bitmap(7, 4, 4, flat(4, 4, 0xaabbcc))
	im.Flags = qxl.ImageCacheMe
	c.Draw(copyImage(im, 40, 40))
	c.Draw(copyImage(bitmap(8, 4, 4, flat(4, 4, 0x112233)), 50, 40)) // overwrites buffers
	c.Draw(ref(7, qxl.ImageFromCache))
	c.Sync()
	wantPixel(t, d, 3, 3, 0xaabbcc)

	lossy := compressed(qxl.ImageJPEG, 9, 4, 4, encodeJPEG(t, 4, 4, func(int, int) color.Color { return color.White }))
	lossy.Flags = qxl.ImageCacheMe
	c.Draw(copyImage(lossy, 40, 40))
	better := bitmap(9, 4, 4, flat(4, 4, 0x00ff00))
	better.Flags = qxl.ImageCacheReplaceMe
	c.Draw(ref(9, qxl.ImageFromCache))
	c.Draw(copyImage(better, 40, 40))
	c.Draw(ref(9, qxl.ImageFromCacheLossless))
	c.Sync()
	wantPixel(t, d, 0, 0, 0x00ff00)
	if n, px := d.session.CacheUse(); n != 2 || px != 32 {
		t.Errorf("cache of %d images, %d pixels", n, px)
	}

	c.Draw(copyImage(im, 40, 40)) // added twice: it takes two removals
	inval(7, 9, 1234)
	c.Draw(ref(7, qxl.ImageFromCache))
	c.Sync()
	wantPixel(t, d, 0, 0, 0xaabbcc)
	if n, _ := d.session.CacheUse(); n != 1 {
		t.Errorf("%d images are left of 7 (twice) and 9 (once, replaced)", n)
	}
	inval(7)
	c.Draw(ref(7, qxl.ImageFromCache))
	wantEnd(t, d, ErrCache)
}

// TestCacheLossless refers to a lossy image where only a lossless one will do.
func TestCacheLossless(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	im := compressed(qxl.ImageJPEG, 9, 4, 4, encodeJPEG(t, 4, 4, ramp))
	im.Flags = qxl.ImageCacheMe
	c.Draw(copyImage(im, 0, 0))
	c.Draw(copyImage(qxl.Image{ID: 9, Type: qxl.ImageFromCache, Width: 4, Height: 4}, 0, 0))
	c.Sync()
	c.Draw(copyImage(qxl.Image{ID: 9, Type: qxl.ImageFromCacheLossless, Width: 4, Height: 4}, 0, 0))
	wantEnd(t, d, ErrCache)
}

// TestCacheKeepsEveryKind caches what decoders make in their different ways.
func TestCacheKeepsEveryKind(t *testing.T) {
	const w, h = 20, 12
	c, d := connectDisplay(t, Options{})
	pix := gradient(w, h)
	streams := encodeGLZ(t, pix, w, h)
	kinds := []qxl.Image{
		compressed(qxl.ImageLZRGB, 1, w, h, encodeLZ(t, pixel.New(pixel.RGB32, w, h, true), pix)),
		compressed(qxl.ImageGLZRGB, 2, w, h, streams[0]),
		bitmap(3, w, h, pix),
	}
	for _, im := range kinds {
		im.Flags = qxl.ImageCacheMe | qxl.ImageHighBitsSet
		c.Draw(copyImage(im, 0, 0))
	}
	plain := compressed(qxl.ImageGLZRGB, 4, w, h, streams[1])
	plain.Flags = qxl.ImageCacheMe
	c.Draw(copyImage(plain, 0, 0)) // a copy of what the window holds, which has no high bits
	c.Draw(copyImage(compressed(qxl.ImageLZRGB, 5, w, h, encodeLZ(t, pixel.New(pixel.RGB32, w, h, true), flat(w, h, 1))), 0, 0))
	c.Sync()
	if p, err := d.session.images.get(d.conn, plain.ID, true); err != nil || p.pix[3] != 0 {
		t.Errorf("the GLZ window was changed, error %v", err)
	}
	for _, im := range kinds {
		c.Draw(fill(regions.XYWH(0, 0, 64, 48), 0))
		c.Draw(copyImage(qxl.Image{ID: im.ID, Type: qxl.ImageFromCache, Width: w, Height: h}, 2, 2))
		c.Sync()
		wantPixels(t, d, 2, 2, w, h, pix)
		if p, err := d.session.images.get(d.conn, im.ID, true); err != nil || p.pix[3] != 0xff {
			t.Errorf("image %d: high bits are not set, error %v", im.ID, err)
		}
	}
}

func TestCacheOverflow(t *testing.T) {
	c, d := connectDisplay(t, Options{CacheSize: 100})
	for id := range uint64(13) {
		im := bitmap(id, 4, 4, flat(4, 4, 1))
		im.Flags = qxl.ImageCacheMe
		c.Draw(copyImage(im, 0, 0))
	}
	wantEnd(t, d, ErrTooLarge)
}

// TestCacheAcrossDisplays refers, on one display, to images that another one
// brings later: from the cache and from the GLZ window.
func TestCacheAcrossDisplays(t *testing.T) {
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{display0, display1}}, Options{})
	a, b := srv.Channel(wire.ChannelDisplay, 0), srv.Channel(wire.ChannelDisplay, 1)
	for _, c := range []*clienttest.Conn{a, b} {
		sendSurface(c, 0, 64, 48, qxl.Surface32xRGB, wire.SurfaceFlagPrimary)
	}
	const w, h = 20, 12
	pix := gradient(w, h)
	streams := encodeGLZ(t, pix, w, h)
	a.Sync()
	b.Sync()
	a.Draw(copyImage(compressed(qxl.ImageGLZRGB, 1, w, h, streams[1]), 0, 0))
	untilWaiting(t, s)
	b.Draw(copyImage(compressed(qxl.ImageGLZRGB, 1, w, h, streams[0]), 0, 0))
	a.Sync()
	b.Sync()
	a.Draw(copyImage(qxl.Image{ID: 2, Type: qxl.ImageFromCache, Width: 4, Height: 4}, 30, 30))
	untilWaiting(t, s)
	im := bitmap(2, 4, 4, flat(4, 4, 0xabcdef))
	im.Flags = qxl.ImageCacheMe
	b.Draw(copyImage(im, 0, 0))
	a.Sync()
	wantPixels(t, s.Display(0), 0, 0, w, h, pix)
	wantPixel(t, s.Display(0), 33, 33, 0xabcdef)

	// INVAL_ALL_PIXMAPS takes effect when the other channel has got that far.
	serial := b.Serial() + 1
	a.Send(wire.MsgDisplayInvalAllPixmaps, func(w *wire.Writer) {
		w.U8(1)
		w.U8(uint8(wire.ChannelDisplay))
		w.U8(1)
		w.U64(serial)
	})
	b.Draw(copyImage(qxl.Image{ID: 2, Type: qxl.ImageFromCache, Width: 4, Height: 4}, 0, 0))
	a.Sync()
	if n, px := s.CacheUse(); n != 0 || px != 0 {
		t.Errorf("%d images are left, %d pixels", n, px)
	}
	// What nobody can bring any more is an error.
	a.Draw(copyImage(qxl.Image{ID: 99, Type: qxl.ImageFromCache, Width: 4, Height: 4}, 0, 0))
	b.Close()
	wantEnd(t, s.Display(0), ErrCache)
}

// untilWaiting returns when one of the session's channels waits for another.
func untilWaiting(t *testing.T, s *Session) {
	for t.Context().Err() == nil {
		s.gate.mu.Lock()
		waiting := s.gate.ch != nil
		s.gate.mu.Unlock()
		if waiting {
			return
		}
		runtime.Gosched()
	}
}

func TestGLZMissing(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	streams := encodeGLZ(t, gradient(20, 12), 20, 12)
	c.Draw(copyImage(compressed(qxl.ImageGLZRGB, 1, 20, 12, streams[1]), 0, 0))
	<-d.Done()
	var missing glz.MissingError
	if !errors.As(d.Err(), &missing) {
		t.Errorf("display ended with %v", d.Err())
	}
}

// TestImageErrors sends what no decoder should take.
func TestImageErrors(t *testing.T) {
	pix := gradient(4, 4)
	good := encodeLZ(t, pixel.New(pixel.RGB32, 4, 4, true), pix)
	plane := encodeLZ(t, pixel.New(pixel.XXXA, 4, 4, true), pix)
	jpg := encodeJPEG(t, 4, 4, ramp)
	huge := bitmap(1, 4, 4, pix)
	huge.Width, huge.Height = 1<<31, 1<<31
	sizes := bitmap(1, 4, 4, pix)
	sizes.Y = 3
	alpha := compressed(qxl.ImageJPEGAlpha, 1, 4, 4, append(bytes.Clone(jpg), plane...))
	alpha.Part = uint32(len(jpg)) // but the planes' directions differ
	long := alpha
	long.Part = 1 << 30
	zip := compressed(qxl.ImageZlibGLZRGB, 1, 4, 4, []byte{0x78, 0x9c, 1})
	zip.Part = 50
	bomb := zip
	bomb.Part = 1 << 28
	for name, tc := range map[string]struct {
		im   qxl.Image
		want error
	}{
		"too large":        {huge, ErrTooLarge},
		"two sizes":        {sizes, ErrImage},
		"LZ of other size": {compressed(qxl.ImageLZRGB, 1, 5, 4, good), ErrImage},
		"LZ cut":           {compressed(qxl.ImageLZRGB, 1, 4, 4, good[:len(good)-1]), lz.ErrCorrupt},
		"LZ of nothing":    {compressed(qxl.ImageLZRGB, 1, 4, 4, nil), lz.ErrCorrupt},
		"only alpha":       {compressed(qxl.ImageLZRGB, 1, 4, 4, plane), ErrImage},
		"colours as LZPLT": {qxl.Image{Type: qxl.ImageLZPalette, Width: 4, Height: 4, HasPalette: true, Data: blob(good)}, ErrImage},
		"LZ4 cut":          {compressed(qxl.ImageLZ4, 1, 4, 4, []byte{1, 8, 0, 0, 0, 9}), lz4.ErrCorrupt},
		"QUIC of nothing":  {compressed(qxl.ImageQUIC, 1, 4, 4, nil), quic.ErrCorrupt},
		"QUIC of one size": {compressed(qxl.ImageQUIC, 1, 4, 5, encodeQUIC(t, quic.New(quic.RGB32, 4, 4, true), pix)), ErrImage},
		"grey QUIC":        {compressed(qxl.ImageQUIC, 1, 4, 4, encodeQUIC(t, quic.New(quic.GRAY, 4, 4, true), pix[:16])), ErrImage},
		"GLZ that is LZ":   {compressed(qxl.ImageGLZRGB, 1, 4, 4, good), pixel.ErrImage},
		"alpha direction":  {alpha, ourjpeg.ErrCorrupt},
		"alpha outside":    {long, ErrImage},
		"zlib cut":         {zip, glz.ErrInflate},
		"zlib bomb":        {bomb, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			c, d := connectDisplay(t, Options{})
			c.Draw(copyImage(tc.im, 0, 0))
			wantEnd(t, d, tc.want)
		})
	}
}
