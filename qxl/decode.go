package qxl

// Bounds on what one command may hold. The protocol itself allows lists of
// 2^31-1 bytes in 2^21 pieces; these are far above what drivers send and keep
// the work and the memory of one command to some milliseconds and megabytes.
// Pixel data is not copied, so that its bytes cost nothing here.
const (
	MaxChunks       = 1 << 14 // pieces of all lists of a command, empty ones counted
	MaxImageBytes   = 1 << 29 // bytes of one image
	MaxImagePixels  = 1 << 27 // pixels of one image: four 8K screens
	MaxClipRects    = 1 << 14
	MaxPathBytes    = 1 << 18 // about 32,000 points
	MaxStringBytes  = 1 << 20 // glyph headers and images
	MaxCursorBytes  = 1 << 21
	MaxMessageBytes = 100000
	MaxHeads        = 256
	MaxSurfaceSide  = 1 << 16
	MaxCoordinate   = 1 << 29 // offsets inside images and of glyphs: sums of a few fit an int32
)

// Sizes of the packed structures in guest memory.
const (
	sizeReleaseInfo    = 8
	sizeDrawable       = 191
	sizeCompatDrawable = 128
	sizeUnion          = 68 // the operations' part, last in both
	sizeUpdate         = 32
	sizeCompatUpdate   = 28
	sizeSurface        = 41
	sizeCursorCmd      = 150
	sizeCursor         = 22 // up to its first chunk
	sizeChunk          = 20 // chunk header
	sizeClipRects      = 4  // up to its first chunk
	sizePath           = 4  // up to its first chunk
	sizeString         = 8  // up to its first chunk
	sizeImage          = 48
	sizePalette        = 10
	sizeRect           = 16
	sizePathSegment    = 8
	sizePointFix       = 8
	sizeGlyph          = 20
	sizeTransform      = 24
	sizeHead           = 28
)

// Decoder fills decoded types from guest memory. It belongs to the device's
// worker, like its Memory, and must not be used concurrently.
//
// Each structure is copied out of guest memory once, into the decoder's scratch
// or the destination, and only the copy is looked at: a guest that changes it
// meanwhile gets a drawing of what was copied. All methods return a *GuestError
// or nil. After an error the destination holds nothing of use except its
// Resource, which names what the caller has to release: it is zero if the
// command's top structure was not readable, since then there is nothing to
// release.
type Decoder struct {
	mem *Memory

	// State of the command being decoded.
	cmd    Command
	chunks int // pieces it may still have

	// Scratch. A nested structure never overwrites one still being read.
	top    [sizeDrawable]byte
	image  [sizeImage]byte
	small  [sizeCursor + sizeChunk]byte // the largest of the small ones
	link   [sizeChunk]byte
	pieces Blob
	buf    []byte
}

// NewDecoder makes a decoder of commands in mem.
func NewDecoder(mem *Memory) *Decoder { return &Decoder{mem: mem} }

// begin copies the command's first size bytes and names its resource.
func (d *Decoder) begin(c Command, size int, r *Resource) (view, error) {
	d.cmd, d.chunks = c, MaxChunks
	*r = Resource{}
	v, err := d.read(d.top[:size], c.Data)
	if err != nil {
		return nil, err
	}
	*r = Resource{Data: c.Data, ID: v.u64(0), Group: c.Group}
	return v, nil
}

// read fills dst from addr.
func (d *Decoder) read(dst []byte, addr PHYS) (view, error) {
	b, err := d.mem.Bytes(addr, len(dst), d.cmd.Group)
	if err != nil {
		return nil, err
	}
	copy(dst, b)
	return dst, nil
}

// refuse makes the error for the command being decoded.
func (d *Decoder) refuse(r Reason, value uint64) error {
	return &GuestError{Reason: r, Addr: d.cmd.Data, Group: d.cmd.Group, Value: value}
}

