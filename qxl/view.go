package qxl

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/regions"
)

// view is a copied structure: packed, little endian, fields by byte offset.
// Its length is fixed by whoever copied it, never by the guest.
type view []byte

func (v view) u8(at int) uint8   { return v[at] }
func (v view) u16(at int) uint16 { return binary.LittleEndian.Uint16(v[at:]) }
func (v view) u32(at int) uint32 { return binary.LittleEndian.Uint32(v[at:]) }
func (v view) u64(at int) uint64 { return binary.LittleEndian.Uint64(v[at:]) }
func (v view) i16(at int) int16  { return int16(v.u16(at)) }
func (v view) i32(at int) int32  { return int32(v.u32(at)) }
func (v view) phys(at int) PHYS  { return PHYS(v.u64(at)) }

// rect reads four i32: top, left, bottom, right.
func (v view) rect(at int) regions.Rect {
	return regions.Rect{Top: v.i32(at), Left: v.i32(at + 4), Bottom: v.i32(at + 8), Right: v.i32(at + 12)}
}

// point reads two i32: x, y.
func (v view) point(at int) regions.Point {
	return regions.Point{X: v.i32(at), Y: v.i32(at + 4)}
}

// point16 reads two i16: x, y.
func (v view) point16(at int) regions.Point {
	return regions.Point{X: int32(v.i16(at)), Y: int32(v.i16(at + 2))}
}

// ordered reports whether r is not reversed and has no negative edge. Its
// width and height then fit an int32.
func ordered(r regions.Rect) bool {
	return r.Left >= 0 && r.Top >= 0 && r.Left <= r.Right && r.Top <= r.Bottom
}

// expand555 widens x1r5g5b5 to x8r8g8b8 by bit replication.
func expand555(c uint32) uint32 {
	widen := func(v uint32) uint32 { v &= 0x1f; return v<<3 | v>>2 }
	return widen(c>>10)<<16 | widen(c>>5)<<8 | widen(c)
}
