package quic

// state is all that encoder and decoder know of the image behind them: the
// rows and models of its two groups of planes.
type state struct {
	pixels colourRows
	bytes  byteRows
	colour group // R,G,B
	single group // GRAY, or alpha
}

// colours tells whether the type has R, G and B, and single whether it has a
// plane by itself.
func (t Type) colours() bool { return t != GRAY }
func (t Type) single() bool  { return t == GRAY || t == RGBA }

// reset prepares for an image.
func (s *state) reset(im Image) {
	f := im.Type.family()
	if im.Type.colours() {
		s.colour.reset(f, 3)
		s.pixels.reset(im.Width)
	}
	if im.Type.single() {
		s.single.reset(f, 1)
		s.bytes.reset(im.Width)
	}
}

// colourRows are the two rows of three planes a group works on. All have one
// element more than the image has columns, [0], left of the first: the pixel
// above the first, which makes the prediction of the first the same as any
// other's, and the symbol of that pixel.
type colourRows struct {
	above, row []uint32
	symbols    []uint32
}

func (r *colourRows) reset(width int) {
	if n := width + 1; cap(r.row) < n {
		r.above, r.row, r.symbols = make([]uint32, n), make([]uint32, n), make([]uint32, n)
	}
	r.above, r.row, r.symbols = r.above[:width+1], r.row[:width+1], r.symbols[:width+1]
	clear(r.symbols)
	r.row[1] = 0
}

// next moves to row y.
func (r *colourRows) next(y int) {
	r.above, r.row = r.row, r.above
	r.row[0] = r.above[1]
	r.symbols[0] = r.symbols[1]
}

// byteRows is colourRows for a single plane.
type byteRows struct {
	above, row []byte
	symbols    []byte
}

func (r *byteRows) reset(width int) {
	if n := width + 1; cap(r.row) < n {
		r.above, r.row, r.symbols = make([]byte, n), make([]byte, n), make([]byte, n)
	}
	r.above, r.row, r.symbols = r.above[:width+1], r.row[:width+1], r.symbols[:width+1]
	clear(r.symbols)
	r.row[1] = 0
}

func (r *byteRows) next(y int) {
	r.above, r.row = r.row, r.above
	r.row[0] = r.above[1]
	r.symbols[0] = r.symbols[1]
}

// firstRun is the first column in which a run may begin: row 0 has none. In
// row 0, above is made to be the row itself, one column late, which turns the
// prediction there into the left pixel.
func firstRun(y, width int) int {
	if y == 0 {
		return width
	}
	return 3
}
