package encode

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/qxl"
)

// jpegQuality is that of images; videos choose their own.
const jpegQuality = 85

// job is one image to be compressed into out.
type job struct {
	src   *qxl.Image
	codec Codec
	slot  glz.Slot // for GLZ: the place in the client's dictionary
	out   *components.Encoded
}

// coder is one worker's encoders. They are made when first used.
type coder struct {
	lz      lz.Encoder
	lz4     *lz4.Encoder
	quic    quic.Encoder
	jpeg    *jpeg.Encoder
	glz     *glz.Encoder
	deflate glz.Deflater
	scratch []byte
}

// run compresses. A result larger than the raw image is none, except for GLZ,
// which has to be sent since later images may refer to it.
func (c *coder) run(j *job) {
	o, im := j.out, j.src
	o.OK, o.Part = false, 0
	limit := im.Data.Size
	var err error
	switch j.codec {
	case CodecLZ:
		if c.lz.Limit = limit; mustCompress(im) {
			c.lz.Limit = 0
		}
		o.Data, err = c.lz.Encode(o.Data[:0], lzImage(im), im.Data.Chunks)
	case CodecLZ4:
		if c.lz4 == nil {
			c.lz4 = new(lz4.Encoder)
		}
		c.lz4.Limit = limit
		o.Data, err = c.lz4.Encode(o.Data[:0], lzImage(im), im.Data.Chunks)
	case CodecQUIC:
		c.quic.Limit = limit
		o.Data, err = c.quic.Encode(o.Data[:0], quicImage(im), im.Data.Chunks)
	case CodecJPEG, CodecJPEGAlpha:
		err = c.runJPEG(j)
		if err == nil && len(o.Data) > limit {
			return
		}
	case CodecGLZ, CodecZlibGLZ:
		c.runGLZ(j)
	}
	o.OK = err == nil
}

func (c *coder) runJPEG(j *job) (err error) {
	if c.jpeg == nil {
		c.jpeg = jpeg.New()
	}
	o, im := j.out, jpegImage(j.src)
	if j.codec == CodecJPEG {
		o.Data, err = c.jpeg.Encode(o.Data[:0], im, j.src.Data.Chunks, jpegQuality)
		return err
	}
	var part int
	o.Data, part, err = c.jpeg.EncodeAlpha(o.Data[:0], im, j.src.Data.Chunks, jpegQuality)
	o.Part = uint32(part)
	return err
}

// runGLZ sets Part, to the size of the GLZ stream, where zlib was worth it.
func (c *coder) runGLZ(j *job) {
	if c.glz == nil {
		c.glz = new(glz.Encoder)
	}
	if j.codec == CodecGLZ {
		j.out.Data = c.glz.EncodeSlot(j.out.Data[:0], &j.slot)
		return
	}
	c.scratch = c.glz.EncodeSlot(c.scratch[:0], &j.slot)
	var smaller bool
	if j.out.Data, smaller = c.deflate.Deflate(j.out.Data[:0], c.scratch); smaller {
		j.out.Part = uint32(len(c.scratch))
		return
	}
	j.out.Data = append(j.out.Data[:0], c.scratch...)
}

func lzImage(im *qxl.Image) lz.Image {
	t := lz.Type(im.Format)
	if im.Format == qxl.Bitmap8BitA {
		t = lz.A8
	}
	return lz.Image{
		Type: t, Width: int(im.X), Height: int(im.Y), Stride: int(im.Stride),
		TopDown: im.BitFlags&qxl.BitmapTopDown != 0,
	}
}

func quicImage(im *qxl.Image) quic.Image {
	t := map[qxl.BitmapFormat]quic.Type{
		qxl.Bitmap16Bit: quic.RGB16, qxl.Bitmap24Bit: quic.RGB24, qxl.Bitmap32Bit: quic.RGB32, qxl.BitmapRGBA: quic.RGBA,
	}[im.Format]
	return quic.Image{
		Type: t, Width: int(im.X), Height: int(im.Y), Stride: int(im.Stride),
		TopDown: im.BitFlags&qxl.BitmapTopDown != 0,
	}
}

func jpegImage(im *qxl.Image) jpeg.Image {
	f := jpeg.BGRX
	switch im.Format {
	case qxl.Bitmap16Bit:
		f = jpeg.RGB16
	case qxl.Bitmap24Bit:
		f = jpeg.BGR
	}
	return jpeg.Image{
		Format: f, Width: int(im.X), Height: int(im.Y), Stride: int(im.Stride),
		TopDown: im.BitFlags&qxl.BitmapTopDown != 0,
	}
}

// wireType is the image type of a result.
func (c Codec) wireType(im *qxl.Image, e *components.Encoded) qxl.ImageType {
	switch c {
	case CodecQUIC:
		return qxl.ImageQUIC
	case CodecLZ:
		if im.Format.Indexed() {
			return qxl.ImageLZPalette
		}
		return qxl.ImageLZRGB
	case CodecLZ4:
		return qxl.ImageLZ4
	case CodecJPEG:
		return qxl.ImageJPEG
	case CodecJPEGAlpha:
		return qxl.ImageJPEGAlpha
	case CodecZlibGLZ:
		if e.Part != 0 {
			return qxl.ImageZlibGLZRGB
		}
	}
	return qxl.ImageGLZRGB
}
