package qxl

import "github.com/spiceecs/spiceecs/regions"

// Command is an entry of a guest ring.
type Command struct {
	Data  PHYS
	Type  CommandType
	Group uint32
	Flags uint32
}

// UpdateCommand asks that Area of a surface be drawn into guest memory now.
type UpdateCommand struct {
	Resource Resource
	Area     regions.Rect
	UpdateID uint32
	Surface  uint32
}

// MessageCommand is a text from the driver, for the log.
type MessageCommand struct {
	Resource Resource
	Text     []byte
}

// SurfaceCommand creates or destroys an off-screen surface. Memory is the
// surface's pixels in guest memory, |Stride|*Height bytes, lowest address
// first; a negative Stride means that the top line is the last one.
type SurfaceCommand struct {
	Resource      Resource
	Surface       uint32
	Action        SurfaceAction
	Flags         uint32
	Format        SurfaceFormat
	Width, Height uint32
	Stride        int32
	Memory        []byte
}

// Shape is a cursor's picture. Unique 0 means that it must not be cached.
// Data layout by Type: alpha w*h words; mono AND then XOR mask; colour
// pixels, palette where indexed, then the mask.
type Shape struct {
	Unique        uint64
	Type          CursorType
	Width, Height uint16
	HotX, HotY    uint16
	Data          []byte
}

// CursorCommand changes the pointer. Position belongs to set and move, Visible
// and Shape to set, the trail to trail. Shape.Data is a copy.
type CursorCommand struct {
	Resource       Resource
	Action         CursorAction
	X, Y           int16
	Visible        bool
	HasShape       bool
	Shape          Shape
	TrailLength    uint16
	TrailFrequency uint16
}

// PrimarySurface describes the surface with id 0, created by the device and
// not by a command. Memory is as in SurfaceCommand.
type PrimarySurface struct {
	Width, Height uint32
	Stride        int32
	Format        SurfaceFormat
	Position      uint32
	MouseMode     bool // the pointer may be absolute
	Flags         uint32
	Type          uint32
	Memory        []byte
}
