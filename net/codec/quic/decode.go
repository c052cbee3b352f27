package quic

import "fmt"

// Decoder turns streams into images. The zero value is ready. It holds nothing
// of an image between calls, and is not for concurrent use.
type Decoder struct {
	state
	r bitReader
}

// Decode decodes the stream src into dst, lines from top to bottom, each
// im.Stride bytes from the one before; im must have the type and dimensions of
// the stream's header (see ParseHeader), and dst hold it. im.TopDown tells
// whether the top line goes first. The pad byte of RGB32 and the high bit of
// RGB16 become 0.
//
// The errors are ErrImage, ErrShort, and ErrCorrupt for a stream that ends
// early or has what no encoder writes; dst then holds whatever had been
// decoded. What follows the stream is not looked at. A Decoder needs memory for
// two lines, which dst has to be large enough for first.
func (d *Decoder) Decode(dst []byte, im Image, src []byte) error {
	return d.decode(dst, im, src, im.Type.BytesPerPixel(), unstage, unstageBytes)
}

// Decode32 decodes as Decode does, to 32-bit pixels B,G,R,x (B,G,R,A for RGBA)
// whatever the type: im.Stride is that of such pixels, x is 0, 5-bit colours
// are widened by repeating their upper bits.
func (d *Decoder) Decode32(dst []byte, im Image, src []byte) error {
	single := unstageBytes
	if im.Type == GRAY {
		single = unstageGray32
	}
	return d.decode(dst, im, src, 4, unstage32, single)
}

func (d *Decoder) decode(dst []byte, im Image, src []byte, size int,
	colours func([]byte, []uint32, Type), single func([]byte, []byte, Type)) error {
	head, err := ParseHeader(src)
	if err != nil {
		return fmt.Errorf("decoding QUIC: %w", err)
	}
	size *= head.Width
	if head.Type != im.Type || head.Width != im.Width || head.Height != im.Height || im.Stride < size || im.Stride > 1<<31-1 {
		return fmt.Errorf("decoding QUIC: %w: type %d, %d x %d, for %d, %d x %d, stride %d", ErrImage,
			head.Type, head.Width, head.Height, im.Type, im.Width, im.Height, im.Stride)
	}
	if need := (im.Height-1)*im.Stride + size; len(dst) < need {
		return fmt.Errorf("decoding QUIC: %w: %d bytes for an image of %d", ErrShort, len(dst), need)
	}
	d.r = bitReader{src: src[headerSize:]}
	defer func() { d.r = bitReader{} }()
	d.state.reset(im)
	for y := range im.Height {
		at := y * im.Stride
		if !im.TopDown {
			at = (im.Height - 1 - y) * im.Stride
		}
		line := dst[at : at+size]
		if im.Type.colours() {
			d.pixels.next(y)
			d.decodeColours(y)
			colours(line, d.pixels.row[1:], im.Type)
		}
		if im.Type.single() {
			d.bytes.next(y)
			d.decodeBytes(y)
			single(line, d.bytes.row[1:], im.Type)
		}
		if d.r.bad || d.r.overrun() {
			return fmt.Errorf("decoding QUIC: %w: row %d of %d", ErrCorrupt, y, im.Height)
		}
	}
	return nil
}

// decodeColours reads row y of the three planes.
func (d *Decoder) decodeColours(y int) {
	r, g := &d.pixels, &d.colour
	width := len(r.row) - 1
	for i := 0; i < width; {
		n := g.nextSpan(width - i)
		g.decodeSpan(&d.r, r, i, i+n, firstRun(y, width), y == 0)
		g.endSpan(n)
		i += n
	}
}

// decodeSpan reads columns i to end, within which nothing but the model
// changes. If first, it makes above what row 0 predicts from on its way.
func (g *group) decodeSpan(r *bitReader, rows *colourRows, i, end, firstRun int, first bool) {
	above, row, symbols := rows.above[:end+1], rows.row[:end+1], rows.symbols[:end+1]
	for i < end {
		stop := min(i+g.wait+1, end)
		if first {
			stop = i + 1
			above[stop] = row[i]
		}
		at := g.decodePixels(r, above, row, symbols, i, stop, firstRun)
		g.wait -= at - i
		i = at
		if g.wait < 0 {
			g.update(symbols[i-1], symbols[i])
			g.wait = g.draw()
		} else if i < stop {
			n := r.run(&g.mel, end-i)
			firstRun = max(firstRun, i+1)
			fill(row[i+1:i+1+n], row[i])
			i += n
		}
	}
}

func fill(row []uint32, v uint32) {
	for i := range row {
		row[i] = v
	}
}

// decodePixels reads columns i to stop one by one, or up to where a run
// begins, but not before firstRun. It returns the column it came to.
func (g *group) decodePixels(r *bitReader, above, row, symbols []uint32, i, stop, firstRun int) int {
	var (
		afterR, afterG, afterB = &g.planes[0].after, &g.planes[1].after, &g.planes[2].after
		mask                   = g.mask
		acc, n                 = r.acc, r.n
		v                      = symbols[i]
		codesR, codesG, codesB = afterR[uint8(v>>16)], afterG[uint8(v>>8)], afterB[uint8(v)]
		left, aboveLeft        = row[i], above[i]
		change                 = left ^ row[max(i-1, 0)] // from the pixel two to the left
	)
	above, row, symbols = above[i+1:stop+1], row[i+1:stop+1], symbols[i+1:stop+1]
	above, symbols = above[:len(row)], symbols[:len(row)]
	firstRun -= i
	for j := range row {
		up := above[j]
		if change|(up^aboveLeft) == 0 && j >= firstRun {
			r.acc, r.n = acc, n
			return i + j
		}
		if n < 32 {
			acc, n = r.refill(acc, n)
		}
		e0 := uint32(codesR.get[acc>>(64-lookBits)])
		a := acc << (e0 >> 8 & 63)
		e1 := uint32(codesG.get[a>>(64-lookBits)])
		a <<= e1 >> 8 & 63
		e2 := uint32(codesB.get[a>>(64-lookBits)])
		if e0 != 0 && e1 != 0 && e2 != 0 {
			acc = a << (e2 >> 8 & 63)
			n -= int(e0>>8 + e1>>8 + e2>>8)
			v = e0&0xff<<16 | e1&0xff<<8 | e2&0xff
		} else { // a long code
			r.acc, r.n = acc, n
			v = r.symbol(codesR)<<16 | r.symbol(codesG)<<8 | r.symbol(codesB)
			acc, n = r.acc, r.n
		}
		codesR, codesG, codesB = afterR[uint8(v>>16)], afterG[uint8(v>>8)], afterB[uint8(v)]
		symbols[j] = v
		p := (left&up + (left^up)&0xfefefe>>1) & mask
		s := v>>1&0x7f7f7f ^ (v&0x010101)*0xff
		x := (s&0x7f7f7f + p&0x7f7f7f) ^ (s^p)&0x808080
		row[j] = x
		change, left, aboveLeft = x^left, x, up
	}
	r.acc, r.n = acc, n
	return stop
}
