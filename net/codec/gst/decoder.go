package gst

import (
	"fmt"
	"strings"
)

// Picture is a decoded frame: B,G,R,x without padding, top line first.
type Picture struct {
	Width, Height int
	Pix           []byte // valid until the next one is decoded
}

// Decoder is a running decoder.
type Decoder struct {
	*pipeline
	pix []byte
}

// NewDecoder starts a decoder. Load must have returned.
func NewDecoder(c Codec) (*Decoder, error) {
	err := fmt.Errorf("decoder of codec %d: %w", c, ErrMissing)
	for _, d := range decoders[c] {
		var decoder *Decoder
		if decoder, err = d.start(); err == nil {
			return decoder, nil
		}
	}
	return nil, err
}

func (d decoder) start() (*Decoder, error) {
	p, err := start(d.name(), d.launch(), "")
	if err != nil {
		return nil, err
	}
	return &Decoder{pipeline: p}, nil
}

// Decodes returns nil if there is a decoder of a codec.
func Decodes(c Codec) error {
	err := fmt.Errorf("decoder of codec %d: %w", c, ErrMissing)
	for _, d := range decoders[c] {
		if err = find(d.name()); err == nil {
			return nil
		}
	}
	return err
}

// Decode decodes the next frame, to a picture of so many pixels at most.
func (d *Decoder) Decode(frame []byte, limit int) (p Picture, err error) {
	if len(frame) == 0 {
		return p, fmt.Errorf("%w: the frame is empty", ErrDecode)
	}
	if err := d.push(frame); err != nil {
		return p, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	var of size
	if d.pix, of, err = d.pull(d.pix[:0], 4*limit); err != nil {
		return p, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	p = Picture{of.width, of.height, d.pix}
	if p.Width < 1 || p.Height < 1 || len(p.Pix) != 4*p.Width*p.Height {
		return p, fmt.Errorf("%w: %d bytes for %dx%d pixels", ErrDecode, len(p.Pix), p.Width, p.Height)
	}
	return p, nil
}

// name is the factory's, without settings.
func (d decoder) name() string {
	name, _, _ := strings.Cut(d.factory, " ")
	return name
}
