package main

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/qxl"
)

// errDifferent reports a codec that does not give back what it was given.
var errDifferent = errors.New("what was decoded is not what was encoded")

// contender is a codec. encode appends the stream of a picture to dst; decode
// fills dst, which has the size of what the codec decodes to, and returns it.
type contender struct {
	name   string
	lossy  bool
	reset  func() error // begins a new sequence of pictures, for codecs that look back
	encode func(dst []byte, p *bitmap) ([]byte, error)
	decode func(dst, stream []byte, p *bitmap) ([]byte, error)
}

// codecQuality is that of JPEG images on the wire.
const codecQuality = 85

// codecWindow is a usual GLZ window of clients, in pixels.
const codecWindow = 4 << 20

// contenders lists the codecs.
func contenders() []contender {
	all := []contender{quicContender(), lzContender(), lz4Contender(), glzContender("glz", false), glzContender("zlib_glz", true)}
	if enc := jpeg.New(); enc.Turbo() {
		all = append(all, jpegContender("jpeg, libjpeg-turbo", enc, jpeg.NewDecoder()))
	}
	return append(all, jpegContender("jpeg, pure Go", jpeg.NewPure(), jpeg.NewPureDecoder()))
}

func (p *bitmap) lz() pixel.Image { return pixel.New(pixel.Type(p.format), p.width, p.height, true) }

func quicContender() contender {
	var enc quic.Encoder
	var dec quic.Decoder
	types := map[qxl.BitmapFormat]quic.Type{
		qxl.Bitmap16Bit: quic.RGB16, qxl.Bitmap24Bit: quic.RGB24, qxl.Bitmap32Bit: quic.RGB32, qxl.BitmapRGBA: quic.RGBA,
	}
	image := func(p *bitmap) quic.Image { return quic.New(types[p.format], p.width, p.height, true) }
	return contender{
		name: "quic",
		encode: func(dst []byte, p *bitmap) ([]byte, error) {
			return enc.Encode(dst, image(p), [][]byte{p.pix})
		},
		decode: func(dst, stream []byte, p *bitmap) ([]byte, error) { return dst, dec.Decode(dst, image(p), stream) },
	}
}

func lzContender() contender {
	var enc lz.Encoder
	return contender{
		name:   "lz",
		encode: func(dst []byte, p *bitmap) ([]byte, error) { return enc.Encode(dst, p.lz(), [][]byte{p.pix}) },
		decode: func(dst, stream []byte, _ *bitmap) ([]byte, error) {
			_, err := lz.Decode(dst, stream)
			return dst, err
		},
	}
}

func lz4Contender() contender {
	var enc lz4.Encoder
	return contender{
		name:   "lz4",
		encode: func(dst []byte, p *bitmap) ([]byte, error) { return enc.Encode(dst, p.lz(), [][]byte{p.pix}) },
		decode: func(dst, stream []byte, _ *bitmap) ([]byte, error) { return dst, lz4.Decode(dst, stream) },
	}
}

// glzContender's stream begins with a byte that tells whether it is deflated, and
// if so four bytes with its size before.
func glzContender(name string, deflate bool) contender {
	var (
		enc      glz.Encoder
		deflater glz.Deflater
		inflater glz.Inflater
		dict     *glz.Dictionary
		window   *glz.Window
		plain    []byte
	)
	return contender{
		name: name,
		reset: func() error {
			dict, window = glz.NewDictionary(codecWindow, 0), glz.NewWindow(2*codecWindow)
			// The dictionary gets its memory with the first image, once in the
			// life of a client.
			first, _, err := enc.Encode(nil, dict, pixel.New(pixel.RGB32, 1, 1, true), [][]byte{make([]byte, 4)})
			if err == nil {
				_, err = window.Decode(first)
			}
			return err
		},
		encode: func(dst []byte, p *bitmap) (_ []byte, err error) {
			if plain, _, err = enc.Encode(plain[:0], dict, p.lz(), [][]byte{p.pix}); err != nil {
				return dst, err
			}
			if deflate {
				n := len(plain)
				if out, ok := deflater.Deflate(append(dst, 1, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)), plain); ok {
					return out, nil
				}
			}
			return append(append(dst, 0), plain...), nil
		},
		decode: func(dst, stream []byte, p *bitmap) ([]byte, error) {
			packed := stream[0] == 1
			if stream = stream[1:]; packed {
				n := int(stream[0]) | int(stream[1])<<8 | int(stream[2])<<16 | int(stream[3])<<24
				plain = slices.Grow(plain[:0], n)[:n]
				if err := inflater.Inflate(plain, stream[4:]); err != nil {
					return nil, err
				}
				stream = plain
			}
			out, err := window.Decode(stream)
			if err != nil {
				return nil, err
			}
			return out.Pix, nil
		},
	}
}

