package raster_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/raster"
)

// quicCopy draws an image that the guest has compressed.
func (r *rig) quicCopy(w, h uint32, pieces ...[]byte) {
	r.add(func(d *qxl.Drawable) {
		d.Type, d.BBox, d.Src = qxl.DrawCopy, regions.XYWH(0, 0, 4, 3), 0
		d.SrcArea = regions.XYWH(1, 2, 4, 3)
		im, _ := d.NewImage()
		im.Type, im.Width, im.Height = qxl.ImageQUIC, w, h
		for _, p := range pieces {
			im.Data.Append(p)
		}
	})
	r.raster.FlushAll()
}

// TestQUIC draws images of a guest whose driver compresses them, all types.
func TestQUIC(t *testing.T) {
	const w, h = 7, 6
	for typ, want := range map[quic.Type]func(x, y int) uint32{
		quic.RGB32: func(x, y int) uint32 { return uint32(x*30) | uint32(y*40)<<8 | uint32(x*y)<<16 },
		quic.RGBA:  func(x, y int) uint32 { return uint32(x*30) | uint32(y*40)<<8 | uint32(x*y)<<16 | 0x80000000 },
		quic.RGB24: func(x, y int) uint32 { return uint32(x*30) | uint32(y*40)<<8 | uint32(x*y)<<16 },
		quic.RGB16: func(x, y int) uint32 { return uint32(x*8|x*8>>5) | uint32(y*8|y*8>>5)<<8 },
	} {
		var pix []byte
		for y := range h {
			for x := range w {
				p := binary.LittleEndian.AppendUint32(nil, want(x, y))
				switch typ {
				case quic.RGB24:
					p = p[:3]
				case quic.RGB16:
					p = binary.LittleEndian.AppendUint16(nil, uint16(x|y<<5))
				}
				pix = append(pix, p...)
			}
		}
		stream, err := new(quic.Encoder).Encode(nil, quic.New(typ, w, h, true), [][]byte{pix})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t)
		r.quicCopy(w, h, stream[:30], stream[30:])
		for _, err := range r.failed {
			t.Errorf("type %d: %v", typ, err)
		}
		for y := range 3 {
			for x := range 4 {
				got := binary.LittleEndian.Uint32(r.raster.Read(nil, 0, regions.XYWH(int32(x), int32(y), 1, 1)))
				if want := want(x+1, y+2); got&0xffffff != want&0xffffff {
					t.Errorf("type %d: pixel (%d,%d) is %06x, want %06x", typ, x, y, got, want)
				}
			}
		}
	}
}

// TestBadQUIC has a guest send streams that are none, or not what it says.
func TestBadQUIC(t *testing.T) {
	good, err := new(quic.Encoder).Encode(nil, quic.New(quic.RGB32, 5, 5, true), [][]byte{make([]byte, 100)})
	if err != nil {
		t.Fatal(err)
	}
	grey, err := new(quic.Encoder).Encode(nil, quic.New(quic.GRAY, 5, 5, true), [][]byte{make([]byte, 25)})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		w, h   uint32
		stream []byte
		want   error
	}{
		"empty":      {5, 5, nil, quic.ErrCorrupt},
		"cut":        {5, 5, good[:24], quic.ErrCorrupt},
		"other size": {6, 5, good, raster.ErrCodec},
		"grey":       {5, 5, grey, raster.ErrCodec},
	} {
		r := newRig(t)
		r.quicCopy(tc.w, tc.h, tc.stream)
		if len(r.failed) != 1 || !errors.Is(r.failed[0], tc.want) {
			t.Errorf("%s: %v", name, r.failed)
		}
	}
}
