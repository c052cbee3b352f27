package components

import "github.com/spiceecs/spiceecs/ecs"

// Encoded is a compressed image of a drawable. It is made for the first client
// that needs it and kept, for others that want the same, as long as the drawable
// lives.
type Encoded struct {
	Next  ecs.Handle // Scene.Encoded: another one of the same drawable
	Image int8       // index in the drawable's images
	Codec uint8      // what was asked for, see package encode
	OK    bool       // false: the image has to go raw
	Part  uint32     // as qxl.Image.Part
	Uses  int32      // by others than the first who asked for it
	Data  []byte

	// Of GLZ: a number for the image itself, and those of the images before it
	// that Data refers to, newest first.
	Content uint64
	Before  []uint64
}
