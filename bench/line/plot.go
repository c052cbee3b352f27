package main

import (
	"errors"
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A picture has a panel for each quantity, one above the other, over the same time.

var (
	lineColors = map[string]color.Color{
		"spiceecs": color.RGBA{0x1f, 0x77, 0xb4, 0xff}, "reference": color.RGBA{0xd6, 0x5f, 0x0e, 0xff},
	}
	limitColor = color.Gray{0xb0}
	gridColor  = color.Gray{0xe4}
)

const (
	plotWide, plotHigh = 9 * vg.Inch, 10 * vg.Inch
	plotDPI            = 100
)

// panel is one quantity.
type panel struct {
	title string
	most  float64 // of the axis; 0: by the values
	value func(Point) float64
}

var panels = []panel{
	{"on the line, Mbit/s", 0, func(p Point) float64 { return p.Mbit }},
	{"frames shown a second", 30, func(p Point) float64 { return p.Frames }},
	{"quality of the shown frame, PSNR in dB", 50, func(p Point) float64 { return min(p.PSNR, 50) }},
	{"age of the shown frame, s", 0, func(p Point) float64 { return p.Age }},
}

// draw writes a PNG.
func (s *settings) draw(runs []*Run, file string) (err error) {
	img := vgimg.NewWith(vgimg.UseWH(plotWide, plotHigh), vgimg.UseDPI(plotDPI))
	rows := make([][]*plot.Plot, len(panels))
	for i, p := range panels {
		one, err := s.panel(p, runs, i == 0)
		if err != nil {
			return err
		}
		rows[i] = []*plot.Plot{one}
	}
	rows[len(rows)-1][0].X.Label.Text = "seconds since the recording began"
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadX: vg.Millimeter, PadY: 3 * vg.Millimeter,
		PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 4 * vg.Millimeter}
	for i, c := range plot.Align(rows, tiles, draw.New(img)) {
		rows[i][0].Draw(c[0])
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = vgimg.PngCanvas{Canvas: img}.WriteTo(f)
	return errors.Join(err, f.Close())
}

// panel draws one quantity of all runs; the first one has the legend and the line's
// rate.
func (s *settings) panel(what panel, runs []*Run, first bool) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = what.title
	p.Title.TextStyle.Font.Size = font.Length(11)
	p.X.Min, p.X.Max = 0, (lead + 3*s.phase + settle).Seconds()
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = gridColor, gridColor
	p.Add(grid)
	if first {
		if err := s.addLimit(p); err != nil {
			return nil, err
		}
	}
	for _, r := range runs {
		l, err := plotter.NewLine(points(r, what.value))
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", what.title, r.Server, err)
		}
		l.Color, l.Width = lineColors[r.Server], vg.Points(1.5)
		p.Add(l)
		if first {
			p.Legend.Add(r.Server, l)
		}
	}
	p.Y.Min = 0
	switch {
	case what.most > 0:
		p.Y.Max = what.most
	case first:
		p.Y.Max *= 1.6 // room for the legend
	default:
		p.Y.Max *= 1.05
	}
	p.Legend.Top = true
	p.Legend.TextStyle.Font.Size = font.Length(10)
	return p, nil
}

// addLimit adds the line's rate.
func (s *settings) addLimit(p *plot.Plot) error {
	a, b := lead+s.phase, lead+2*s.phase
	l, err := plotter.NewLine(plotter.XYs{
		{X: 0, Y: s.fast}, {X: a.Seconds(), Y: s.fast}, {X: a.Seconds(), Y: s.slow},
		{X: b.Seconds(), Y: s.slow}, {X: b.Seconds(), Y: s.fast}, {X: p.X.Max, Y: s.fast},
	})
	if err != nil {
		return err
	}
	l.Color, l.Width = limitColor, vg.Points(3)
	p.Add(l)
	p.Legend.Add("what the line carries", l)
	return nil
}

func points(r *Run, value func(Point) float64) plotter.XYs {
	xy := make(plotter.XYs, len(r.Points))
	for i, p := range r.Points {
		xy[i] = plotter.XY{X: p.At, Y: value(p)}
	}
	return xy
}
