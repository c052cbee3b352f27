package encode

import (
	"errors"
	"sync/atomic"

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
}

// NewEncoder returns an encoder that uses pool.
func NewEncoder(scene *components.Scene, pool *Pool) *Encoder {
	return &Encoder{scene: scene, pool: pool}
}

// Drawable plans the form of image i of a drawable. Results that do not depend
// on the client are kept with the drawable for other clients.
func (e *Encoder) Drawable(c *Client, d *components.Drawable, i int, im *qxl.Image, lossy bool) Form {
	codec := c.choose(look{im, &d.Looks, lookBits * uint(i)}, lossy, false)
	if codec == CodecRaw || e.full() {
		return Form{}
	}
	if codec >= CodecGLZ {
		if f, ok := e.glz(c, d, i, codec, im); ok {
			return f
		}
		codec = CodecLZ
	}
	if h, _ := e.kept(d, i, codec); h != 0 {
		return Form{Codec: codec, Result: h, Lossy: codec.Lossy()}
	}
	f := e.start(job{src: im, codec: codec})
	e.keep(d, i, f.Result)
	return f
}

// kept finds a result that is kept with a drawable.
func (e *Encoder) kept(d *components.Drawable, i int, codec Codec) (ecs.Handle, *components.Encoded) {
	for h := d.Encoded; h != 0; {
		r := e.scene.Encoded.Get(h)
		if int(r.Image) == i && Codec(r.Codec) == codec {
			return h, r
		}
		h = r.Next
	}
	return 0, nil
}

// keep has a drawable keep a result.
func (e *Encoder) keep(d *components.Drawable, i int, h ecs.Handle) {
	r := e.scene.Encoded.Get(h)
	r.Image, r.Next = int8(i), d.Encoded
	d.Encoded = h
}

// Pixels plans the form of an image of the server's own.
func (e *Encoder) Pixels(c *Client, im *qxl.Image, lossy bool) Form {
	codec := c.choose(look{im: im}, lossy, true)
	if codec == CodecRaw || e.full() {
		return Form{}
	}
	if codec >= CodecGLZ {
		if f, ok := e.glz(c, nil, 0, codec, im); ok {
			return f
		}
		codec = CodecLZ
	}
	f := e.start(job{src: im, codec: codec})
	f.Own = true
	return f
}

// Frame plans a frame of a video: the next one of its encoder, or where that is nil
// a JPEG file of a quality of 1 to 100.
func (e *Encoder) Frame(im *qxl.Image, quality int, video Video) Form {
	if e.full() {
		return Form{}
	}
	j := job{src: im, codec: CodecJPEG, quality: quality, video: video}
	if video != nil {
		j.codec = CodecVideo
	}
	f := e.start(j)
	f.Own = true
	return f
}

// Share is the form of a frame that has been planned, or compressed, for somebody
// else as well.
func (e *Encoder) Share(result ecs.Handle) Form {
	r := e.scene.Encoded.Get(result)
	r.Uses++
	return Form{Codec: Codec(r.Codec), Result: result, Own: true}
}

// Data is the compressed data of a form, nil if there is none.
func (e *Encoder) Data(f *Form) []byte {
	if f.Result == 0 {
		return nil
	}
	if r := e.scene.Encoded.Get(f.Result); r.OK {
		return r.Data
	}
	return nil
}

// full reports that there is no room for another result.
func (e *Encoder) full() bool { return e.scene.Encoded.Len() >= ecs.MaxSlots }

// glz plans a GLZ image, which gets its place in the client's dictionary now:
// places are taken in the order in which the images will be sent. It reports
// false if the dictionary has none, even when what was planned has been compressed.
//
// The drawable, if there is one, keeps the result of the first client. Others adopt
// the stream if they have been sent what it refers to.
func (e *Encoder) glz(c *Client, d *components.Drawable, i int, codec Codec, im *qxl.Image) (Form, bool) {
	content := contents.Add(1)
	var twin *components.Encoded
	if d != nil {
		if _, twin = e.kept(d, i, codec); twin != nil {
			content = twin.Content
		}
	}
	hollow := twin != nil && c.adopted >= manyAdopted
	slot, err := c.Dictionary.Reserve(int(c.Channel), content, lzImage(im), hollow)
	if errors.Is(err, glz.ErrBusy) {
		// What has been planned so far is in the way.
		e.Run()
		slot, err = c.Dictionary.Reserve(int(c.Channel), content, lzImage(im), hollow)
	}
	if err != nil {
		return Form{}, false
	}
	c.planned = slot.ID() + 1
	f := e.start(job{src: im, codec: codec, slot: slot, client: c, twin: twin, hollow: hollow})
	e.scene.Encoded.Get(f.Result).Content = content
	if f.Own = twin != nil || d == nil; !f.Own {
		e.keep(d, i, f.Result)
	}
	return f, true
}

// manyAdopted is after how many streams of others in a row a client is thought to go
// on like them: its dictionary is spared the pixels of what it shares. If it then
// differs, its streams begin as with a new client.
const manyAdopted = 256

// contents numbers the images in GLZ dictionaries, of all devices.
var contents atomic.Uint64

// start adds a job, and makes room for its result.
func (e *Encoder) start(j job) Form {
	h, r, _ := e.scene.Encoded.Alloc() // there is room: see full
	*r = components.Encoded{Codec: uint8(j.codec), Data: r.Data[:0], Before: r.Before[:0]}
	j.out = r
	e.batch.add(j)
	return Form{Codec: j.codec, Result: h, Lossy: j.codec.Lossy()}
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
