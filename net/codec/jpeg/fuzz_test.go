package jpeg

import (
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/internal/testimage"
)

// FuzzDecode decodes any bytes with both engines.
func FuzzDecode(f *testing.F) {
	file := standard(f, testimage.Desktop(40, 30, 1), 40, 30, 50)
	f.Add(file)
	f.Add(withoutTables(file))
	own, err := NewPure().Encode(nil, NewImage(BGRX, 16, 16, true), [][]byte{make([]byte, 1024)}, 20)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	all := decoders()
	f.Fuzz(func(t *testing.T, file []byte) {
		w, h, err := ParseHeader(file)
		if err != nil || w*h > 1<<16 {
			return
		}
		im := NewImage(BGRX, w, h, true)
		dst := make([]byte, im.Size())
		for _, dec := range all {
			_ = dec.Decode(dst, im, file) // it is enough to come back
		}
	})
}

// FuzzEncode encodes any bytes as any image: the standard library must be able
// to read every file.
func FuzzEncode(f *testing.F) {
	f.Add(uint8(1), uint8(3), uint8(85), uint16(5), true, []byte("any bytes that make up an image of some lines"))
	all := engines()
	f.Fuzz(func(t *testing.T, format, width, quality uint8, cut uint16, topDown bool, pixels []byte) {
		im := NewImage(Format(format), int(width), 1, topDown)
		if im.Stride > 0 {
			im.Height = len(pixels) / im.Stride
		}
		at := min(int(cut), len(pixels))
		for name, enc := range all {
			file, err := enc.Encode(nil, im, [][]byte{pixels[:at], pixels[at:]}, int(quality))
			if err != nil {
				if im.Check() == nil {
					t.Fatal(err)
				}
				continue
			}
			if b := stdDecode(t, file).Bounds(); b.Dx() != im.Width || b.Dy() != im.Height {
				t.Fatalf("%s: %v, want %+v", name, b, im)
			}
		}
	})
}
