package qxl

// PHYS is a guest address: slot id, generation and offset, see Memory.
type PHYS uint64

// CommandType says what a ring entry's address points at.
type CommandType uint32

// Command types. Everything but CommandCursor arrives on the display ring.
const (
	CommandNOP CommandType = iota
	CommandDraw
	CommandUpdate
	CommandCursor
	CommandMessage
	CommandSurface
)

// Flags of a ring entry.
const (
	FlagCompat      = 1 << 0 // the drawable has the layout of the first QXL device
	FlagCompat16bpp = 1 << 1 // solid colours and palette entries are x1r5g5b5
)

// DrawType selects the operation of a drawable.
type DrawType uint8

// Drawing operations.
const (
	DrawNOP DrawType = iota
	DrawFill
	DrawOpaque
	DrawCopy
	DrawCopyBits
	DrawBlend
	DrawBlackness
	DrawWhiteness
	DrawInvers
	DrawRop3
	DrawStroke
	DrawText
	DrawTransparent
	DrawAlphaBlend
	DrawComposite
	drawTypes
)

// Effect is how a drawable relates to what it covers, as declared by the driver.
type Effect uint8

// Effects. Only EffectOpaque hides what lies below.
const (
	EffectBlend Effect = iota
	EffectOpaque
	EffectRevertOnDup
	EffectBlacknessOnDup
	EffectWhitenessOnDup
	EffectNOPOnDup
	EffectNOP
	EffectOpaqueBrush
)

// SurfaceFormat is the pixel layout of a surface; its low six bits are the depth.
type SurfaceFormat uint32

// Surface formats.
const (
	Surface1A     SurfaceFormat = 1
	Surface8A     SurfaceFormat = 8
	Surface16x555 SurfaceFormat = 16
	Surface32xRGB SurfaceFormat = 32
	Surface16x565 SurfaceFormat = 80
	Surface32ARGB SurfaceFormat = 96
)

// Depth is the number of bits of a pixel.
func (f SurfaceFormat) Depth() int { return int(f & 0x3f) }

// Valid reports whether f is one of the known formats.
func (f SurfaceFormat) Valid() bool {
	switch f {
	case Surface1A, Surface8A, Surface16x555, Surface32xRGB, Surface16x565, Surface32ARGB:
		return true
	}
	return false
}

// ImageType selects what follows an image descriptor, in guest memory and on
// the wire. A guest uses only ImageBitmap, ImageQUIC and ImageSurface.
type ImageType uint8

// Image types.
const (
	ImageBitmap            ImageType = 0
	ImageQUIC              ImageType = 1
	ImageLZPalette         ImageType = 100
	ImageLZRGB             ImageType = 101
	ImageGLZRGB            ImageType = 102
	ImageFromCache         ImageType = 103
	ImageSurface           ImageType = 104
	ImageJPEG              ImageType = 105
	ImageFromCacheLossless ImageType = 106
	ImageZlibGLZRGB        ImageType = 107
	ImageJPEGAlpha         ImageType = 108
	ImageLZ4               ImageType = 109
)

// Image descriptor flags. A guest sets only the first two.
const (
	ImageCacheMe        = 1 << 0
	ImageHighBitsSet    = 1 << 1
	ImageCacheReplaceMe = 1 << 2
)

// BitmapFormat is the pixel layout of a bitmap.
type BitmapFormat uint8

// Bitmap formats. BE: the most significant bits are the leftmost pixel.
const (
	Bitmap1BitLE BitmapFormat = 1
	Bitmap1BitBE BitmapFormat = 2
	Bitmap4BitLE BitmapFormat = 3
	Bitmap4BitBE BitmapFormat = 4
	Bitmap8Bit   BitmapFormat = 5
	Bitmap16Bit  BitmapFormat = 6 // x1r5g5b5
	Bitmap24Bit  BitmapFormat = 7 // bytes B,G,R
	Bitmap32Bit  BitmapFormat = 8 // bytes B,G,R,x
	BitmapRGBA   BitmapFormat = 9 // bytes B,G,R,A
	Bitmap8BitA  BitmapFormat = 10
)

