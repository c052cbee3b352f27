package raster

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
)

// ErrCodec reports an image that the device cannot decode.
var ErrCodec = errors.New("no decoder for the guest's image")

// sources gives the canvas what drawables refer to.
type sources struct {
	r      *Raster
	quic   quic.Decoder
	stream []byte
}

// keepStream is the largest storage for a stream that is kept for the next one.
const keepStream = 1 << 20

// Surface returns another surface of the device.
func (s *sources) Surface(id uint32) *canvas.Canvas { return s.r.Canvas(id) }

// formats are the layouts in which QUIC images are decoded. A guest sends no
// grey ones, which clients do not take.
var formats = map[quic.Type]qxl.BitmapFormat{
	quic.RGB16: qxl.Bitmap16Bit, quic.RGB24: qxl.Bitmap24Bit, quic.RGB32: qxl.Bitmap32Bit, quic.RGBA: qxl.BitmapRGBA,
}

// Decode decodes what a guest has compressed itself: QUIC, and nothing else is
// defined. The picture has the size that the image's descriptor says, and so
// its memory is bounded by what commands may ask for.
func (s *sources) Decode(im *qxl.Image) (*canvas.Pixmap, error) {
	if im.Type != qxl.ImageQUIC {
		return nil, fmt.Errorf("%w: type %d", ErrCodec, im.Type)
	}
	s.stream = im.Data.AppendTo(s.stream[:0]) // a copy: the guest may change it
	defer func() {
		if cap(s.stream) > keepStream {
			s.stream = nil
		}
	}()
	h, err := quic.ParseHeader(s.stream)
	if err != nil {
		return nil, fmt.Errorf("decoding the guest's image: %w", err)
	}
	format, ok := formats[h.Type]
	if !ok || h.Width != int(im.Width) || h.Height != int(im.Height) {
		return nil, fmt.Errorf("%w: QUIC type %d, %dx%d in an image of %dx%d", ErrCodec, h.Type, h.Width, h.Height, im.Width, im.Height)
	}
	pix := make([]byte, h.Size())
	if err := s.quic.Decode(pix, h, s.stream); err != nil {
		return nil, fmt.Errorf("decoding the guest's image: %w", err)
	}
	return &canvas.Pixmap{Format: format, TopDown: true, Width: h.Width, Height: h.Height, Stride: h.Stride, Pix: pix}, nil
}
