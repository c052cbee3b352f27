package picture

import (
	"bytes"
	_ "embed"
	"image"
	"image/png"
	"sync"
)

// glyphStrip is the printable ASCII characters of DejaVu Sans Mono as coverage,
// side by side: a row of small ones, and below it a row of large bold ones.
//
//go:embed glyphs.png
var glyphStrip []byte

// face is one row of the strip: all characters have the same size.
type face struct{ top, width, height int }

var (
	smallFace = face{0, 8, 16}
	largeFace = face{16, 11, 22}
)

var glyphs = sync.OnceValue(func() *image.Gray {
	img, err := png.Decode(bytes.NewReader(glyphStrip))
	if err != nil {
		panic(err) // the strip is part of the program
	}
	return img.(*image.Gray)
})

// write draws a text, its upper left corner at x, y, by asking put to mark
// pixels with a coverage of 1 to 255. Characters outside of ASCII are left out.
func (f face) write(x, y int, s string, put func(x, y int, coverage uint8)) {
	strip := glyphs()
	for _, c := range s {
		if c >= ' ' && c <= '~' {
			from := int(c-' ') * f.width
			for dy := range f.height {
				for dx := range f.width {
					if v := strip.GrayAt(from+dx, f.top+dy).Y; v > 0 {
						put(x+dx, y+dy, v)
					}
				}
			}
		}
		x += f.width
	}
}