// BitsPerPixel is 0 for an unknown format.
func (f BitmapFormat) BitsPerPixel() int {
	switch f {
	case Bitmap1BitLE, Bitmap1BitBE:
		return 1
	case Bitmap4BitLE, Bitmap4BitBE:
		return 4
	case Bitmap8Bit, Bitmap8BitA:
		return 8
	case Bitmap16Bit:
		return 16
	case Bitmap24Bit:
		return 24
	case Bitmap32Bit, BitmapRGBA:
		return 32
	}
	return 0
}

// Indexed reports whether pixels are indices into a palette.
func (f BitmapFormat) Indexed() bool { return f >= Bitmap1BitLE && f <= Bitmap8Bit }

// Bitmap flags in guest memory.
const (
	BitmapDirect   = 1 << 0 // data is contiguous, not a chunk list
	BitmapUnstable = 1 << 1 // the guest may change the data while it is used
	BitmapTopDown  = 1 << 2 // first line in memory is the top one
)

// BrushType selects what a Brush paints with.
type BrushType uint8

// Brush types.
const (
	BrushNone BrushType = iota
	BrushSolid
	BrushPattern
)

// ClipType says whether a clip list limits a drawable.
type ClipType uint8

// Clip types.
const (
	ClipNone ClipType = iota
	ClipRects
)

// Raster operation descriptor bits, for rop and fore/back modes.
const (
	RopInversSrc   = 1 << 0
	RopInversBrush = 1 << 1
	RopInversDest  = 1 << 2
	RopPut         = 1 << 3
	RopOr          = 1 << 4
	RopAnd         = 1 << 5
	RopXor         = 1 << 6
	RopBlackness   = 1 << 7
	RopWhiteness   = 1 << 8
	RopInvers      = 1 << 9
	RopInversRes   = 1 << 10
)

// MaskInvers inverts the bits of a mask bitmap.
const MaskInvers = 1 << 0

// Scale modes.
const (
	ScaleInterpolate = 0
	ScaleNearest     = 1
)

// Alpha blend flags.
const (
	AlphaDestHasAlpha       = 1 << 0
	AlphaSrcSurfaceHasAlpha = 1 << 1
)

// Line attribute flags.
const (
	LineStartWithGap = 1 << 2
	LineStyled       = 1 << 3
)

// Path segment flags.
const (
	PathBegin  = 1 << 0
	PathEnd    = 1 << 1
	PathClose  = 1 << 3
	PathBezier = 1 << 4
)

// String flags: exactly one of the three depths.
const (
	StringA1      = 1 << 0
	StringA4      = 1 << 1
	StringA8      = 1 << 2
	StringTopDown = 1 << 3
)

// Composite flag bits; the operator is in bits 0-7.
const (
	CompositeSrcFilterShift  = 8
	CompositeMaskFilterShift = 11
	CompositeSrcRepeatShift  = 14
	CompositeMaskRepeatShift = 16
	CompositeComponentAlpha  = 1 << 18
	CompositeHasMask         = 1 << 19
	CompositeHasSrcTransform = 1 << 20
	CompositeHasMaskTransf   = 1 << 21
	CompositeSourceOpaque    = 1 << 22
	CompositeMaskOpaque      = 1 << 23
	CompositeDestOpaque      = 1 << 24
)

// CursorType is the pixel layout of a cursor shape.
type CursorType uint16

// Cursor shapes.
const (
	CursorAlpha CursorType = iota
	CursorMono
	CursorColor4
	CursorColor8
	CursorColor16
	CursorColor24
	CursorColor32
)

// CursorAction is what a cursor command does.
type CursorAction uint8

// Cursor actions.
const (
	CursorSet CursorAction = iota
	CursorMove
	CursorHide
	CursorTrail
)

// SurfaceAction is what a surface command does.
type SurfaceAction uint8

// Surface actions.
const (
	SurfaceCreate SurfaceAction = iota
	SurfaceDestroy
)

// SurfaceKeepData keeps what the surface's memory holds at creation.
const SurfaceKeepData = 1 << 0
