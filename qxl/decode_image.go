package qxl

// readImage decodes the image at addr into dst.Images and returns its index;
// address 0 is no image. A mask has to be a one-bit bitmap and needs no palette.
// Pixels stay in guest memory.
func (d *Decoder) readImage(dst *Drawable, addr PHYS, mask bool) (int8, error) {
	if addr == 0 {
		return NoImage, nil
	}
	v, err := d.read(d.image[:], addr)
	if err != nil {
		return NoImage, err
	}
	im, index := dst.NewImage()
	im.ID, im.Type = v.u64(0), ImageType(v.u8(8))
	im.Flags = v.u8(9) & (ImageCacheMe | ImageHighBitsSet)
	im.Width, im.Height = v.u32(10), v.u32(14)
	if mask && im.Type != ImageBitmap {
		return NoImage, d.refuse(ReasonMaskFormat, uint64(im.Type))
	}
	switch im.Type {
	case ImageBitmap:
		err = d.bitmap(im, v, mask)
	case ImageQUIC:
		err = d.quic(im, v, addr)
	case ImageSurface:
		im.Surface = v.u32(18)
	default:
		err = d.refuse(ReasonImageType, uint64(im.Type))
	}
	if err != nil {
		return NoImage, err
	}
	return index, nil
}

// pixels checks the number of pixels of a w by h image.
func (d *Decoder) pixels(w, h uint32) error {
	if n := uint64(w) * uint64(h); n == 0 || n > MaxImagePixels {
		return d.refuse(ReasonImageSize, uint64(w)<<32|uint64(h))
	}
	return nil
}

// bitmap reads the 30 bytes that follow the descriptor of a bitmap, its palette,
// and where its lines are.
func (d *Decoder) bitmap(im *Image, v view, mask bool) error {
	im.Format, im.X, im.Y, im.Stride = BitmapFormat(v.u8(18)), v.u32(20), v.u32(24), v.u32(28)
	im.BitFlags = v.u8(19) & (BitmapDirect | BitmapUnstable | BitmapTopDown)
	bits := uint64(im.Format.BitsPerPixel())
	if bits == 0 {
		return d.refuse(ReasonBitmapFormat, uint64(im.Format))
	}
	if mask && bits != 1 {
		return d.refuse(ReasonMaskFormat, uint64(im.Format))
	}
	if err := d.pixels(im.Width, im.Height); err != nil {
		return err
	}
	if err := d.pixels(im.X, im.Y); err != nil {
		return err
	}
	if (uint64(im.X)*bits+7)/8 > uint64(im.Stride) {
		return d.refuse(ReasonBitmapStride, uint64(im.Stride))
	}
	size := uint64(im.Stride) * uint64(im.Y)
	if size > MaxImageBytes {
		return d.refuse(ReasonBitmapSize, size)
	}
	if im.Format.Indexed() && !mask {
		if err := d.palette(&im.Palette, v.phys(32), 1<<bits); err != nil {
			return err
		}
		im.HasPalette = true
	}
	return d.bitmapData(&im.Data, v.phys(40), int(size), im.BitFlags&BitmapDirect != 0)
}

// bitmapData finds a bitmap's size bytes: in one piece, or as a chunk list that
// adds up to exactly that.
func (d *Decoder) bitmapData(dst *Blob, addr PHYS, size int, direct bool) error {
	if direct {
		b, err := d.mem.Bytes(addr, size, d.cmd.Group)
		if err != nil {
			return err
		}
		dst.Append(b)
		return nil
	}
	head, err := d.read(d.link[:], addr)
	if err != nil {
		return err
	}
	if err := d.walk(dst, addr, 0, head, size); err != nil {
		return err
	}
	if dst.Size != size {
		return d.refuse(ReasonBitmapData, uint64(dst.Size))
	}
	return nil
}

// palette reads the entries that a pixel can name, at most limit; a driver may
// give fewer, and may store more.
func (d *Decoder) palette(dst *Palette, addr PHYS, limit int) error {
	if addr == 0 {
		return d.refuse(ReasonBitmapPalette, 0)
	}
	v, err := d.read(d.small[:sizePalette], addr)
	if err != nil {
		return err
	}
	dst.Unique = v.u64(0)
	n := min(int(v.u16(8)), limit)
	ents, err := d.mem.Bytes(addr, sizePalette+4*n, d.cmd.Group)
	if err != nil {
		return err
	}
	d.buf = append(d.buf[:0], ents[sizePalette:]...)
	for i := range n {
		dst.Entries = append(dst.Entries, d.color(view(d.buf).u32(4*i)))
	}
	return nil
}

// quic finds a QUIC stream; its chunk list begins inside the image structure.
func (d *Decoder) quic(im *Image, v view, addr PHYS) error {
	if err := d.pixels(im.Width, im.Height); err != nil {
		return err
	}
	const chunk = 22
	size := v.u32(18)
	if err := d.walk(&im.Data, addr, chunk, v[chunk:], MaxImageBytes); err != nil {
		return err
	}
	if uint64(im.Data.Size) != uint64(size) {
		return d.refuse(ReasonQUICData, uint64(size))
	}
	return nil
}

// walk collects the pieces of a chunk list without copying them. The first
// chunk's header lies at bytes behind base and is given as a copy; each chunk's
// data follows its header in the same slot. The list may have limit bytes and
// what is left of the command's chunks: an endless list of empty chunks ends.
func (d *Decoder) walk(dst *Blob, base PHYS, at int, head view, limit int) error {
	for {
		if d.chunks--; d.chunks < 0 {
			return d.refuse(ReasonChunkCount, MaxChunks)
		}
		size, next := head.u32(0), head.phys(12)
		if uint64(size) > uint64(limit-dst.Size) {
			return d.refuse(ReasonChunkBytes, uint64(dst.Size)+uint64(size))
		}
		b, err := d.mem.Bytes(base, at+sizeChunk+int(size), d.cmd.Group)
		if err != nil {
			return err
		}
		dst.Append(b[at+sizeChunk:])
		if next == 0 {
			return nil
		}
		if head, err = d.read(d.link[:], next); err != nil {
			return err
		}
		base, at = next, 0
	}
}

// gather copies the data of a chunk list behind dst. Parameters are walk's.
func (d *Decoder) gather(dst []byte, base PHYS, at int, head view, limit int) ([]byte, error) {
	err := d.walk(&d.pieces, base, at, head, limit)
	if err == nil {
		dst = d.pieces.AppendTo(dst)
	}
	d.pieces.Reset()
	return dst, err
}
