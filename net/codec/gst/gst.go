// Package gst encodes and decodes videos with GStreamer, if the system has it. The
// library is loaded at run time, without cgo; its encoders and decoders are plug-ins
// of their own, any of which may be missing.
//
// An Encoder or Decoder is one pipeline, between raw pixels and compressed frames:
//
//	pixels -> appsrc -> videoconvert -> encoder -> appsink -> frame
//	frame  -> appsrc -> parser, decoder -> videoconvert -> appsink -> pixels
//
// It is fed one frame at a time and gives one for it, at once: the plug-ins are set
// to look at no frame but the present one and those before. It holds what the
// plug-in holds, a few frames; Close frees it. It is not for concurrent use.
package gst

import (
	"errors"
	"fmt"
)

// Codec is a video codec, by SPICE's number.
type Codec uint8

// Codecs.
const (
	VP8  Codec = 2
	H264 Codec = 3
	VP9  Codec = 4
	H265 Codec = 5
)

// element describes an encoder: its factory, its settings, the property that is
// the bit rate, in units of so many bits a second, and the form of pixels that it
// takes of sizes that are not even.
type element struct {
	factory, settings, rate string
	unit                    int
	odd                     string
}

// encoders are those of a codec, the best one first.
var encoders = map[Codec][]element{
	VP8: {{"vp8enc", vpx + " max-quantizer=56", "target-bitrate", 1, halved}},
	VP9: {{"vp9enc", vpx + " max-quantizer=48 row-mt=true", "target-bitrate", 1, halved}},
	H264: {
		{"x264enc", "byte-stream=true aud=true qp-min=15 qp-max=40 tune=zerolatency speed-preset=ultrafast " +
			"key-int-max=600", "bitrate", 1000, full},
		{"openh264enc", "complexity=low rate-control=bitrate gop-size=600", "bitrate", 1, ""},
	},
	H265: {{"x265enc", "tune=zerolatency speed-preset=ultrafast key-int-max=600", "bitrate", 1000, full}},
}

// Forms of pixels: colours in half the resolution, as all clients can show them, and
// in full resolution.
const (
	halved = "I420"
	full   = "Y444"
)

// vpx has its encoders take frames in real time, one in, one out, and depend on no
// key frames but the first: nothing is lost on the way.
const vpx = "end-usage=cbr min-quantizer=4 lag-in-frames=0 deadline=1 cpu-used=8 " +
	"error-resilient=default keyframe-max-dist=10000 threads=2 static-threshold=1"

// decoder describes a decoder: its factory, what is in front of it, and whether it
// knows no colours of full resolution.
type decoder struct {
	factory, before string
	halvedOnly      bool
}

// decoders are those of a codec, the best one first.
var decoders = map[Codec][]decoder{
	VP8:  {{"vp8dec", "caps=video/x-vp8", true}},
	VP9:  {{"vp9dec", "caps=video/x-vp9", false}},
	H264: {{"avdec_h264 max-threads=1", h264, false}, {"openh264dec", h264, true}},
	H265: {{"avdec_h265 max-threads=1", h265, false}},
}

// Frames come whole; the parsers find out what is in them.
const (
	h264 = "caps=video/x-h264,stream-format=byte-stream,alignment=au ! h264parse"
	h265 = "caps=video/x-h265,stream-format=byte-stream,alignment=au ! h265parse"
)

// Errors callers decide on; what is returned wraps them.
var (
	// ErrMissing says that GStreamer, or a plug-in of the codec, is not installed.
	ErrMissing = errors.New("not installed")
	// ErrEncode says that an encoder gave nothing for a frame.
	ErrEncode = errors.New("no compressed frame")
	// ErrDecode says that a decoder gave no picture for a frame.
	ErrDecode = errors.New("no picture")
)

// MaxDimension bounds the width and height of frames.
const MaxDimension = 8192

// Format describes what an encoder is fed and how much it may produce.
type Format struct {
	Width, Height int // pixels; B,G,R,x without padding, top line first
	FPS           int // frames a second, about
	BitRate       int // bits a second
}

func (f Format) check() error {
	if f.Width < 1 || f.Height < 1 || f.Width > MaxDimension || f.Height > MaxDimension || f.FPS < 1 || f.BitRate < 1 {
		return fmt.Errorf("video of %dx%d, %d frames and %d bits a second", f.Width, f.Height, f.FPS, f.BitRate)
	}
	return nil
}

// odd reports whether the colours cannot be halved evenly.
func (f Format) odd() bool { return (f.Width|f.Height)&1 != 0 }

// source begins all pipelines.
const source = "appsrc name=src is-live=true format=time do-timestamp=true block=false "

// launch is an encoder's pipeline in GStreamer's own language.
func (e element) launch(f Format) string {
	form := halved
	if f.odd() {
		form = e.odd
	}
	return fmt.Sprintf(source+"caps=video/x-raw,format=BGRx,width=%d,height=%d,framerate=%d/1 ! videoconvert ! "+
		"video/x-raw,format=%s ! %s name=enc %s %s=%d ! appsink name=sink sync=false",
		f.Width, f.Height, f.FPS, form, e.factory, e.settings, e.rate, f.BitRate/e.unit)
}

// launch is a decoder's pipeline.
func (d decoder) launch() string {
	return source + d.before + " ! " + d.factory + " ! videoconvert ! appsink name=sink sync=false caps=video/x-raw,format=BGRx"
}
