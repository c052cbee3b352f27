// Package record reads and writes recordings of a QXL device: the text format
// "SPICE_REPLAY 1", in which a SPICE server notes every command that it takes
// from a guest's rings and every request of the VMM.
//
// Data flow: a Reader pulls decompressed bytes through one window, scans an
// event's lines in it and fills an Event; a Writer appends an event's lines to
// one buffer and hands it to an io.Writer.
//
// Layout of a recording: a version line, then events. An event is a line
// "event counter what type timestamp" and a body that depends on what and
// type: lines "name number", with numbers in decimal and 32-bit ones signed,
// and binaries "binary 0 name size:" followed by size raw bytes. A recording
// stores neither ring flags nor memory groups, and all devices of a server are
// in one sequence without their numbers.
//
// Ownership: the Event belongs to the caller and keeps the storage of its
// slices from one Next to the following. What the event refers to as bytes of
// the recording (Blob chunks, surface memory, message text) lies in the
// Reader's window and is valid until the next call of Next.
//
// Bounds: memory follows the bytes that have really arrived, never a size that
// the recording merely announces, and no event may be larger than the limit
// (DefaultMaxEvent). A zstd recording may ask for a window of up to MaxWindow
// bytes, which is what recordings made with a long-distance match of 2^26 need.
package record

// Limits of what a Reader accepts.
const (
	// DefaultMaxEvent bounds the bytes of one event, and separately what its
	// zlib binaries inflate to.
	DefaultMaxEvent = 256 << 20
	// MaxWindow bounds the window of a zstd recording.
	MaxWindow = 64 << 20
	// MaxChunks bounds a chunk list: 0x7fffffff/1024, as for chunk lists in
	// guest memory.
	MaxChunks = 0x7fffffff / 1024
	// MaxMessage bounds the text of a message command, as in guest memory.
	MaxMessage = 100_000
)
