package stream

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Codec is a video codec by the protocol's number, and who encodes it.
type Codec struct {
	Video     uint8 // wire.VideoMJPEG and so on
	GStreamer bool  // not the built-in encoder, which is for MJPEG
}

// Codecs are the codecs that may be used, the best one first.
type Codecs []Codec

// DefaultCodecs is what "auto" stands for.
const DefaultCodecs = "spice:mjpeg;gstreamer:mjpeg;gstreamer:h264;gstreamer:vp8;gstreamer:vp9;"

// ErrCodecs reports a list of codecs of which none can be used.
var ErrCodecs = errors.New("no usable video codec")

var videoNames = map[string]uint8{
	"mjpeg": wire.VideoMJPEG, "vp8": wire.VideoVP8, "h264": wire.VideoH264, "vp9": wire.VideoVP9, "h265": wire.VideoH265,
}

// ParseCodecs reads a list as the reference server takes it, of items
// encoder:codec; with the encoders spice, the built-in one, and gstreamer. Items
// that make no sense are skipped.
func ParseCodecs(list string) (Codecs, error) {
	if list == "auto" {
		list = DefaultCodecs
	}
	var cs Codecs
	for item := range strings.SplitSeq(list, ";") {
		encoder, name, _ := strings.Cut(strings.TrimSpace(item), ":")
		c := Codec{Video: videoNames[name], GStreamer: encoder == "gstreamer"}
		if c.Video != 0 && (c.GStreamer || encoder == "spice" && c.Video == wire.VideoMJPEG) && !slices.Contains(cs, c) {
			cs = append(cs, c)
		}
	}
	if len(cs) == 0 {
		return nil, fmt.Errorf("%w in %q: want encoder:codec;... such as %q", ErrCodecs, list, DefaultCodecs)
	}
	return cs, nil
}

// Prefer returns the list in a client's order: codecs it did not name come last.
func (cs Codecs) Prefer(order []uint8) Codecs {
	place := func(c Codec) int {
		if i := slices.Index(order, c.Video); i >= 0 {
			return i
		}
		return len(order)
	}
	sorted := slices.Clone(cs)
	slices.SortStableFunc(sorted, func(a, b Codec) int { return cmp.Compare(place(a), place(b)) })
	return sorted
}

// codecCaps are the capabilities of clients that decode a codec.
var codecCaps = map[uint8]int{
	wire.VideoMJPEG: wire.CapDisplayCodecMJPEG, wire.VideoVP8: wire.CapDisplayCodecVP8, wire.VideoH264: wire.CapDisplayCodecH264,
	wire.VideoVP9: wire.CapDisplayCodecVP9, wire.VideoH265: wire.CapDisplayCodecH265,
}

// Decodes reports whether a client with these capabilities can show a codec. One
// that does not tell can show MJPEG.
func Decodes(caps wire.Caps, video uint8) bool {
	if !caps.Has(wire.CapDisplayMultiCodec) {
		return video == wire.VideoMJPEG
	}
	return caps.Has(codecCaps[video])
}
