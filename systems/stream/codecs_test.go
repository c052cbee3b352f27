package stream

import (
	"errors"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/net/wire"
)

func TestCodecs(t *testing.T) {
	mjpeg, vp8 := Codec{Video: wire.VideoMJPEG}, Codec{wire.VideoVP8, true}
	for list, want := range map[string]Codecs{
		"auto":                      {mjpeg, {wire.VideoMJPEG, true}, {wire.VideoH264, true}, vp8, {wire.VideoVP9, true}},
		"gstreamer:vp8;spice:mjpeg": {vp8, mjpeg},
		"spice:vp8;nonsense;:;gstreamer:vp8;;x:mjpeg": {vp8},
		"spice:mjpeg;spice:mjpeg":                     {mjpeg},
	} {
		got, err := ParseCodecs(list)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", list, got, err, want)
		}
	}
	for _, list := range []string{"", "spice:h264", "mjpeg"} {
		if _, err := ParseCodecs(list); !errors.Is(err, ErrCodecs) {
			t.Errorf("%q: %v", list, err)
		}
	}
	all, _ := ParseCodecs("auto")
	got := all.Prefer([]uint8{wire.VideoVP9, 77, wire.VideoMJPEG})
	want := Codecs{{wire.VideoVP9, true}, mjpeg, {wire.VideoMJPEG, true}, {wire.VideoH264, true}, vp8}
	if !slices.Equal(got, want) {
		t.Errorf("preferred: %v, want %v", got, want)
	}
}

func TestDecodes(t *testing.T) {
	old := wire.NewCaps(wire.CapDisplayCodecVP8)
	some := wire.NewCaps(wire.CapDisplayMultiCodec, wire.CapDisplayCodecVP8)
	if !Decodes(old, wire.VideoMJPEG) || Decodes(old, wire.VideoVP8) || Decodes(some, wire.VideoMJPEG) || !Decodes(some, wire.VideoVP8) {
		t.Error("capabilities are taken for something else")
	}
}
