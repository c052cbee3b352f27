package qxl

import "fmt"

// Reason names what is wrong with a guest's command, so that refusals can be
// counted by kind.
type Reason uint8

// Reasons. The first group comes from Memory, the others from Decoder.
const (
	ReasonNone       Reason = iota
	ReasonGroup             // no such memory slot group
	ReasonSlot              // no such memory slot
	ReasonGeneration        // the slot was replaced since the address was made
	ReasonWrap              // address plus size passes the end of the address space
	ReasonRange             // not inside the slot
	ReasonLength            // a negative or enormous size was asked for

	ReasonDrawType       // unknown drawing operation
	ReasonEffect         // unknown effect
	ReasonBBox           // box reversed or negative
	ReasonSelfBitmapArea // area reversed or negative
	ReasonDependency     // a surface number below -1
	ReasonCoordinate     // a position beyond ±MaxCoordinate
	ReasonNoSource       // the operation needs a source image
	ReasonSourceArea     // area reversed, negative, or not inside its bitmap
	ReasonBrushType      // unknown brush
	ReasonBrushImage     // pattern without an image
	ReasonClipType       // unknown clip
	ReasonClipCount      // more than MaxClipRects rectangles
	ReasonClipSize       // list length and rectangle count disagree

	ReasonImageType     // an image type that guests may not use
	ReasonImageSize     // an image without pixels, or with more than MaxImagePixels
	ReasonBitmapFormat  // unknown pixel layout
	ReasonBitmapStride  // lines shorter than their pixels
	ReasonBitmapPalette // an indexed bitmap without a palette
	ReasonBitmapSize    // more than MaxImageBytes
	ReasonBitmapData    // chunks do not add up to the bitmap
	ReasonQUICData      // chunks do not add up to the announced size
	ReasonMaskFormat    // a mask that is not a one-bit bitmap
	ReasonChunkCount    // more than MaxChunks pieces
	ReasonChunkBytes    // a list longer than its place allows

	ReasonPathData    // a segment longer than what is left
	ReasonPathBezier  // curve points not in threes
	ReasonLineStyle   // no dashes, negative ones, or all of length 0
	ReasonStringFlags // not exactly one glyph depth
	ReasonStringSize  // chunks do not add up to the announced size
	ReasonGlyphData   // a glyph longer than what is left
	ReasonGlyphCount  // not as many glyphs as announced

	ReasonUpdateArea    // area empty, reversed or negative
	ReasonMessageEnd    // text without an end
	ReasonSurfaceAction // neither create nor destroy
	ReasonSurfaceFormat // unknown pixel layout
	ReasonSurfaceSize   // no pixels, a side above MaxSurfaceSide, or too many bytes
	ReasonSurfaceStride // lines shorter than their pixels
	ReasonCursorAction  // unknown action
	ReasonCursorType    // unknown pixel layout
	ReasonHeadCount     // no heads, or more than the config allows

	ReasonCount // number of reasons, for arrays of counters
)

var reasonNames = [ReasonCount]string{
	ReasonNone:           "none",
	ReasonGroup:          "slot group",
	ReasonSlot:           "slot",
	ReasonGeneration:     "slot generation",
	ReasonWrap:           "address wrap",
	ReasonRange:          "address range",
	ReasonLength:         "length",
	ReasonDrawType:       "draw type",
	ReasonEffect:         "effect",
	ReasonBBox:           "bounding box",
	ReasonSelfBitmapArea: "self bitmap area",
	ReasonDependency:     "surface dependency",
	ReasonCoordinate:     "coordinate",
	ReasonNoSource:       "no source image",
	ReasonSourceArea:     "source area",
	ReasonBrushType:      "brush type",
	ReasonBrushImage:     "brush image",
	ReasonClipType:       "clip type",
	ReasonClipCount:      "clip count",
	ReasonClipSize:       "clip size",
	ReasonImageType:      "image type",
	ReasonImageSize:      "image size",
	ReasonBitmapFormat:   "bitmap format",
	ReasonBitmapStride:   "bitmap stride",
	ReasonBitmapPalette:  "bitmap palette",
	ReasonBitmapSize:     "bitmap size",
	ReasonBitmapData:     "bitmap data",
	ReasonQUICData:       "quic data",
	ReasonMaskFormat:     "mask format",
	ReasonChunkCount:     "chunk count",
	ReasonChunkBytes:     "chunk bytes",
	ReasonPathData:       "path data",
	ReasonPathBezier:     "path bezier",
	ReasonLineStyle:      "line style",
	ReasonStringFlags:    "string flags",
	ReasonStringSize:     "string size",
	ReasonGlyphData:      "glyph data",
	ReasonGlyphCount:     "glyph count",
	ReasonUpdateArea:     "update area",
	ReasonMessageEnd:     "message end",
	ReasonSurfaceAction:  "surface action",
	ReasonSurfaceFormat:  "surface format",
	ReasonSurfaceSize:    "surface size",
	ReasonSurfaceStride:  "surface stride",
	ReasonCursorAction:   "cursor action",
	ReasonCursorType:     "cursor type",
	ReasonHeadCount:      "head count",
}

// String is a short name, fit for a log key or a metric label.
func (r Reason) String() string {
	if r < ReasonCount {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// GuestError is a command, or an address in one, that was refused. It is
// always the guest's fault; the command is dropped and the guest goes on.
type GuestError struct {
	Reason Reason
	Addr   PHYS   // the address refused by Memory, else the command's
	Group  uint32 // slot group of Addr
	Value  uint64 // the offending value; for an address, the size asked for
}

// Error formats lazily: making a GuestError costs one small allocation.
func (e *GuestError) Error() string {
	return fmt.Sprintf("qxl: bad %s: value %#x (address %#x, group %d)", e.Reason, e.Value, uint64(e.Addr), e.Group)
}
