package client

import (
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/net/codec/gst"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// videoDecoder turns the frames of one stream, in their order, into bitmaps of 32-bit
// pixels.
type videoDecoder interface {
	decode(d *Display, im *pending, data []byte, topDown bool) error
	close()
}

// videoCaps are the capabilities of clients that decode GStreamer's codecs.
var videoCaps = map[gst.Codec]int{
	gst.VP8: wire.CapDisplayCodecVP8, gst.H264: wire.CapDisplayCodecH264,
	gst.VP9: wire.CapDisplayCodecVP9, gst.H265: wire.CapDisplayCodecH265,
}

// gstreamerCaps are those of what GStreamer decodes here.
func gstreamerCaps() (caps []int) {
	if gst.Load() != nil {
		return nil
	}
	for codec, c := range videoCaps {
		if gst.Decodes(codec) == nil {
			caps = append(caps, c)
		}
	}
	return caps
}

func (d *Display) newVideoDecoder(video uint8) (videoDecoder, error) {
	if video == wire.VideoMJPEG {
		return mjpeg{jpeg.NewPureDecoder()}, nil
	}
	codec := gst.Codec(video)
	if c, known := videoCaps[codec]; !known || !d.session.opts.Caps.Has(c) {
		return nil, fmt.Errorf("video codec %d was not announced: %w", video, ErrStream)
	}
	dec, err := gst.NewDecoder(codec)
	return gstreamer{dec}, err
}

// mjpeg remembers the tables that later frames leave out.
type mjpeg struct{ decoder *jpeg.Decoder }

func (m mjpeg) decode(d *Display, im *pending, data []byte, topDown bool) error {
	pic, err := jpegPicture(data, d.session.opts.Limits.Image, true)
	if err != nil {
		return err
	}
	im.Width, im.Height = uint32(pic.Width), uint32(pic.Height)
	pix := d.buffer(im, pic.Size())
	if err := m.decoder.Decode(pix, pic, data); err != nil {
		return err
	}
	im.bitmap(qxl.Bitmap32Bit, topDown, pic.Stride, pix)
	return nil
}

func (mjpeg) close() {}

type gstreamer struct{ decoder *gst.Decoder }

func (g gstreamer) decode(d *Display, im *pending, data []byte, topDown bool) error {
	pic, err := g.decoder.Decode(data, d.session.opts.Limits.Image)
	if err != nil {
		return err
	}
	if im.keep { // the decoder writes the next picture over this one
		pic.Pix = slices.Clone(pic.Pix)
	}
	im.Width, im.Height = uint32(pic.Width), uint32(pic.Height)
	im.bitmap(qxl.Bitmap32Bit, topDown, 4*pic.Width, pic.Pix)
	return nil
}

func (g gstreamer) close() { g.decoder.Close() }
