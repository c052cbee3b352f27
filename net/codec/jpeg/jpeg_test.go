package jpeg

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/internal/testimage"
)

// toRGBA makes a standard image of 32-bit pixels, top line first.
func toRGBA(bgrx []byte, w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < 4*w*h; i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = bgrx[i+2], bgrx[i+1], bgrx[i], 0xff
	}
	return m
}

// psnr compares 32-bit pixels with a decoded image, in dB.
func psnr(bgrx []byte, m image.Image) float64 {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	var sum float64
	for y := range h {
		for x := range w {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			p := bgrx[4*(y*w+x):]
			for k, v := range [3]uint8{c.B, c.G, c.R} {
				d := float64(v) - float64(p[k])
				sum += d * d
			}
		}
	}
	return 10 * math.Log10(255*255/(sum/float64(3*w*h)+1e-9))
}

func TestX(t *testing.T) {
	for _, q := range []int{20, 50, 80, 85, 95, 100} {
		for i, pix := range [][]byte{testimage.Desktop(333, 207, 1), testimage.Photo(333, 207, 1)} {
			im := NewImage(BGRX, 333, 207, true)
			out, err := NewPure().Encode(nil, im, [][]byte{pix}, q)
			if err != nil {
				t.Fatal(err)
			}
			m, err := stdjpeg.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			stdjpeg.Encode(&b, toRGBA(pix, 333, 207), &stdjpeg.Options{Quality: q})
			n2 := b.Len()
			m2, _ := stdjpeg.Decode(&b)
			t.Log(i, q, len(out), psnr(pix, m), n2, psnr(pix, m2))
		}
	}
}
