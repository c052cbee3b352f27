package picture

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
)

// script writes recordings.
type script struct {
	t testing.TB
	b bytes.Buffer
	w *record.Writer
	d qxl.Drawable
}

// newScript begins a recording with a primary surface.
func newScript(t testing.TB, width, height uint32) *script {
	s := &script{t: t}
	var err error
	s.w, err = record.NewWriter(&s.b)
	s.check(err)
	s.check(s.w.Worker(0, record.WorkerCreatePrimary, &qxl.PrimarySurface{
		Width: width, Height: height, Stride: int32(4 * width), Format: qxl.Surface32xRGB, Memory: make([]byte, 4*width*height),
	}))
	return s
}

func (s *script) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// draw writes a command to a surface that change has completed.
func (s *script) draw(surface uint32, typ qxl.DrawType, e qxl.Effect, box regions.Rect, change func(*qxl.Drawable)) {
	s.t.Helper()
	d := &s.d
	d.Reset()
	d.Surface, d.Type, d.Effect, d.BBox, d.Rop = surface, typ, e, box, qxl.RopPut
	d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0x336699, Image: qxl.NoImage}
	if change != nil {
		change(d)
	}
	s.check(s.w.Draw(0, d))
}

func (s *script) fill(box regions.Rect) { s.draw(0, qxl.DrawFill, qxl.EffectOpaque, box, nil) }

func (s *script) create(id, width, height uint32) {
	s.check(s.w.Surface(0, &qxl.SurfaceCommand{
		Surface: id, Format: qxl.Surface32ARGB, Width: width, Height: height, Stride: int32(4 * width),
	}))
}

// play plays what has been written.
func (s *script) play(o Options) *Picture {
	s.t.Helper()
	s.check(s.w.Flush())
	o.Memory = cmp.Or(o.Memory, 16<<20)
	p, err := Play(s.t.Context(), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s.b.Bytes())), nil }, o)
	s.check(err)
	return p
}

// example has one of everything. Its numbers below were found by hand.
func example(t testing.TB) *script {
	s := newScript(t, 100, 80)
	s.fill(regions.XYWH(5, 5, 10, 10))                                                                          // 1: hidden by 2
	s.fill(regions.XYWH(0, 0, 100, 80))                                                                         // 2
	s.fill(regions.XYWH(10, 10, 20, 20))                                                                        // 3: in 2
	s.draw(0, qxl.DrawFill, qxl.EffectBlend, regions.XYWH(50, 0, 10, 10), func(d *qxl.Drawable) { d.Rop = 64 }) // 4: in 2
	s.draw(0, qxl.DrawCopyBits, qxl.EffectOpaque, regions.XYWH(60, 40, 20, 20), func(d *qxl.Drawable) {         // 5: reads 3
		d.SrcPos = regions.Point{X: 10, Y: 10}
	})
	s.fill(regions.XYWH(10, 10, 20, 15)) // 6: over 3, which 5 needs
	s.check(s.w.Cursor(0, &qxl.CursorCommand{Action: qxl.CursorMove}))
	s.create(7, 40, 30)
	s.draw(7, qxl.DrawFill, qxl.EffectOpaque, regions.XYWH(0, 0, 40, 30), nil)                     // 7
	s.draw(0, qxl.DrawCopy, qxl.EffectOpaque, regions.XYWH(0, 50, 40, 30), func(d *qxl.Drawable) { // 8: reads 7
		im, i := d.NewImage()
		im.ID, im.Type, im.Surface, im.Width, im.Height = 7, qxl.ImageSurface, 7, 40, 30
		d.Src, d.SrcArea = i, regions.XYWH(0, 0, 40, 30)
	})
	return s
}

func TestNumbers(t *testing.T) {
	p := example(t).play(Options{ClientEvery: 4})
	want := Numbers{
		Commands: 10, Client: 4,
		Drawn: Count{8, 100 + 8000 + 400 + 100 + 400 + 300 + 1200 + 1200},
		Sent:  Count{7, 8000 + 400 + 100 + 400 + 300 + 1200 + 1200},
		Surfaces: []SurfaceCounts{
			{
				ID: 0, Width: 100, Height: 80, Drawables: 6, Current: 6, Waiting: 1, Containers: 1, Shadows: 1, Depth: 1,
				// 8 and 5 lie in 2, which lost what they and 3 took. 4 lets through. 3 and 6 are both whole.
				Visible: 1200 + 300 + 400 + 100 + 400 + (8000 - 1200 - 400 - 400), OnHold: 300,
			},
			{ID: 7, Width: 40, Height: 30, Drawables: 1, Current: 1, Waiting: 1, Shadows: 1, Visible: 1200},
		},
	}
	want.Primary.Drawn = HeatCounts{Count{7, 10500}, 4}
	want.Primary.Sent = HeatCounts{Count{6, 10400}, 3}
	if p.Problem != nil || !reflect.DeepEqual(p.Numbers, want) {
		t.Errorf("numbers\n%+v, want\n%+v (%v)", p.Numbers, want, p.Problem)
	}
	drawn, sent := p.Heat.Drawn(), p.Heat.Sent()
	for _, c := range []struct{ x, y, drawn, sent uint32 }{{0, 0, 1, 1}, {6, 6, 2, 1}, {12, 12, 4, 3}, {12, 27, 2, 2}, {55, 5, 2, 2}, {79, 59, 2, 2}, {39, 79, 2, 2}} {
		if at := c.y*100 + c.x; drawn[at] != c.drawn || sent[at] != c.sent {
			t.Errorf("pixel %d,%d: drawn %d, sent %d times, want %d and %d", c.x, c.y, drawn[at], sent[at], c.drawn, c.sent)
		}
	}
}

