package quic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

// picture draws the images the vectors were made of, as 32-bit B,G,R,A pixels.
func picture(kind string, w, h int) []byte {
	pix := make([]byte, 0, 4*w*h)
	s := uint32(1)
	next := func() byte { s = s*1664525 + 1013904223; return byte(s >> 24) }
	colours := [4][4]byte{{0x10, 0x20, 0x30, 0}, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0xff}, {0x33, 0x66, 0xcc, 0x80}}
	for y := range h {
		for x := range w {
			var c [4]byte // R,G,B,A
			switch kind {
			case "noise":
				c[0], c[1], c[2], c[3] = next(), next(), next(), next()
			case "blocks":
				c = colours[(x/7^y/5)&3]
			case "gradient":
				c = [4]byte{byte(x * 255 / w), byte(y * 255 / h), byte(x + y), byte(3*x + y)}
			}
			pix = append(pix, c[2], c[1], c[0], c[3])
		}
	}
	return pix
}

// convert makes pixels of another type, without padding, of B,G,R,A pixels.
func convert(t Type, bgra []byte) []byte {
	var out []byte
	for ; len(bgra) > 0; bgra = bgra[4:] {
		b, g, r := bgra[0], bgra[1], bgra[2]
		switch t {
		case GRAY:
			out = append(out, g)
		case RGB16:
			v := uint16(r>>3)<<10 | uint16(g>>3)<<5 | uint16(b>>3) | 0x8000
			out = append(out, byte(v), byte(v>>8))
		default:
			out = append(out, bgra[:t.BytesPerPixel()]...)
		}
	}
	return out
}

// visible is what of pixels survives coding.
func visible(im Image, pixels []byte) []byte {
	out := make([]byte, 0, im.Size())
	size := im.lineSize()
	for y := range im.Height {
		if !im.TopDown {
			y = im.Height - 1 - y
		}
		line := bytes.Clone(pixels[y*im.Stride : y*im.Stride+size])
		for i := range line {
			if im.Type == RGB32 && i%4 == 3 {
				line[i] = 0
			}
			if im.Type == RGB16 && i%2 == 1 {
				line[i] &= 0x7f
			}
		}
		out = append(out, line...)
	}
	return out
}

// sums are streams the reference encoder makes: their length and the beginning
// of their SHA-256, for GRAY, RGB16, RGB24, RGB32 and RGBA.
var sums = []struct {
	kind string
	w, h int
	want [5]string
}{
	{"noise", 200, 150, [5]string{"30072 2e2242e9c25fb713", "56284 ae2191be7cc94f4e", "90088 1c1df84475921664", "90088 75f720192291296d", "120096 db04507ae9c636c9"}},
	{"blocks", 200, 150, [5]string{"9396 64228a617d60250a", "15628 c7598429a18b3916", "22280 7dec9b2caf8e25df", "22280 3ae33b4c04b4e387", "29380 3098e6b66d64bba9"}},
	{"gradient", 200, 150, [5]string{"412 7985a33038089960", "11344 2eb01bf611c1059c", "33712 d141363f7a4a1c41", "33712 c152d2fa44e851a0", "49216 acd80f2ab63dc23b"}},
	{"noise", 3000, 3, [5]string{"9036 8b3c5906940a4f8c", "16908 6bb136b8f8bab950", "27056 9e444bc677693818", "27056 d1518bc6cce3e333", "36064 e1b4d89daaf99c5c"}},
	{"blocks", 3000, 3, [5]string{"2884 6b0c0e1dd5ad2b02", "5480 1e4f1dc737397d39", "7732 aedbf810894af737", "7732 c0070589656c4bcd", "9988 4c1752f6d7632702"}},
	{"gradient", 3000, 3, [5]string{"420 d19724c352709820", "3616 2da7fea3d24ef57b", "11096 c68cbca56d4bb419", "11096 1bab267665176e9a", "15720 baa96739ba2ee24a"}},
}

