package interop

import (
	"fmt"
	"image"
	"math"
	"os"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
)

// truth is the screen of a recording after any number of its commands, as nothing but
// the canvas makes it. It knows recordings without off-screen surfaces.
type truth struct {
	t      *testing.T
	reader *record.Reader
	event  record.Event
	screen *canvas.Canvas
	at     int // commands of the display ring so far
}

func newTruth(t *testing.T, r row) *truth {
	t.Helper()
	file, err := os.Open(r.file())
	if err != nil {
		t.Fatal(err)
	}
	reader, err := record.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); file.Close() })
	return &truth{t: t, reader: reader}
}

// Surface implements canvas.Sources.
func (tr *truth) Surface(uint32) *canvas.Canvas { return nil }

// Decode implements canvas.Sources.
func (tr *truth) Decode(im *qxl.Image) (*canvas.Pixmap, error) {
	return nil, fmt.Errorf("image of type %d", im.Type)
}

// after goes on until so many commands have been executed.
func (tr *truth) after(commands int) {
	tr.t.Helper()
	for tr.at < commands {
		ev := &tr.event
		if err := tr.reader.Next(ev); err != nil {
			tr.t.Fatalf("after %d commands: %v", tr.at, err)
		}
		switch {
		case ev.Kind == record.Worker:
			if ev.HasPrimary {
				tr.screen = canvas.New(ev.Primary.Format, int(ev.Primary.Width), int(ev.Primary.Height))
			}
		case qxl.CommandType(ev.Type) == qxl.CommandDraw:
			if err := tr.screen.Draw(&ev.Drawable, tr); err != nil {
				tr.t.Fatal(err)
			}
			tr.at++
		case qxl.CommandType(ev.Type) != qxl.CommandCursor:
			tr.at++
		}
	}
}

// psnr compares a picture with the screen inside an area, in dB.
func (tr *truth) psnr(img *image.RGBA, area *regions.Region) float64 {
	sum, n := 0.0, 0
	for r := range area.Rects {
		for y := r.Top; y < r.Bottom; y++ {
			want, got := tr.screen.Row(int(y)), img.Pix[int(y)*img.Stride:]
			for x := int(r.Left); x < int(r.Right); x++ {
				for c := range 3 {
					d := float64(want[4*x+2-c]) - float64(got[4*x+c])
					sum += d * d
				}
			}
			n += 3 * int(r.Width())
		}
	}
	return 10 * math.Log10(255*255/max(sum/float64(n), 1e-9))
}
