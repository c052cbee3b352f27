package encode

import (
	"cmp"
	"slices"
	"sync"

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

// Video encodes a stream's frames one after the other, from tight lines of 32-bit
// pixels, top line first.
type Video interface {
	Encode(dst, pix []byte) ([]byte, error)
}

// job is one image to be compressed into out, in one or more parts.
type job struct {
	src     *qxl.Image
	codec   Codec
	quality int   // of JPEG; 0: jpegQuality
	strips  int32 // that each pass over the image is divided into
	first   int32 // batch.tasks[first:first+parts] are the parts
	parts   int32 //
	video   Video // for CodecVideo
	out     *components.Encoded

	// For GLZ:
	slot   glz.Slot // the place in the client's dictionary
	client *Client
	hollow bool                // it is staged only if it is going to be encoded
	twin   *components.Encoded // of the same image, for another client's dictionary; or nil
}

// Strips are worth it from some size on: what each of them begins with, an
// empty table and a cold cache, is lost to the ratio. Their number depends on
// the image alone, so that streams do not depend on the machine.
const (
	stripBytes = 512 << 10 // least size of a strip
	maxStrips  = 16
)

// room is how many strips the image has room for.
func (j *job) room() int32 {
	if padded(j.src) {
		return 1
	}
	return int32(min(max(int(j.src.Stride)*int(j.src.Y)/stripBytes, 1), maxStrips))
}

// divide sets how many strips the image is encoded in, and returns the number
// of parts.
func (j *job) divide() int {
	j.strips = j.room()
	switch j.codec {
	case CodecLZ:
		return lz.Parts(lzImage(j.src), int(j.strips))
	case CodecGLZ:
		return j.slot.Parts(int(j.strips))
	case CodecZlibGLZ:
		if j.strips == 1 {
			return 1 // whatever its planes: the stream is deflated in one go
		}
		return j.slot.Parts(int(j.strips))
	case CodecLZ4:
		return int(j.strips)
	case CodecJPEG:
		return jpeg.Parts(jpegImage(j.src), int(j.strips))
	case CodecJPEGAlpha:
		return jpeg.AlphaParts(jpegImage(j.src), int(j.strips))
	}
	j.strips = 1
	return 1
}

// limit is the size that the result must not exceed: that of the raw image, but
// none where the raw image will not do.
func (j *job) limit() int {
	if mustCompress(j.src) || j.codec >= CodecGLZ {
		return 0
	}
	return j.src.Data.Size
}

// coder is one goroutine's encoders. Those with large tables are made when
// first used.
type coder struct {
	lz      lz.Encoder
	lz4     *lz4.Encoder
	quic    quic.Encoder
	jpeg    *jpeg.Encoder
	glz     *glz.Encoder
	deflate glz.Deflater
	lines   packer
}

// rooms are what coders write to. Encoders want room for the worst case, which is many
// times what they write as a rule; a result is kept in as much memory as it needs. The
// garbage collector takes unused rooms away.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// keepRoom is the largest room that is used again.
const keepRoom = 4 << 20

// run does a task. Its result is not OK if it would be larger than the raw image.
func (c *coder) run(t *task, j *job) {
	room := rooms.Get().(*[]byte)
	out, err := (*room)[:0], error(nil)
	switch {
	case j.codec < CodecGLZ:
		out, err = c.runAlone(out, j, int(t.part))
	case j.codec == CodecZlibGLZ && j.parts == 1:
		for part := range j.slot.Parts(1) {
			out = c.runGLZ(out, t, j, part)
		}
	default:
		out = c.runGLZ(out, t, j, int(t.part))
	}
	t.ok = err == nil
	c.store(t, j, out)
	if cap(out) <= keepRoom {
		*room = out
	}
	rooms.Put(room)
}

// store keeps what has been written of a task. Of a whole GLZ stream to be deflated it
// keeps the zlib stream where that is worth it, and sets Part to the size of the former;
// of one in parts it keeps both forms: which one is sent is seen when all are there.
func (c *coder) store(t *task, j *job, out []byte) {
	if j.parts > 1 {
		if t.data = append(t.data[:0], out...); j.codec == CodecZlibGLZ {
			_, t.zlib = c.deflate.DeflatePart(t.zlib.Blocks[:0], t.data, t.part == 0)
		}
		return
	}
	o := j.out
	if j.codec == CodecZlibGLZ {
		var smaller bool
		if o.Data, smaller = c.deflate.Deflate(o.Data[:0], out); smaller {
			o.Part = uint32(len(out))
			return
		}
	}
	o.Data = append(o.Data[:0], out...)
}

// runAlone compresses one part of an image behind dst, with a codec that refers to no
// other image.
func (c *coder) runAlone(dst []byte, j *job, part int) ([]byte, error) {
	im := j.src
	chunks := c.lines.pack(im)
	switch j.codec {
	case CodecLZ:
		c.lz.Limit = j.limit()
		return c.lz.EncodePart(dst, lzImage(im), chunks, part, int(j.strips))
	case CodecLZ4:
		if c.lz4 == nil {
			c.lz4 = new(lz4.Encoder)
		}
		c.lz4.Limit = j.limit()
		return c.lz4.EncodePart(dst, lzImage(im), chunks, part, int(j.strips))
	case CodecQUIC:
		c.quic.Limit = j.limit()
		return c.quic.Encode(dst, quicImage(im), im.Data.Chunks)
	case CodecJPEG:
		return c.jpegEncoder().EncodePart(dst, jpegImage(im), im.Data.Chunks, cmp.Or(j.quality, jpegQuality), part, int(j.strips))
	case CodecJPEGAlpha:
		return c.jpegEncoder().EncodeAlphaPart(dst, jpegImage(im), im.Data.Chunks, jpegQuality, part, int(j.strips))
	}
	return j.video.Encode(dst, im.Data.Chunks[0]) // CodecVideo
}

// stage copies one of so many parts of a GLZ image's pixels into the dictionary.
func (c *coder) stage(j *job, part, parts int) {
	c.glzEncoder().Stage(&j.slot, c.lines.pack(j.src), part, parts)
}

func (c *coder) jpegEncoder() *jpeg.Encoder {
	if c.jpeg == nil {
		c.jpeg = jpeg.New()
	}
	return c.jpeg
}

func (c *coder) glzEncoder() *glz.Encoder {
	if c.glz == nil {
		c.glz = new(glz.Encoder)
	}
	return c.glz
}

// runGLZ compresses one part of a GLZ stream.
func (c *coder) runGLZ(dst []byte, t *task, j *job, part int) []byte {
	dst = c.glzEncoder().EncodePart(dst, &j.slot, part, int(j.strips))
	t.back = max(t.back, c.glz.Back())
	return dst
}

// finish makes the result of the parts, which are all done.
func (j *job) finish(b *batch) {
	parts := b.tasks[j.first : j.first+j.parts]
	o := j.out
	size := len(o.Data)
	o.OK = true
	for i := range parts {
		size += len(parts[i].data)
		o.OK = o.OK && parts[i].ok
	}
	if limit := j.limit(); limit > 0 && size > limit {
		o.OK = false
	}
	if j.parts > 1 && o.OK {
		j.join(b, parts, size)
	}
	if j.codec >= CodecGLZ {
		j.client.adopted = 0
		o.Before = j.before(o.Before[:0], parts)
		j.slot.Release()
	}
}

// join puts the parts one after the other: size bytes, unless zlib makes them fewer.
func (j *job) join(b *batch, parts []task, size int) {
	o := j.out
	switch j.codec {
	case CodecZlibGLZ:
		b.zlib = b.zlib[:0]
		for i := range parts {
			b.zlib = append(b.zlib, parts[i].zlib)
		}
		var stream int
		if o.Data, stream = glz.JoinDeflated(o.Data, b.zlib); stream > 0 {
			o.Part = uint32(stream)
			return
		}
	case CodecJPEGAlpha:
		for i := range jpeg.Parts(jpegImage(j.src), int(j.strips)) {
			o.Part += uint32(len(parts[i].data))
		}
	}
	o.Data = slices.Grow(o.Data, size)
	for i := range parts {
		o.Data = append(o.Data, parts[i].data...)
	}
}

// maxBefore bounds how many images back a stream may refer that others adopt.
const maxBefore = 4096

// before appends the contents that the stream refers to.
func (j *job) before(dst []uint64, parts []task) []uint64 {
	back := 0
	for i := range parts {
		back = max(back, parts[i].back)
	}
	if back > maxBefore {
		return append(dst, glz.Unlike) // nobody follows that
	}
	return j.slot.Before(dst, back)
}

// adopt makes the stream of the twin the job's own, if it means the same to its
// client.
func (j *job) adopt() bool {
	if !j.twin.OK || !j.slot.Follows(j.twin.Before) {
		return false
	}
	j.client.adopted++
	o := j.out
	if o.OK, o.Part = true, j.twin.Part; o.Part == 0 {
		o.Data = j.slot.Adopt(o.Data[:0], j.twin.Data)
	} else {
		o.Data = j.slot.AdoptDeflated(o.Data[:0], j.twin.Data, int(o.Part))
	}
	j.slot.Release()
	return true
}

// packer takes the padding out of the lines of images.
type packer struct {
	buf   []byte
	chunk [1][]byte
}

// pack returns the bytes of an image without padding, in place if it has none.
// They are valid until the next call.
func (p *packer) pack(im *qxl.Image) [][]byte {
	if !padded(im) {
		return im.Data.Chunks
	}
	p.buf = p.buf[:0]
	line, stride := int(lineBytes(im)), int(im.Stride)
	at := 0 // in the line
	for _, c := range im.Data.Chunks {
		for len(c) > 0 {
			n := min(stride-at, len(c))
			p.buf = append(p.buf, c[:max(0, min(line-at, n))]...)
			c = c[n:]
			if at += n; at == stride {
				at = 0
			}
		}
	}
	p.chunk[0] = p.buf
	return p.chunk[:]
}

// lzImage describes an image, without padding, to the LZ family.
func lzImage(im *qxl.Image) lz.Image {
	t := lz.Type(im.Format)
	if im.Format == qxl.Bitmap8BitA {
		t = lz.A8
	}
	return lz.Image{
		Type: t, Width: int(im.X), Height: int(im.Y), Stride: int(lineBytes(im)),
		TopDown: im.BitFlags&qxl.BitmapTopDown != 0,
	}
}

func quicImage(im *qxl.Image) quic.Image {
	t := quic.RGB32
	switch im.Format {
	case qxl.Bitmap16Bit:
		t = quic.RGB16
	case qxl.Bitmap24Bit:
		t = quic.RGB24
	case qxl.BitmapRGBA:
		t = quic.RGBA
	}
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
