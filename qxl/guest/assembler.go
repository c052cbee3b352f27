package guest

import (
	"errors"

	"github.com/spiceecs/spiceecs/qxl"
)

// Sizes of the packed structures in guest memory.
const (
	drawableSize  = 191
	drawableUnion = 123 // offset of the operation's part
	updateSize    = 32
	messageText   = 8 // offset of the text
	surfaceSize   = 41
	cursorCmdSize = 150
	cursorSize    = 22 // up to its first chunk, as the following
	clipSize      = 4
	pathHeadSize  = 4
	stringHead    = 8
	quicHead      = 22
	chunkSize     = 20
	imageSize     = 48
	paletteSize   = 10
)

// Assembler lays decoded commands out in a VRAM and yields the ring entries for
// them, with group and flags 0. Each command takes one block, which the
// resource that the engine releases names. All methods fail with ErrFull or
// ErrTooLarge, and then have no effect.
//
// Chunk lists of pixels keep the chunks of their Blob. Everything else that is
// a chunk list in guest memory is one chunk, or pieces of MaxChunk bytes where
// that is not 0.
type Assembler struct {
	MaxChunk int

	vram    *VRAM
	scratch []byte
	pieces  qxl.Blob // of scratch, or of a cursor's data

	// The block being filled.
	block Block
	mem   []byte
	base  qxl.PHYS
	at    int
}

// NewAssembler makes an assembler for v.
func NewAssembler(v *VRAM) *Assembler { return &Assembler{vram: v} }

// begin allocates the block of a command and fills in its release info: the
// block's name, and no next.
func (a *Assembler) begin(size, top int) (rec, error) {
	var err error
	a.block, a.mem, a.base, err = a.vram.alloc(aligned(size))
	if err != nil {
		return nil, err
	}
	a.at = 0
	r, _ := a.take(top)
	r.u64(0, uint64(a.block))
	return r, nil
}

// command is the ring entry for the block that was filled.
func (a *Assembler) command(t qxl.CommandType) qxl.Command {
	return qxl.Command{Data: a.base, Type: t}
}

// take cuts the block's next n bytes off, zeroed.
func (a *Assembler) take(n int) (rec, qxl.PHYS) {
	at := aligned(a.at)
	a.at = at + n
	r := a.mem[at:a.at]
	clear(r)
	return rec(r), a.base + qxl.PHYS(at)
}

// append copies data to where the last structure ended.
func (a *Assembler) append(data []byte) { a.at += copy(a.mem[a.at:], data) }

// Update assembles an update command.
func (a *Assembler) Update(u *qxl.UpdateCommand) (qxl.Command, error) {
	r, err := a.begin(updateSize, updateSize)
	if err != nil {
		return qxl.Command{}, err
	}
	r.rect(8, u.Area)
	r.u32(24, u.UpdateID)
	r.u32(28, u.Surface)
	return a.command(qxl.CommandUpdate), nil
}

// Message assembles a message command; the text ends with a NUL in memory.
func (a *Assembler) Message(m *qxl.MessageCommand) (qxl.Command, error) {
	size := messageText + len(m.Text) + 1
	r, err := a.begin(size, size)
	if err != nil {
		return qxl.Command{}, err
	}
	copy(r[messageText:], m.Text)
	return a.command(qxl.CommandMessage), nil
}

// CreateSurface assembles the creation of a surface whose memory is the block
// pixels, of at least |c.Stride|*c.Height bytes. The block stays the caller's.
func (a *Assembler) CreateSurface(c *qxl.SurfaceCommand, pixels Block) (qxl.Command, error) {
	data, err := a.vram.Address(pixels)
	if err != nil {
		return qxl.Command{}, err
	}
	r, err := a.surface(c, qxl.SurfaceCreate)
	if err != nil {
		return qxl.Command{}, err
	}
	r.u32(17, uint32(c.Format))
	r.u32(21, c.Width)
	r.u32(25, c.Height)
	r.u32(29, uint32(c.Stride))
	r.phys(33, data)
	return a.command(qxl.CommandSurface), nil
}

// DestroySurface assembles the destruction of a surface and tells the
// command's block, which is its release id. The block pixels, if it is not 0,
// is freed together with it.
func (a *Assembler) DestroySurface(c *qxl.SurfaceCommand, pixels Block) (qxl.Command, Block, error) {
	if _, err := a.surface(c, qxl.SurfaceDestroy); err != nil {
		return qxl.Command{}, 0, err
	}
	if pixels != 0 {
		if err := a.vram.attach(a.block, pixels); err != nil {
			return qxl.Command{}, 0, errors.Join(err, a.vram.Free(a.block))
		}
	}
	return a.command(qxl.CommandSurface), a.block, nil
}

func (a *Assembler) surface(c *qxl.SurfaceCommand, action qxl.SurfaceAction) (rec, error) {
	r, err := a.begin(surfaceSize, surfaceSize)
	if err != nil {
		return nil, err
	}
	r.u32(8, c.Surface)
	r.u8(12, uint8(action))
	r.u32(13, c.Flags)
	return r, nil
}

// Cursor assembles a cursor command.
func (a *Assembler) Cursor(c *qxl.CursorCommand) (qxl.Command, error) {
	var size size
	size.take(cursorCmdSize)
	if c.HasShape {
		size.list(cursorSize, len(c.Shape.Data), a.MaxChunk)
	}
	r, err := a.begin(int(size), cursorCmdSize)
	if err != nil {
		return qxl.Command{}, err
	}
	r.u8(8, uint8(c.Action))
	switch c.Action {
	case qxl.CursorSet:
		r.u16(9, uint16(c.X))
		r.u16(11, uint16(c.Y))
		r.bool(13, c.Visible)
		if c.HasShape {
			r.phys(14, a.shape(&c.Shape))
		}
	case qxl.CursorMove:
		r.u16(9, uint16(c.X))
		r.u16(11, uint16(c.Y))
	case qxl.CursorTrail:
		r.u16(9, c.TrailLength)
		r.u16(11, c.TrailFrequency)
	}
	return a.command(qxl.CommandCursor), nil
}

func (a *Assembler) shape(s *qxl.Shape) qxl.PHYS {
	r, p := a.list(cursorSize, s.Data)
	r.u64(0, s.Unique)
	r.u16(8, uint16(s.Type))
	r.u16(10, s.Width)
	r.u16(12, s.Height)
	r.u16(14, s.HotX)
	r.u16(16, s.HotY)
	r.u32(18, uint32(len(s.Data)))
	return p
}

// list lays data out as a chunk list behind the first head bytes of a
// structure, which it returns with its address.
func (a *Assembler) list(head int, data []byte) (rec, qxl.PHYS) {
	a.pieces.Reset()
	for a.MaxChunk > 0 && len(data) > a.MaxChunk {
		a.pieces.Append(data[:a.MaxChunk])
		data = data[a.MaxChunk:]
	}
	a.pieces.Append(data)
	return a.blob(head, &a.pieces)
}

// blob lays b out chunk by chunk, in the same way as list.
func (a *Assembler) blob(head int, b *qxl.Blob) (rec, qxl.PHYS) {
	r, p := a.take(head + chunkSize)
	link, at := r[head:], p+qxl.PHYS(head)
	for i, c := range b.Chunks {
		if i > 0 {
			next, addr := a.take(chunkSize)
			link.phys(12, addr)
			next.phys(4, at)
			link, at = next, addr
		}
		link.u32(0, uint32(len(c)))
		a.append(c)
	}
	return r, p
}
