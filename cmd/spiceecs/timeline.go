package main

import "strings"

// timelineBins is how many columns a plot has at most.
const timelineBins = 64

// timeline counts events over time in a fixed number of bins, whose width
// doubles as the time covered grows.
type timeline struct {
	start uint64 // ns
	width uint64 // ns of a bin, 0 before the first event
	bins  [timelineBins]uint64
	used  int
}

// firstBin is the width of a bin to begin with.
const firstBin = 1_000_000 // ns

// add counts an event. Time that goes backwards counts as the start.
func (t *timeline) add(ns uint64) {
	if t.width == 0 {
		t.start, t.width = ns, firstBin
	}
	at := uint64(0)
	if ns > t.start {
		at = ns - t.start
	}
	for at/t.width >= timelineBins {
		t.halve()
	}
	i := int(at / t.width)
	t.bins[i]++
	t.used = max(t.used, i+1)
}

// halve joins pairs of bins.
func (t *timeline) halve() {
	for i := range timelineBins / 2 {
		t.bins[i] = t.bins[2*i] + t.bins[2*i+1]
	}
	clear(t.bins[timelineBins/2:])
	t.width *= 2
	t.used /= 2 // or a little more: what is added next lies behind
}

// peak is the largest rate, in events a second.
func (t *timeline) peak() float64 {
	most := uint64(0)
	for _, n := range t.bins {
		most = max(most, n)
	}
	if t.width == 0 {
		return 0
	}
	return float64(most) * 1e9 / float64(t.width)
}

// bars are the heights of a plot's columns, in eighths.
var bars = []rune(" ▁▂▃▄▅▆▇█")

// plot draws values as bars: rows lines, the top one first, each as many
// columns as there are values. A value above 0 always shows.
func plot(values []uint64, rows int) []string {
	most := uint64(0)
	for _, v := range values {
		most = max(most, v)
	}
	out := make([]string, rows)
	for r := range out {
		var line strings.Builder
		for _, v := range values {
			height := 0 // in eighths of a row
			if v > 0 {
				height = max(1, int(float64(v)/float64(most)*float64(8*rows)))
			}
			line.WriteRune(bars[max(0, min(8, height-8*(rows-1-r)))])
		}
		out[r] = strings.TrimRight(line.String(), " ")
	}
	return out
}
