package quic

// decodeBytes reads row y of the single plane.
func (d *Decoder) decodeBytes(y int) {
	r, g := &d.bytes, &d.single
	width := len(r.row) - 1
	for i := 0; i < width; {
		n := g.nextSpan(width - i)
		g.decodeByteSpan(&d.r, r, i, i+n, firstRun(y, width), y == 0)
		g.endSpan(n)
		i += n
	}
}

// decodeByteSpan is decodeSpan for a single plane.
func (g *group) decodeByteSpan(r *bitReader, rows *byteRows, i, end, firstRun int, first bool) {
	above, row, symbols := rows.above[:end+1], rows.row[:end+1], rows.symbols[:end+1]
	for i < end {
		stop := min(i+g.wait+1, end)
		if first {
			stop = i + 1
			above[stop] = row[i]
		}
		at := g.decodeBytePixels(r, above, row, symbols, i, stop, firstRun)
		g.wait -= at - i
		i = at
		if g.wait < 0 {
			g.planes[0].update(g.family, symbols[i-1], symbols[i], thresholds[g.step&7])
			g.wait = g.draw()
		} else if i < stop {
			n := r.run(&g.mel, end-i)
			firstRun = max(firstRun, i+1)
			repeated := row[i : i+1+n]
			for j := range repeated {
				repeated[j] = row[i]
			}
			i += n
		}
	}
}

// decodeBytePixels is decodePixels for a single plane.
func (g *group) decodeBytePixels(r *bitReader, above, row, symbols []byte, i, stop, firstRun int) int {
	after := &g.planes[0].after
	codes := after[symbols[i]]
	left, aboveLeft := row[i], above[i]
	change := left ^ row[max(i-1, 0)]
	above, row, symbols = above[i+1:stop+1], row[i+1:stop+1], symbols[i+1:stop+1]
	above, symbols = above[:len(row)], symbols[:len(row)]
	firstRun -= i
	for j := range row {
		up := above[j]
		if change|(up^aboveLeft) == 0 && j >= firstRun {
			return i + j
		}
		v := byte(r.symbol(codes))
		codes = after[v]
		symbols[j] = v
		x := v>>1 ^ -(v & 1) + (left&up + (left^up)>>1)
		row[j] = x
		change, left, aboveLeft = x^left, x, up
	}
	return stop
}
