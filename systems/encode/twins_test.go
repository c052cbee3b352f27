package encode

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/qxl"
)

// twin is a client of a device that has several.
type twin struct {
	Client
	window   *glz.Window
	images   int // that it was sent as GLZ
	adopted  int
	deflated int
}

func newTwin(pixels int, deflated bool) *twin {
	return &twin{Client: Client{Compression: GLZ, Zlib: deflated, Dictionary: glz.NewDictionary(pixels, 0)}, window: glz.NewWindow(2 * pixels)}
}

// TestTwins sends images to clients of which two get all of them, one comes
// later, one has a small window, one misses some, and one misses some when it has
// gone along for long: all decode what was drawn.
// What is encoded for the first is good for the second, and for the third when
// it has been sent what counts.
func TestTwins(t *testing.T) {
	t.Run("GLZ", func(t *testing.T) { testTwins(t, false) })
	t.Run("ZLIB_GLZ", func(t *testing.T) { testTwins(t, true) })
}

func testTwins(t *testing.T, deflated bool) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	images := 1500
	if raceEnabled {
		images = 500
	}
	r := newRig(t, newPool(t), GLZ)
	var twins []*twin
	for _, pixels := range []int{1 << 16, 1 << 16, 1 << 16, 1 << 13, 1 << 16, 1 << 16} {
		twins = append(twins, newTwin(pixels, deflated))
	}
	var earlier [][]byte
	for n := 0; n < images; {
		var drawn []*components.Drawable
		var all []*qxl.Image
		plan := make([][]Form, len(twins))
		for range 1 + rng.IntN(6) {
			format := []qxl.BitmapFormat{qxl.Bitmap32Bit, qxl.BitmapRGBA}[rng.IntN(8)/7]
			im := bitmap(format, 10+rng.Uint32N(60), 10+rng.Uint32N(60), 0, qxl.BitmapTopDown)
			im.Data.Append(similar(rng, int(im.Stride*im.Y), &earlier))
			d := &components.Drawable{}
			drawn, all = append(drawn, d), append(all, im)
			for i, c := range twins {
				f := Form{}
				if !(i == 2 && n < images/2) && !(i == 4 && rng.IntN(20) == 0) && !(i == 5 && n%(2*manyAdopted) < 5) {
					f = r.enc.Drawable(&c.Client, d, 0, im, false)
				}
				plan[i] = append(plan[i], f)
			}
			n++
		}
		r.enc.Run()
		for i, c := range twins {
			for k, f := range plan[i] {
				c.receive(t, r, all[k], drawn[k], f)
			}
		}
		for _, d := range drawn {
			r.scene.FreeEncoded(d.Encoded)
		}
		if n := r.scene.Encoded.Len(); n > 0 {
			t.Fatalf("%d results are left", n)
		}
	}
	for i, c := range twins {
		t.Logf("client %d: %d of %d images adopted, %d deflated", i, c.adopted, c.images, c.deflated)
	}
	if c := twins[1]; c.adopted < c.images || c.images < images*9/10 {
		t.Errorf("the second client adopted %d of %d images", c.adopted, c.images)
	}
	if got := twins[1].deflated; deflated && got < images/8 {
		t.Errorf("%d of %d images were deflated", got, images)
	}
	if got := twins[2].adopted; got < images/8 {
		t.Errorf("the client that came later adopted %d of %d images", got, images/2)
	}
}

// similar makes pixels that partly repeat what earlier images had.
func similar(rng *rand.Rand, size int, earlier *[][]byte) []byte {
	pix := make([]byte, size)
	for at := 0; at < size; {
		n := min(size-at, 400+4*rng.IntN(400))
		if len(*earlier) > 0 && rng.IntN(3) > 0 {
			back := min(1+rng.IntN(30), len(*earlier))
			copy(pix[at:at+n], (*earlier)[len(*earlier)-back])
		} else {
			fillPixels(rng, pix[at:at+n], []string{"noise", "flat", "text"}[rng.IntN(3)])
		}
		at += n
	}
	*earlier = append(*earlier, pix)
	return pix
}

// receive decodes an image, and counts it if it was encoded for another client.
func (c *twin) receive(t *testing.T, r *rig, im *qxl.Image, d *components.Drawable, f Form) {
	t.Helper()
	if f.Codec < CodecGLZ { // it has not been planned, or the window is in use
		return
	}
	var wire qxl.Image
	r.enc.Fill(&wire, im, &f)
	stream := inflated(t, wire.Data.AppendTo(nil), wire.Part)
	c.images++
	if wire.Part != 0 {
		c.deflated++
	}
	out, err := c.window.Decode(stream)
	if err != nil || !bytes.Equal(narrow(im.Format, out.Pix), unpad(im, im.Data.AppendTo(nil))) {
		t.Fatalf("the client sees something else: %v", err)
	}
	if f.Own {
		h, first := r.enc.kept(d, 0, f.Codec)
		if h != f.Result && bytes.Equal(stream[33:], inflated(t, first.Data, first.Part)[33:]) {
			c.adopted++
		}
		r.scene.FreeEncoded(f.Result)
	}
}

// inflated is a GLZ stream that was deflated if its size is given.
func inflated(t *testing.T, data []byte, size uint32) []byte {
	t.Helper()
	if size == 0 {
		return data
	}
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := io.ReadAll(r)
	if err != nil || len(stream) != int(size) {
		t.Fatalf("%d bytes inflate to %d, not %d: %v", len(data), len(stream), size, err)
	}
	return stream
}

// TestFullWindow plans more images at once than a client's window holds: all are
// sent as GLZ, though a place is taken until its image has been compressed.
func TestFullWindow(t *testing.T) {
	r := newRig(t, newPool(t), GLZ)
	c := newTwin(1<<13, false)
	rng := rand.New(rand.NewPCG(1, 1))
	var earlier [][]byte
	var drawn []*components.Drawable
	var all []*qxl.Image
	var plan []Form
	for range 20 {
		im := bitmap(qxl.Bitmap32Bit, 40, 50, 0, qxl.BitmapTopDown)
		im.Data.Append(similar(rng, int(im.Stride*im.Y), &earlier))
		d := &components.Drawable{}
		drawn, all, plan = append(drawn, d), append(all, im), append(plan, r.enc.Drawable(&c.Client, d, 0, im, false))
	}
	r.enc.Run()
	for k, f := range plan {
		c.receive(t, r, all[k], drawn[k], f)
	}
	if c.images != len(plan) {
		t.Errorf("%d of %d images were sent as GLZ", c.images, len(plan))
	}
}