// TestStop: pictures stop where they are told to, whether a client is there or not.
func TestStop(t *testing.T) {
	s := example(t)
	for at, drawables := range []int{7, 1, 1, 2, 3, 4, 5, 5, 5, 6, 7} {
		for _, every := range []uint64{0, 1, 3} {
			p := s.play(Options{At: uint64(at), ClientEvery: every})
			n := 0
			for _, s := range p.Numbers.Surfaces {
				n += s.Drawables
			}
			if n != drawables {
				t.Errorf("after %d commands, client every %d: %d drawables, want %d", at, every, n, drawables)
			}
			if every == 0 && p.Numbers.Sent != (Count{}) {
				t.Errorf("sent without a client: %+v", p.Numbers.Sent)
			}
		}
	}
}

// TestNodes looks at the order of what is captured.
func TestNodes(t *testing.T) {
	p := example(t).play(Options{})
	for _, s := range p.Tree.Surfaces {
		last := ^uint64(0)
		for i, n := range s.Nodes {
			if n.Container >= i || n.Container >= 0 && s.Nodes[n.Container].Kind != components.NodeContainer {
				t.Errorf("surface %d: node %d is in node %d", s.ID, i, n.Container)
			}
			if n.Kind == components.NodeDrawable {
				if n.Seq >= last {
					t.Errorf("surface %d: drawable %d comes after %d", s.ID, n.Seq, last)
				}
				last = n.Seq
			}
		}
	}
	levels, top := p.Tree.Surfaces[0].levels()
	got := map[uint64]int{}
	for i, n := range p.Tree.Surfaces[0].Nodes {
		if n.Kind == components.NodeDrawable {
			got[n.Seq] = levels[i]
		}
	}
	// 5's shadow lies on 3, and 6 on the shadow.
	if want := map[uint64]int{2: 1, 3: 2, 4: 2, 5: 2, 6: 4, 8: 2}; !reflect.DeepEqual(got, want) || top != 4 {
		t.Errorf("levels %v up to %d, want %v", got, top, want)
	}
}

// TestSVG checks that the document is well-formed, that it names nothing twice
// and nothing that is not there, and that it is always the same.
func TestSVG(t *testing.T) {
	crowd := newScript(t, 1500, 1000)
	for i := range int32(2000) {
		crowd.draw(0, qxl.DrawFill, qxl.Effect(i%2), regions.XYWH(i*37%1490, i*53%990, 1+i%9, 1+i%7), nil)
	}
	for id := range uint32(maxThumbs + 5) {
		crowd.create(id+1, 30+id, 20)
		crowd.draw(id+1, qxl.DrawFill, qxl.EffectOpaque, regions.XYWH(1, 1, 10, 10), nil)
	}
	empty := &script{t: t}
	var err error
	empty.w, err = record.NewWriter(&empty.b)
	empty.check(err)
	for name, c := range map[string]struct {
		s   *script
		has []string
	}{
		"example": {example(t), []string{"Surface 0, primary, 100x80", "7: 40x30, 32 bit ARGB", "shadow of #5", "copy bits", "effect blend", "1 other surface"}},
		"crowd":   {crowd, []string{"20 other surfaces", "and 5 with fewer nodes", "tiny ones", " more</text>"}},
		"blank":   {newScript(t, 20, 10), []string{"Nothing waits"}},
		"empty":   {empty, []string{"There is no surface"}},
	} {
		svg := svgOf(t, c.s, `<&">`)
		if !bytes.Equal(svg, svgOf(t, c.s, `<&">`)) {
			t.Errorf("%s: two pictures differ", name)
		}
		text := wellFormed(t, svg)
		for _, want := range append(c.has, `<&">`) {
			if !strings.Contains(text, want) && !strings.Contains(string(svg), want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
	}
}

func svgOf(t *testing.T, s *script, title string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.play(Options{Title: title, ClientEvery: 50}).Tree.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wellFormed parses a document and returns its text.
func wellFormed(t *testing.T, doc []byte) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	ids, refs := map[string]bool{}, map[string]bool{}
	var text strings.Builder
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			for _, a := range tok.Attr {
				if a.Name.Local == "id" {
					if ids[a.Value] {
						t.Errorf("two elements %q", a.Value)
					}
					ids[a.Value] = true
				}
				if ref, ok := strings.CutPrefix(a.Value, "url(#"); ok {
					refs[strings.TrimSuffix(ref, ")")] = true
				}
				if tok.Name.Local == "use" && a.Name.Local == "href" {
					refs[strings.TrimPrefix(a.Value, "#")] = true
				}
			}
		}
	}
	for ref := range refs {
		if !ids[ref] {
			t.Errorf("no element %q", ref)
		}
	}
	return text.String()
}

