package components

import "github.com/spiceecs/spiceecs/regions"

// MaxStreams is how many videos a device follows at a time. Their ids are below.
const MaxStreams = 50

// Stream is a video: an area of the screen that is painted again and again with
// pictures, and is sent as such instead of drawing commands.
type Stream struct {
	ID    uint8
	Area  regions.Rect // where the newest frame lies
	Last  int64        // when it came, in nanoseconds of the clock
	Began int64        // when counting of frames began
	Count uint32       // frames since then
	Rate  float32      // frames a second that the guest paints
	Shown uint32       // counts changes of what it shows
}
