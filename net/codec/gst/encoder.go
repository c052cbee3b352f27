package gst

import "fmt"

// Encoder is a running encoder.
type Encoder struct {
	*pipeline
	element element
	format  Format
}

// NewEncoder starts an encoder. Load must have returned.
func NewEncoder(c Codec, f Format) (*Encoder, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	err := fmt.Errorf("encoder of codec %d: %w", c, ErrMissing)
	for _, e := range encoders[c] {
		var encoder *Encoder
		if encoder, err = e.start(f); err == nil {
			return encoder, nil
		}
	}
	return nil, err
}

func (e element) start(f Format) (*Encoder, error) {
	if e.odd == "" && f.odd() {
		return nil, fmt.Errorf("GStreamer's %s: %w for %dx%d pixels", e.factory, ErrMissing, f.Width, f.Height)
	}
	p, err := start(e.factory, e.launch(f), "enc")
	if err != nil {
		return nil, err
	}
	return &Encoder{p, e, f}, nil
}

// Format is what the encoder was made for, with the present bit rate.
func (e *Encoder) Format() Format { return e.format }

// SetBitRate changes how much the encoder produces, in bits a second.
func (e *Encoder) SetBitRate(bits int) {
	e.set(e.element.rate, bits/e.element.unit)
	e.format.BitRate = bits
}

// Encode appends the compressed frame of the pixels to dst. Pixels that change
// meanwhile do no harm.
func (e *Encoder) Encode(dst, pix []byte) ([]byte, error) {
	if len(pix) != 4*e.format.Width*e.format.Height {
		return dst, fmt.Errorf("%w: %d bytes for %dx%d pixels", ErrEncode, len(pix), e.format.Width, e.format.Height)
	}
	if err := e.push(pix); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrEncode, err)
	}
	dst, _, err := e.pull(dst, maxFrame)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrEncode, err)
	}
	return dst, nil
}
