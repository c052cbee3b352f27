package encode

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/codec/glz"
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
	lines packer
}

// NewEncoder returns an encoder that uses pool.
func NewEncoder(scene *components.Scene, pool *Pool) *Encoder {
	return &Encoder{scene: scene, pool: pool}
}

// Drawable plans the form of image i of a drawable. Results that do not depend
// on the client are kept with the drawable for other clients.
func (e *Encoder) Drawable(c *Client, d *components.Drawable, i int, im *qxl.Image, lossy bool) Form {
	codec := c.choose(im, lossy, false)
	if codec == CodecRaw || e.full() {
		return Form{}
	}
	if codec >= CodecGLZ {
		if f, ok := e.glz(c, codec, im); ok {
			return f
		}
		codec = CodecLZ
	}
	for h := d.Encoded; h != 0; {
		r := e.scene.Encoded.Get(h)
		if int(r.Image) == i && Codec(r.Codec) == codec {
			return Form{Codec: codec, Result: h, Lossy: codec.Lossy()}
		}
		h = r.Next
	}
	f := e.start(codec, im, glz.Slot{})
	r := e.scene.Encoded.Get(f.Result)
	r.Image, r.Next = int8(i), d.Encoded
	d.Encoded = f.Result
	return f
}

// Pixels plans the form of an image of the server's own.
func (e *Encoder) Pixels(c *Client, im *qxl.Image, lossy bool) Form {
	codec := c.choose(im, lossy, true)
	if codec == CodecRaw || e.full() {
		return Form{}
	}
	f := e.start(codec, im, glz.Slot{})
	f.Own = true
	return f
}

// full reports that there is no room for another result.
func (e *Encoder) full() bool { return e.scene.Encoded.Len() >= ecs.MaxSlots }

// glz plans a GLZ image, which gets its place in the client's dictionary now:
// places are taken in the order in which the images will be sent. It reports
// false if the dictionary has none.
func (e *Encoder) glz(c *Client, codec Codec, im *qxl.Image) (Form, bool) {
	slot, err := c.Dictionary.ReserveFor(int(c.Channel), lzImage(im), e.lines.pack(im))
	if err != nil {
		return Form{}, false
	}
	c.planned = slot.ID() + 1
	f := e.start(codec, im, slot)
	f.Own = true
	return f, true
}

func (e *Encoder) start(codec Codec, im *qxl.Image, slot glz.Slot) Form {
	h, r, _ := e.scene.Encoded.Alloc() // there is room: see full
	*r = components.Encoded{Codec: uint8(codec), Data: r.Data[:0]}
	e.batch.add(codec, im, r, slot)
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
	if f.Result == 0 {
		return
	}
	r := e.scene.Encoded.Get(f.Result)
	if !r.OK {
		return
	}
	dst.Type = f.Codec.wireType(src, r)
	dst.Part = r.Part
	if dst.Type == qxl.ImageJPEGAlpha {
		dst.BitFlags = src.BitFlags & wire.BitmapTopDown >> 2 // its only flag, bit 0
	}
	dst.Data.Reset()
	dst.Data.Append(r.Data)
}
