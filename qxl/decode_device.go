package qxl

// Cursor decodes a CommandCursor. A set command without a shape has HasShape
// false. The shape's data is cut to its announced size, and may be less than
// its type and size need.
func (d *Decoder) Cursor(dst *CursorCommand, c Command) error {
	data := dst.Shape.Data[:0]
	*dst = CursorCommand{Shape: Shape{Data: data}}
	v, err := d.begin(c, sizeCursorCmd, &dst.Resource)
	if err != nil {
		return err
	}
	dst.Action = CursorAction(v.u8(8))
	switch dst.Action {
	case CursorSet:
		dst.X, dst.Y, dst.Visible = v.i16(9), v.i16(11), v.u8(13) != 0
		if addr := v.phys(14); addr != 0 {
			dst.HasShape = true
			return d.shape(&dst.Shape, addr)
		}
	case CursorMove:
		dst.X, dst.Y = v.i16(9), v.i16(11)
	case CursorHide:
	case CursorTrail:
		dst.TrailLength, dst.TrailFrequency = v.u16(9), v.u16(11)
	default:
		return d.refuse(ReasonCursorAction, uint64(dst.Action))
	}
	return nil
}

func (d *Decoder) shape(dst *Shape, addr PHYS) error {
	v, err := d.read(d.small[:sizeCursor+sizeChunk], addr)
	if err != nil {
		return err
	}
	dst.Unique, dst.Type = v.u64(0), CursorType(v.u16(8))
	dst.Width, dst.Height = v.u16(10), v.u16(12)
	dst.HotX, dst.HotY = v.u16(14), v.u16(16)
	if dst.Type > CursorColor32 {
		return d.refuse(ReasonCursorType, uint64(dst.Type))
	}
	size := v.u32(18)
	dst.Data, err = d.gather(dst.Data[:0], addr, sizeCursor, v[sizeCursor:], MaxCursorBytes)
	if err != nil {
		return err
	}
	if uint64(size) < uint64(len(dst.Data)) {
		dst.Data = dst.Data[:size]
	}
	return nil
}

// Head is one monitor: a rectangle of a surface.
type Head struct {
	ID, Surface         uint32
	Width, Height, X, Y uint32
	Flags               uint32
}

// MonitorsConfig says which monitors show what.
type MonitorsConfig struct {
	MaxAllowed uint16
	Heads      []Head
}

// Monitors decodes a monitors config at addr. It is refused if it has no heads
// or more than it allows itself; both numbers are then cut to limit, where that
// is not 0, and to MaxHeads.
func (d *Decoder) Monitors(dst *MonitorsConfig, addr PHYS, group uint32, limit int) error {
	const fixed = 4
	d.cmd = Command{Data: addr, Group: group}
	*dst = MonitorsConfig{Heads: dst.Heads[:0]}
	v, err := d.read(d.small[:fixed], addr)
	if err != nil {
		return err
	}
	count, allowed := int(v.u16(0)), int(v.u16(2))
	if count == 0 || count > allowed {
		return d.refuse(ReasonHeadCount, uint64(count))
	}
	if limit <= 0 || limit > MaxHeads {
		limit = MaxHeads
	}
	count, allowed = min(count, limit), min(allowed, limit)
	heads, err := d.mem.Bytes(addr, fixed+count*sizeHead, group)
	if err != nil {
		return err
	}
	dst.MaxAllowed = uint16(allowed)
	for at := fixed; at < len(heads); at += sizeHead {
		h := view(d.small[:sizeHead])
		copy(h, heads[at:])
		dst.Heads = append(dst.Heads, Head{
			ID: h.u32(0), Surface: h.u32(4), Width: h.u32(8), Height: h.u32(12),
			X: h.u32(16), Y: h.u32(20), Flags: h.u32(24),
		})
	}
	return nil
}
