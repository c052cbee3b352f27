package qxl

// clip reads the clip at offset at of a drawable: type u32 and, for rectangles,
// the address of a list. Empty rectangles are left out.
func (d *Decoder) clip(dst *Clip, v view, at int) error {
	switch t := v.u32(at); t {
	case uint32(ClipNone):
		return nil
	case uint32(ClipRects):
		dst.Type = ClipRects
	default:
		return d.refuse(ReasonClipType, uint64(t))
	}
	addr := v.phys(at + 4)
	head, err := d.read(d.small[:sizeClipRects+sizeChunk], addr)
	if err != nil {
		return err
	}
	count := head.u32(0)
	if count > MaxClipRects {
		return d.refuse(ReasonClipCount, uint64(count))
	}
	size := int(count) * sizeRect
	d.buf, err = d.gather(d.buf[:0], addr, sizeClipRects, head[sizeClipRects:], MaxClipRects*sizeRect)
	if err != nil {
		return err
	}
	if len(d.buf) != size {
		return d.refuse(ReasonClipSize, uint64(len(d.buf)))
	}
	for at := 0; at < size; at += sizeRect {
		if r := view(d.buf).rect(at); !r.Empty() {
			dst.Rects = append(dst.Rects, r)
		}
	}
	return nil
}

// stroke reads a path and how its line is drawn.
func (d *Decoder) stroke(dst *Drawable, u view) error {
	if err := d.path(dst, u.phys(0)); err != nil {
		return err
	}
	if err := d.lineAttr(&dst.Line, u, 8); err != nil {
		return err
	}
	dst.Rop, dst.BackRop = u.u16(48), u.u16(50)
	var err error
	dst.Brush, err = d.brush(dst, u, 28)
	return err
}

// lineAttr reads the line's flags and dashes. Join, end, width and miter do
// not exist on the wire.
func (d *Decoder) lineAttr(dst *LineAttr, u view, at int) error {
	dst.Flags = u.u8(at)
	if dst.Flags&LineStyled == 0 {
		return nil
	}
	n := int(u.u8(at + 3))
	style, err := d.mem.Bytes(u.phys(at+12), 4*n, d.cmd.Group)
	if err != nil {
		return err
	}
	d.buf = append(d.buf[:0], style...)
	var sum uint64
	for i := range n {
		dash := view(d.buf).i32(4 * i)
		if dash < 0 {
			return d.refuse(ReasonLineStyle, uint64(uint32(dash)))
		}
		sum += uint64(dash)
		dst.Style = append(dst.Style, dash)
	}
	if sum == 0 {
		return d.refuse(ReasonLineStyle, uint64(n))
	}
	return nil
}

// path reads segments: flags u32, count u32, points. Eight bytes or less at the
// end hold no segment.
func (d *Decoder) path(dst *Drawable, addr PHYS) error {
	head, err := d.read(d.small[:sizePath+sizeChunk], addr)
	if err != nil {
		return err
	}
	d.buf, err = d.gather(d.buf[:0], addr, sizePath, head[sizePath:], MaxPathBytes)
	if err != nil {
		return err
	}
	for rest := view(d.buf); len(rest) > sizePathSegment; {
		flags, count := uint8(rest.u32(0)), uint64(rest.u32(4))
		rest = rest[sizePathSegment:]
		if count > uint64(len(rest))/sizePointFix {
			return d.refuse(ReasonPathData, count)
		}
		curve := count
		if flags&PathBegin != 0 && count > 0 {
			curve-- // the path's first point
		}
		if flags&PathBezier != 0 && curve%3 != 0 {
			return d.refuse(ReasonPathBezier, count)
		}
		dst.Segments = append(dst.Segments, PathSegment{Flags: flags, First: int32(len(dst.Points)), Count: int32(count)})
		for i := range int(count) {
			dst.Points = append(dst.Points, PointFix{X: rest.i32(8 * i), Y: rest.i32(8*i + 4)})
		}
		rest = rest[count*sizePointFix:]
	}
	return nil
}

// text reads a string, the area behind it, and the brushes of both.
func (d *Decoder) text(dst *Drawable, u view) error {
	if err := d.readString(&dst.Text, u.phys(0)); err != nil {
		return err
	}
	dst.BackArea, dst.Rop, dst.BackRop = u.rect(8), u.u16(64), u.u16(66)
	var err error
	if dst.Brush, err = d.brush(dst, u, 24); err != nil {
		return err
	}
	dst.BackBrush, err = d.brush(dst, u, 44)
	return err
}

// readString copies a string's glyphs, headers and all, into dst.Data and parses
// them there.
func (d *Decoder) readString(dst *Text, addr PHYS) error {
	head, err := d.read(d.small[:sizeString+sizeChunk], addr)
	if err != nil {
		return err
	}
	size, length, flags := head.u32(0), head.u16(4), head.u16(6)
	var bits int
	switch flags & (StringA1 | StringA4 | StringA8) {
	case StringA1:
		bits = 1
	case StringA4:
		bits = 4
	case StringA8:
		bits = 8
	default:
		return d.refuse(ReasonStringFlags, uint64(flags))
	}
	dst.Flags = uint8(flags) & (StringA1 | StringA4 | StringA8 | StringTopDown)
	dst.Data, err = d.gather(dst.Data[:0], addr, sizeString, head[sizeString:], MaxStringBytes)
	if err != nil {
		return err
	}
	if uint64(len(dst.Data)) != uint64(size) {
		return d.refuse(ReasonStringSize, uint64(size))
	}
	return d.glyphs(dst, bits, int(length))
}

// glyphs parses dst.Data: per glyph two points, a size, and its pixels.
func (d *Decoder) glyphs(dst *Text, bits, count int) error {
	data := view(dst.Data)
	for at := 0; at < len(data); {
		if len(dst.Glyphs) == count {
			return d.refuse(ReasonGlyphCount, uint64(count))
		}
		if len(data)-at < sizeGlyph {
			return d.refuse(ReasonGlyphData, uint64(at))
		}
		pos, err := d.position(data, at)
		if err != nil {
			return err
		}
		origin, err := d.position(data, at+8)
		if err != nil {
			return err
		}
		g := Glyph{Pos: pos, Origin: origin, Width: data.u16(at + 16), Height: data.u16(at + 18)}
		at += sizeGlyph
		g.Data = int32(at)
		size := int(g.Height) * ((int(g.Width)*bits + 7) / 8)
		if size > len(data)-at {
			return d.refuse(ReasonGlyphData, uint64(size))
		}
		at += size
		dst.Glyphs = append(dst.Glyphs, g)
	}
	if len(dst.Glyphs) != count {
		return d.refuse(ReasonGlyphCount, uint64(count))
	}
	return nil
}