// TestPNG looks at the colours of pixels whose counts are known.
func TestPNG(t *testing.T) {
	p := example(t).play(Options{ClientEvery: 4})
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := p.Heat.WritePNG(w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("two pictures differ")
	}
	decoded, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	img, up := decoded.(*image.Paletted), mapWidth/100
	top := heatMargin + largeFace.height + 16 + 3*(smallFace.height+2) + 10
	at := func(m, x, y int) uint8 {
		return img.ColorIndexAt(heatMargin+m*(100*up+heatGap)+x*up+up/2, top+y*up+up/2)
	}
	// 12,12 was drawn most often, and nothing less than once.
	if got := at(0, 12, 12); got != 255 {
		t.Errorf("the most drawn pixel has colour %d", got)
	}
	if got := at(1, 0, 0); got != firstHeat {
		t.Errorf("a pixel sent once has colour %d, want %d", got, firstHeat)
	}
	// 2 is half way between 1 and 4 on a logarithmic scale.
	if got, want := at(0, 6, 6), uint8(firstHeat+(heatShades-1+1)/2); got != want {
		t.Errorf("a pixel drawn twice has colour %d, want %d", got, want)
	}
	if got := at(1, 6, 6); got != firstHeat {
		t.Errorf("a pixel drawn twice and sent once has colour %d, want %d", got, firstHeat)
	}
}

func TestNoPrimary(t *testing.T) {
	if err := new(Heat).WritePNG(io.Discard); !errors.Is(err, ErrEmpty) {
		t.Errorf("no surface: %v", err)
	}
	blank := newScript(t, 20, 10).play(Options{})
	if err := blank.Heat.WritePNG(io.Discard); err != nil {
		t.Errorf("nothing drawn: %v", err)
	}
}

// TestFullMemory draws more than the guest's memory holds, so that the device
// has to give some back although nobody takes anything.
func TestFullMemory(t *testing.T) {
	const size, n = 64, 200
	s := newScript(t, n, size)
	for i := range int32(n) {
		s.draw(0, qxl.DrawCopy, qxl.EffectBlend, regions.XYWH(i, 0, 1, size), func(d *qxl.Drawable) {
			im, src := d.NewImage()
			im.ID, im.Type, im.Format, im.BitFlags = uint64(i), qxl.ImageBitmap, qxl.Bitmap32Bit, qxl.BitmapDirect
			im.Width, im.Height, im.X, im.Y, im.Stride = size, size, size, size, 4*size
			im.Data.Append(make([]byte, 4*size*size))
			d.Src, d.SrcArea = src, regions.XYWH(0, 0, 1, size)
		})
	}
	for _, every := range []uint64{0, 10 * n} {
		p := s.play(Options{Memory: 1 << 20, ClientEvery: every})
		if p.Problem != nil || p.Numbers.Commands != n || p.Numbers.Executed == 0 || every > 0 && p.Numbers.Sent.Drawables != n {
			t.Errorf("client every %d: %+v (%v)", every, p.Numbers, p.Problem)
		}
	}
}

// TestNoMemory makes surfaces that the guest's memory cannot hold.
func TestNoMemory(t *testing.T) {
	s := newScript(t, 10, 10)
	for id := range uint32(20) {
		s.create(id+1, 200, 200)
	}
	s.check(s.w.Flush())
	_, err := Play(t.Context(), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s.b.Bytes())), nil },
		Options{Memory: 1 << 20, ClientEvery: 3})
	if !errors.Is(err, ErrMemory) {
		t.Errorf("error %v, want %v", err, ErrMemory)
	}
}

func TestBadRecording(t *testing.T) {
	s := example(t)
	s.check(s.w.Flush())
	cut := s.b.Bytes()[:s.b.Len()-30]
	var format *record.FormatError
	_, err := Play(t.Context(), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(cut)), nil }, Options{Memory: 1 << 20})
	if !errors.As(err, &format) {
		t.Errorf("a cut recording: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Play(ctx, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s.b.Bytes())), nil }, Options{Memory: 1 << 20})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
