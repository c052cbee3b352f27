package encode

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// Form is what an image will look like on the wire: raw, from the client's
// cache, or compressed into Result, which holds it once the batch has run.
type Form struct {
	Codec  Codec
	Result ecs.Handle // Scene.Encoded, 0: none
	Type   qxl.ImageType
	Flags  uint8 // for the client's cache
	Own    bool  // Result belongs to this form alone
	Lossy  bool
	Cache  bool   // it is in the client's cache, or is going to be
	ID     uint64 // there
}

// Encoder collects the images of a tick and compresses them together. It
// belongs to a device worker.
type Encoder struct {
	scene *components.Scene
	pool  *Pool
	batch batch
}

// NewEncoder returns an encoder that uses pool.
func NewEncoder(scene *components.Scene, pool *Pool) *Encoder {
	return &Encoder{scene: scene, pool: pool}
}

// Drawable plans the form of image i of a drawable. Results that do not depend
// on the client are kept with the drawable for other clients.
func (e *Encoder) Drawable(c *Client, d *components.Drawable, i int, im *qxl.Image, lossy bool) Form {
	codec := c.choose(im, lossy, false)
	if codec >= CodecGLZ {
		return e.glz(c, codec, im)
	}
	if codec == CodecRaw {
		return Form{}
	}
	for h := d.Encoded; h != 0; {
		r := e.scene.Encoded.Get(h)
		if int(r.Image) == i && Codec(r.Codec) == codec {
			return Form{Codec: codec, Result: h, Lossy: codec.Lossy()}
		}
		h = r.Next
	}
	f := e.start(codec, im)
	r := e.scene.Encoded.Get(f.Result)
	r.Image, r.Next = int8(i), d.Encoded
	d.Encoded = f.Result
	return f
}

// Pixels plans the form of an image of the server's own.
func (e *Encoder) Pixels(c *Client, im *qxl.Image, lossy bool) Form {
	codec := c.choose(im, lossy, true)
	if codec == CodecRaw {
		return Form{}
	}
	f := e.start(codec, im)
	f.Own = true
	return f
}

// glz plans a GLZ image, which gets its place in the client's dictionary now:
// places are taken in the order in which the images will be sent.
func (e *Encoder) glz(c *Client, codec Codec, im *qxl.Image) Form {
	slot, err := c.Dictionary.Reserve(lzImage(im), im.Data.Chunks)
	if err != nil {
		f := e.start(CodecLZ, im)
		f.Own = true
		return f
	}
	f := e.start(codec, im)
	f.Own = true
	e.batch.jobs[len(e.batch.jobs)-1].slot = slot
	return f
}

func (e *Encoder) start(codec Codec, im *qxl.Image) Form {
	h, r, _ := e.scene.Encoded.Alloc()
	*r = components.Encoded{Codec: uint8(codec), Data: r.Data[:0]}
	e.batch.jobs = append(e.batch.jobs, job{src: im, codec: codec, out: r})
	return Form{Codec: codec, Result: h, Lossy: codec.Lossy()}
}

// Run compresses everything planned since the last time.
func (e *Encoder) Run() { e.pool.run(&e.batch) }

// Fill puts the wire form of src into dst, recycling its storage.
func (e *Encoder) Fill(dst, src *qxl.Image, f *Form) {
	Raw(dst, src)
	if f.Type != 0 {
		dst.Type = f.Type
		dst.Data.Reset()
		return
	}
	dst.Flags |= f.Flags
	r := e.scene.Encoded.Get(f.Result)
	if f.Result == 0 || !r.OK {
		return
	}
	dst.Type = f.Codec.wireType(src, r)
	dst.Width, dst.Height, dst.Part = src.X, src.Y, r.Part
	if dst.Type == qxl.ImageJPEGAlpha {
		dst.BitFlags = src.BitFlags & wire.BitmapTopDown >> 2 // its only flag, bit 0
	}
	dst.Data.Reset()
	dst.Data.Append(r.Data)
}
