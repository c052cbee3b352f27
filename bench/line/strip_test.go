package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// TestStrip reads the numbers of frames that went through JPEG of a very low
// quality, by the standard library.
func TestStrip(t *testing.T) {
	film := NewFilm(640, 360)
	for _, number := range []int{0, 1, 2, 100, 1365, 2730, maxFrames - 1} {
		p := film.Frame(number, nil)
		if got, ok := p.Number(); !ok || got != number {
			t.Errorf("frame %d is read as %d, %v", number, got, ok)
		}
		lossy := squeeze(t, p, 10)
		if got, ok := lossy.Number(); !ok || got != number {
			t.Errorf("frame %d is read as %d, %v after JPEG", number, got, ok)
		}
		if db := PSNR(p, lossy); db < 20 || db > 40 {
			t.Errorf("frame %d: %.1f dB after JPEG of quality 10", number, db)
		}
		if PSNR(p, p) != 99 {
			t.Error("a picture is not equal to itself")
		}
	}
}

// TestStripDamage has half of a picture be that of another frame: the older number
// counts. One that cannot be read is none.
func TestStripDamage(t *testing.T) {
	film := NewFilm(640, 360)
	p, older := film.Frame(40, nil), film.Frame(7, nil)
	copy(p.Data[len(p.Data)/2:], older.Data[len(p.Data)/2:])
	if got, ok := p.Number(); !ok || got != 7 {
		t.Errorf("the number is %d, %v", got, ok)
	}
	p.fill(3*square, 0, true)
	p.fill(2*square, 0, true)
	if got, ok := p.Number(); ok {
		t.Errorf("a damaged number is read as %d", got)
	}
}

func squeeze(t *testing.T, p Pix, quality int) Pix {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := 0; i < len(p.Data); i += 4 {
		img.SetRGBA(i/4%p.Width, i/4/p.Width, color.RGBA{p.Data[i+2], p.Data[i+1], p.Data[i], 255})
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	back, err := jpeg.Decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	out := Pix{p.Width, p.Height, make([]byte, len(p.Data))}
	for i := 0; i < len(out.Data); i += 4 {
		r, g, b, _ := back.At(i/4%p.Width, i/4/p.Width).RGBA()
		out.Data[i], out.Data[i+1], out.Data[i+2] = byte(b>>8), byte(g>>8), byte(r>>8)
	}
	return out
}