func jpegContender(name string, enc *jpeg.Encoder, dec *jpeg.Decoder) contender {
	formats := map[qxl.BitmapFormat]jpeg.Format{
		qxl.Bitmap16Bit: jpeg.RGB16, qxl.Bitmap24Bit: jpeg.BGR, qxl.Bitmap32Bit: jpeg.BGRX, qxl.BitmapRGBA: jpeg.BGRX,
	}
	return contender{
		name: name, lossy: true,
		encode: func(dst []byte, p *bitmap) ([]byte, error) {
			return enc.Encode(dst, jpeg.NewImage(formats[p.format], p.width, p.height, true), [][]byte{p.pix}, codecQuality)
		},
		decode: func(dst, stream []byte, p *bitmap) ([]byte, error) {
			im := jpeg.NewImage(jpeg.BGRX, p.width, p.height, true)
			dst = slices.Grow(dst[:0], im.Size())[:im.Size()]
			return dst, dec.Decode(dst, im, stream)
		},
	}
}

// measure lets a codec go over all pictures some times; the best time counts.
// progress is told the bytes done.
func (x *contender) measure(ctx context.Context, a *album, repeats int, progress func(int64)) (codecResult, error) {
	r := codecResult{Name: x.name}
	var encode, decode time.Duration
	var stream, pix []byte
	for round := range repeats {
		if x.reset != nil {
			if err := x.reset(); err != nil {
				return r, err
			}
		}
		var e, d time.Duration
		loss := difference{}
		r.Bytes = 0
		for i := range a.pictures {
			if ctx.Err() != nil {
				return r, context.Cause(ctx)
			}
			p := &a.pictures[i]
			var err error
			begin := time.Now()
			if stream, err = x.encode(stream[:0], p); err != nil {
				return r, err
			}
			middle := time.Now()
			pix = slices.Grow(pix[:0], len(p.pix))[:len(p.pix)]
			out, err := x.decode(pix, stream, p)
			if err != nil {
				return r, err
			}
			e, d = e+middle.Sub(begin), d+time.Since(middle)
			r.Bytes += int64(len(stream))
			if round == 0 {
				if same := loss.add(p, out); !same && !x.lossy {
					return r, errDifferent
				}
			}
			progress(int64(len(p.pix)))
		}
		if round == 0 && x.lossy {
			r.PSNR = loss.psnr()
		}
		if round == 0 || e < encode {
			encode = e
		}
		if round == 0 || d < decode {
			decode = d
		}
	}
	r.Ratio = float64(a.bytes) / float64(r.Bytes)
	r.Encode = float64(a.bytes) / 1e6 / max(encode, 1).Seconds()
	r.Decode = float64(a.bytes) / 1e6 / max(decode, 1).Seconds()
	return r, nil
}

// difference is how far pictures are from what they should be.
type difference struct {
	sum float64
	n   int64
}

// add compares what was decoded, in the picture's own format or in 32 bits, and
// reports whether it is the same.
func (d *difference) add(p *bitmap, got []byte) bool {
	if len(got) == len(p.pix) && bytes.Equal(got, p.pix) {
		d.n += 3 * int64(p.width) * int64(p.height)
		return true
	}
	before := d.sum
	for i := range p.width * p.height {
		a, b := p.colours(i), [4]byte(got[4*i:4*i+4])
		for k := range 3 {
			e := float64(a[k]) - float64(b[k])
			d.sum += e * e
		}
	}
	d.n += 3 * int64(p.width) * int64(p.height)
	return d.sum == before
}

// colours is the blue, green and red of a pixel.
func (p *bitmap) colours(i int) (c [3]byte) {
	switch p.format {
	case qxl.Bitmap16Bit:
		v := uint(p.pix[2*i]) | uint(p.pix[2*i+1])<<8
		for k := range 3 {
			five := v >> (5 * k) & 31
			c[k] = byte(five<<3 | five>>2)
		}
	case qxl.Bitmap24Bit:
		copy(c[:], p.pix[3*i:])
	default:
		copy(c[:], p.pix[4*i:])
	}
	return c
}

// most is the PSNR that no difference at all counts as, in dB.
const most = 99

func (d *difference) psnr() float64 {
	if d.sum == 0 {
		return most
	}
	return min(10*math.Log10(255*255/(d.sum/float64(d.n))), most)
}