// Update decodes a CommandUpdate. UpdateID and Surface are set even if the area
// is refused. A compat command has no surface and means the primary.
func (d *Decoder) Update(dst *UpdateCommand, c Command) error {
	*dst = UpdateCommand{}
	size := sizeUpdate
	if c.Flags&FlagCompat != 0 {
		size = sizeCompatUpdate
	}
	v, err := d.begin(c, size, &dst.Resource)
	if err != nil {
		return err
	}
	dst.Area, dst.UpdateID = v.rect(8), v.u32(24)
	if size == sizeUpdate {
		dst.Surface = v.u32(28)
	}
	if !ordered(dst.Area) || dst.Area.Empty() {
		return d.refuse(ReasonUpdateArea, uint64(dst.UpdateID))
	}
	return nil
}

// Message decodes a CommandMessage: text up to a NUL, which has to come within
// MaxMessageBytes.
func (d *Decoder) Message(dst *MessageCommand, c Command) error {
	dst.Text = dst.Text[:0]
	if _, err := d.begin(c, sizeReleaseInfo, &dst.Resource); err != nil {
		return err
	}
	text, err := d.mem.window(c.Data, sizeReleaseInfo, sizeReleaseInfo+MaxMessageBytes, c.Group)
	if err != nil {
		return err
	}
	// Byte by byte: each is fetched once, and none behind the NUL.
	for _, b := range text[sizeReleaseInfo:] {
		if b == 0 {
			return nil
		}
		dst.Text = append(dst.Text, b)
	}
	n := len(dst.Text)
	dst.Text = dst.Text[:0]
	return d.refuse(ReasonMessageEnd, uint64(n))
}

// Surface decodes a CommandSurface. Creation is checked with SurfaceBytes and
// maps the surface's memory.
func (d *Decoder) Surface(dst *SurfaceCommand, c Command) error {
	*dst = SurfaceCommand{}
	v, err := d.begin(c, sizeSurface, &dst.Resource)
	if err != nil {
		return err
	}
	dst.Surface, dst.Action, dst.Flags = v.u32(8), SurfaceAction(v.u8(12)), v.u32(13)
	switch dst.Action {
	case SurfaceDestroy:
		return nil
	case SurfaceCreate:
	default:
		return d.refuse(ReasonSurfaceAction, uint64(dst.Action))
	}
	dst.Format, dst.Width, dst.Height, dst.Stride = SurfaceFormat(v.u32(17)), v.u32(21), v.u32(25), v.i32(29)
	size, reason := surfaceBytes(dst.Format, dst.Width, dst.Height, dst.Stride)
	if reason != ReasonNone {
		return d.refuse(reason, uint64(dst.Surface))
	}
	dst.Memory, err = d.mem.Bytes(v.phys(33), size, c.Group)
	return err
}

// SurfaceBytes checks a surface's geometry and returns the size of its memory,
// |stride|*height. The format has to be known, no side 0 or above
// MaxSurfaceSide, a line no longer than |stride|, and the size at most MaxBytes.
func SurfaceBytes(format SurfaceFormat, width, height uint32, stride int32) (int, error) {
	size, reason := surfaceBytes(format, width, height, stride)
	if reason != ReasonNone {
		return 0, &GuestError{Reason: reason, Value: uint64(width)<<32 | uint64(height)}
	}
	return size, nil
}

func surfaceBytes(format SurfaceFormat, width, height uint32, stride int32) (int, Reason) {
	if !format.Valid() {
		return 0, ReasonSurfaceFormat
	}
	if width == 0 || width > MaxSurfaceSide || height == 0 || height > MaxSurfaceSide {
		return 0, ReasonSurfaceSize
	}
	pitch := max(int64(stride), -int64(stride))
	if (int64(width)*int64(format.Depth())+7)/8 > pitch {
		return 0, ReasonSurfaceStride
	}
	size := pitch * int64(height)
	if size > MaxBytes {
		return 0, ReasonSurfaceSize
	}
	return int(size), ReasonNone
}
