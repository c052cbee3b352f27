package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// ItemKind says what a pipe item will send.
type ItemKind uint8

// Kinds of pipe items. The comment names the fields that belong to each.
const (
	ItemDraw             ItemKind = iota + 1 // Drawable
	ItemImage                                // Surface Area Pixels: a copy of part of a surface
	ItemSurfaceCreate                        // Surface Primary Width Height Format
	ItemSurfaceDestroy                       // Surface
	ItemMark                                 //
	ItemInvalAllPalettes                     //
	ItemMonitorsConfig                       // the device's configuration at the time of sending
	ItemStreamCreate                         // Stream Area Clip Format, which is the video codec
	ItemStreamFrame                          // Stream Area Pixels Format Stamp Quality Sized
	ItemStreamClip                           // Stream Clip
	ItemStreamDestroy                        // Stream
)

// PipeItem is something that waits in a client's pipe, oldest first.
type PipeItem struct {
	Kind    ItemKind
	Primary bool
	Client  uint16 // slot of the client in its channel
	Surface uint32
	Queued  int64 // when, in nanoseconds of the clock
	Bytes   int32 // rough size on the wire, for back-pressure

	Pipe ecs.Link

	Drawable ecs.Entity
	Sibling  ecs.Link // the same drawable's items in other clients' pipes

	Area          regions.Rect
	Pixels        ecs.Handle // Scene.Pixels
	Width, Height uint32
	Format        uint32

	Stream, Quality uint8
	Sized           bool       // the frame's place is not the stream's
	Stamp           uint32     // multimedia time
	Clip            ecs.Handle // Scene.Clips
}
