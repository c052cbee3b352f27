package main

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
)

// Names of what recordings hold, as the reports show them.
var (
	commandNames = []string{"nop", "draw", "update", "cursor", "message", "surface"}
	drawNames    = []string{"nop", "fill", "opaque", "copy", "copy bits", "blend", "blackness", "whiteness",
		"invers", "rop3", "stroke", "text", "transparent", "alpha blend", "composite"}
	effectNames = []string{"blend", "opaque", "revert on dup", "blackness on dup", "whiteness on dup",
		"nop on dup", "nop", "opaque brush"}
	cursorNames = []string{"set", "move", "hide", "trail"}

	bitmapNames = map[qxl.BitmapFormat]string{
		qxl.Bitmap1BitLE: "1 bit LE", qxl.Bitmap1BitBE: "1 bit BE", qxl.Bitmap4BitLE: "4 bit LE", qxl.Bitmap4BitBE: "4 bit BE",
		qxl.Bitmap8Bit: "8 bit", qxl.Bitmap16Bit: "16 bit", qxl.Bitmap24Bit: "24 bit", qxl.Bitmap32Bit: "32 bit",
		qxl.BitmapRGBA: "RGBA", qxl.Bitmap8BitA: "8 bit alpha",
	}
	imageNames = map[qxl.ImageType]string{
		qxl.ImageBitmap: "bitmap", qxl.ImageQUIC: "QUIC", qxl.ImageLZPalette: "LZ palette", qxl.ImageLZRGB: "LZ",
		qxl.ImageGLZRGB: "GLZ", qxl.ImageFromCache: "from cache", qxl.ImageSurface: "surface", qxl.ImageJPEG: "JPEG",
		qxl.ImageFromCacheLossless: "from cache, lossless", qxl.ImageZlibGLZRGB: "zlib GLZ", qxl.ImageJPEGAlpha: "JPEG with alpha",
		qxl.ImageLZ4: "LZ4",
	}
	surfaceNames = map[qxl.SurfaceFormat]string{
		qxl.Surface1A: "1 bit alpha", qxl.Surface8A: "8 bit alpha", qxl.Surface16x555: "16 bit 555",
		qxl.Surface16x565: "16 bit 565", qxl.Surface32xRGB: "32 bit xRGB", qxl.Surface32ARGB: "32 bit ARGB",
	}
)

// nameAt is an element of a list of names, or the number if there is none.
func nameAt[T ~uint8 | ~uint32](names []string, i T) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown %d", i)
}

// nameOf is nameAt for names with gaps.
func nameOf[T ~uint8 | ~uint32](names map[T]string, i T) string {
	if s, ok := names[i]; ok {
		return s
	}
	return fmt.Sprintf("unknown %d", i)
}
