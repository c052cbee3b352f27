package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// plotRows is the height of the plot of events over time, in lines.
const plotRows = 4

// print writes the contents for people.
func (c *contents) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s: %d events, %s, %s\n", c.File, c.Events, byteCount(uint64(c.Bytes)), seconds(c.Seconds))
	printCounts(t, "commands", c.Commands)
	printCounts(t, "drawing operations", c.Draws)
	printCounts(t, "effects", c.Effects)
	printImages(t, "images by compression", c.Images)
	printImages(t, "bitmaps by format", c.Bitmaps)
	c.printSizes(t)
	printCounts(t, "cursor commands", c.Cursors)
	c.printSurfaces(t)
	printCounts(t, "requests to the worker", c.Worker)
	if err := t.Flush(); err != nil {
		return err
	}
	return c.printRate(w)
}

// byCount is m's names, the most frequent one first.
func byCount[V any](m map[string]V, count func(V) uint64) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(count(m[b]), count(m[a])), cmp.Compare(a, b))
	})
}

func printCounts(w io.Writer, title string, m map[string]uint64) {
	if len(m) == 0 {
		return
	}
	total := uint64(0)
	for _, n := range m {
		total += n
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, name := range byCount(m, func(n uint64) uint64 { return n }) {
		fmt.Fprintf(w, "  %s\t%d\t%.1f%%\n", name, m[name], 100*float64(m[name])/float64(total))
	}
}

func printImages(w io.Writer, title string, m map[string]*imageCount) {
	if len(m) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, name := range byCount(m, func(n *imageCount) uint64 { return n.Count }) {
		n := m[name]
		fmt.Fprintf(w, "  %s\t%d\t%d pixels\t%s\n", name, n.Count, n.Pixels, byteCount(n.Bytes))
	}
}

// printSizes shows the histogram of image sizes, without empty ends.
func (c *contents) printSizes(w io.Writer) {
	first, last := -1, 0
	most := uint64(0)
	for i, n := range c.ImageSizes {
		if n == 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		last, most = i, max(most, n)
	}
	if first < 0 {
		return
	}
	fmt.Fprintf(w, "\nimage sizes in pixels\n")
	for i := first; i <= last; i++ {
		label := fmt.Sprintf("up to %d", uint64(16)<<(2*i))
		if i == sizeClasses-1 {
			label = "larger"
		}
		fmt.Fprintf(w, "  %s\t%d%s\n", label, c.ImageSizes[i], bar(c.ImageSizes[i], most, 40))
	}
}

// bar is a column with a horizontal bar of up to width characters.
func bar(n, most uint64, width int) string {
	if n == 0 {
		return ""
	}
	return "\t" + strings.Repeat("█", max(1, int(float64(n)/float64(most)*float64(width))))
}

func (c *contents) printSurfaces(w io.Writer) {
	s := &c.Surfaces
	fmt.Fprintf(w, "\nsurfaces\n")
	fmt.Fprintf(w, "  primary\t%s\n", cmp.Or(strings.Join(s.Primary, ", "), "none"))
	fmt.Fprintf(w, "  off-screen\t%d created\t%d destroyed\t%d at once\n", s.Created, s.Destroyed, s.Peak)
	if s.Created == 0 {
		return
	}
	fmt.Fprintf(w, "  largest\t%dx%d\n", s.MaxWidth, s.MaxHeight)
	for _, name := range byCount(s.Formats, func(n uint64) uint64 { return n }) {
		fmt.Fprintf(w, "  %s\t%d\n", name, s.Formats[name])
	}
}

func (c *contents) printRate(w io.Writer) error {
	if len(c.Rate.Events) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nevents over time, %s a column, at most %.0f/s\n", seconds(c.Rate.BinSeconds), c.Rate.Peak)
	for _, line := range plot(c.Rate.Events, plotRows) {
		fmt.Fprintf(w, "  %s\n", line)
	}
	_, err := fmt.Fprintf(w, "  %s\n", strings.Repeat("‾", len(c.Rate.Events)))
	return err
}

// seconds writes a duration with three digits.
func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.3g ms", s*1000)
	}
	return fmt.Sprintf("%.1f s", s)
}

// byteCount writes a number of bytes with a unit.
func byteCount(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}