// payloads are what follows the header in the streams of 5x4 images.
var payloads = map[string][5]string{
	"noise": {
		"000a803c881e1500051c55eec38a24d876c6cb8b00e0c62c00000000",
		"02b89ff103c07a22eb953d119ee5da908fccddbc106c30fd70cc802318b2fcd8055199708041a99600000000",
		"df7d3cf80a8f0a80000059749ec22115ae232999716939c0e0af3b54302ec1e3701c00003009b26abd212b1eaf12390e41af653e393a66f0cd3624620e6e6e5d0000008000000000",
		"df7d3cf80a8f0a80000059749ec22115ae232999716939c0e0af3b54302ec1e3701c00003009b26abd212b1eaf12390e41af653e393a66f0cd3624620e6e6e5d0000008000000000",
		"df7d3cf80a8f0a80000059749ec22115f0f20599236959d86939c0aeaf3b54712ec1e3e0f19b45300000d88fb26a701c2b1e3009390ebd214e3eaf12fc81e773f041afe562393a665dcd3624be0e6e6e18844f8e0000000000000000",
	},
	"blocks": {
		"828080c0e0fb461800000000",
		"420839a69f460a21fffdbb5d000000c000000000",
		"80e0c0a001818080442008014808f120ff7acee9000000c000000000",
		"80e0c0a001818080442008014808f120ff7acee9000000c000000000",
		"80e0c0a0018180804420080110ff802073fa8e84cffffa9e0000008000000000",
	},
	"gradient": {
		"0100f080000303b30c60606000000c0c00000000",
		"1f0020840070be9f14dbd8062d606c637b8c628fd8630b1800c41ea300000000",
		"008080809b271500dddccd056c000000a635302dba81e9063300686003d30d4c30ddc074a6190034ba81e90618986e6000000000",
		"008080809b271500dddccd056c000000a635302dba81e9063300686003d30d4c30ddc074a6190034ba81e90618986e6000000000",
		"008080809b271500dddccd05ba1b0600d80000004c6b605a7403d30d3313dac030cd0020d30d4c37d4c074030600999960ba8169a61b986e8099c90600000000",
	},
}

// runStream is the stream of a 12x3 RGB32 image, B,G,R 0a,14,1e and from
// column 9 on c8,64,32.
const runStream = "5155494300000000040000000c000000030000008094a8bc0281808084102108894424420b000064c011000002fe0200d1782102000018be1300001f2116105030dd2844003e000000ba260000000000"

func runPixels() []byte {
	var pix []byte
	for i := range 12 * 3 {
		if i%12 < 9 {
			pix = append(pix, 0x0a, 0x14, 0x1e, 0)
		} else {
			pix = append(pix, 0xc8, 0x64, 0x32, 0)
		}
	}
	return pix
}

// checkStream encodes pixels in all ways and decodes what it gets, and returns
// the stream.
func checkStream(t *testing.T, im Image, pixels []byte) []byte {
	t.Helper()
	stream := plainEncode(im, pixels)
	back, got, err := plainDecode(stream)
	want := visible(im, pixels)
	if err != nil || !bytes.Equal(got, want) || back.Width != im.Width || back.Height != im.Height {
		t.Fatalf("%+v: plain decoder: %v", im, err)
	}
	if fast, err := new(Encoder).Encode(nil, im, [][]byte{pixels}); err != nil || !bytes.Equal(fast, stream) {
		t.Fatalf("%+v: encoder: %v, %d bytes, plain %d", im, err, len(fast), len(stream))
	}
	decoded := make([]byte, len(want))
	if err := new(Decoder).Decode(decoded, back, stream); err != nil || !bytes.Equal(decoded, want) {
		t.Fatalf("%+v: decoder: %v", im, err)
	}
	return stream
}

func TestSums(t *testing.T) {
	for _, v := range sums {
		bgra := picture(v.kind, v.w, v.h)
		for i, want := range v.want {
			im := New(Type(i+1), v.w, v.h, true)
			stream := checkStream(t, im, convert(im.Type, bgra))
			sum := sha256.Sum256(stream)
			if got := fmt.Sprintf("%d %x", len(stream), sum[:8]); got != want {
				t.Errorf("%s %+v: %s, want %s", v.kind, im, got, want)
			}
		}
	}
}

func TestPayloads(t *testing.T) {
	for kind, want := range payloads {
		bgra := picture(kind, 5, 4)
		for i, want := range want {
			im := New(Type(i+1), 5, 4, true)
			stream := checkStream(t, im, convert(im.Type, bgra))
			if got := hex.EncodeToString(stream[headerSize:]); got != want {
				t.Errorf("%s type %d: %s, want %s", kind, im.Type, got, want)
			}
		}
	}
	stream := checkStream(t, New(RGB32, 12, 3, true), runPixels())
	if got := hex.EncodeToString(stream); got != runStream {
		t.Errorf("run: %s, want %s", got, runStream)
	}
}
