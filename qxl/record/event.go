package record

import (
	"strconv"

	"github.com/spiceecs/spiceecs/qxl"
)

// Kind says where an event comes from.
type Kind uint8

// Kinds of events.
const (
	Command Kind = 0 // taken from a guest ring; Event.Type is a qxl.CommandType
	Worker  Kind = 1 // a request to the device worker; Event.Type is a WorkerType
)

// WorkerType is the number of a request to the device worker.
type WorkerType uint32

// Requests that matter to who plays a recording. All others are informative.
const (
	WorkerUpdate             WorkerType = 1
	WorkerWakeup             WorkerType = 2
	WorkerOOM                WorkerType = 3
	WorkerStart              WorkerType = 8
	WorkerStop               WorkerType = 9
	WorkerAddMemSlot         WorkerType = 16
	WorkerDestroySurfaces    WorkerType = 19
	WorkerCreatePrimary      WorkerType = 20 // has a body
	WorkerDestroyPrimary     WorkerType = 21
	WorkerResetCursor        WorkerType = 22
	WorkerResetImageCache    WorkerType = 23
	WorkerCreatePrimaryAsync WorkerType = 29 // has a body
	WorkerMonitorsConfig     WorkerType = 35
	WorkerClose              WorkerType = 40
)

var workerNames = [...]string{
	"nop", "update", "wakeup", "oom", "ready", "display connect", "display disconnect",
	"display migrate", "start", "stop", "cursor connect", "cursor disconnect", "cursor migrate",
	"set compression", "set streaming video", "set mouse mode", "add memslot", "del memslot",
	"reset memslots", "destroy surfaces", "create primary", "destroy primary", "reset cursor",
	"reset image cache", "destroy surface wait", "loadvm commands", "update async",
	"add memslot async", "destroy surfaces async", "create primary async", "destroy primary async",
	"destroy surface wait async", "flush surfaces async", "display channel create",
	"cursor channel create", "monitors config async", "driver unload", "gl scanout",
	"gl draw async", "set video codecs", "close worker",
}

// String is the request's name.
func (t WorkerType) String() string {
	if int(t) < len(workerNames) {
		return workerNames[t]
	}
	return "worker " + strconv.FormatUint(uint64(t), 10)
}

// hasPrimary reports whether an event of this type has a primary surface as body.
func (t WorkerType) hasPrimary() bool {
	return t == WorkerCreatePrimary || t == WorkerCreatePrimaryAsync
}

// Event is one entry of a recording. Of the bodies only the one that Kind and
// Type name is meaningful; the others hold storage for later events.
//
// Resource is not recorded and is zero in every body. A drawable has the
// native layout and Images' Blob chunks as they were recorded, empty ones
// included. CompositeFlags has the three "has" bits set for the parts that
// are present.
type Event struct {
	Counter   uint32
	Kind      Kind
	Type      uint32
	Timestamp uint64 // monotonic, nanoseconds
	Offset    int64  // of the event's first byte in the decompressed recording

	Drawable   qxl.Drawable
	Update     qxl.UpdateCommand
	Cursor     qxl.CursorCommand
	Message    qxl.MessageCommand
	Surface    qxl.SurfaceCommand // Memory is nil unless the data was recorded
	Primary    qxl.PrimarySurface
	HasPrimary bool // Primary was recorded, see WorkerType

	// Chunks tells how the guest had divided data that the bodies hold in
	// decoded form.
	Chunks Chunks
}

// Chunks are the sizes in bytes of the pieces of a drawable's clip list, path
// and string, and of a cursor's shape. A list whose sum is not the size of the
// data stands for one piece.
type Chunks struct {
	Clip, Path, Text, Cursor []int
}

func (c *Chunks) reset() {
	c.Clip, c.Path, c.Text, c.Cursor = c.Clip[:0], c.Path[:0], c.Text[:0], c.Cursor[:0]
}
