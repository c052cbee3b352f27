package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

func init() { commands = append(commands, newCodecCmd) }

// codecRun compares the image codecs on pictures.
type codecRun struct {
	app     *app
	files   []string
	repeats int
	limit   int // MB of pixels
	json    bool
}

// Bounds of the options of codec.
const (
	maxRepeats = 1000
	maxPixels  = 1 << 14 // MB
)

func newCodecCmd(a *app) *cobra.Command {
	c := &codecRun{app: a}
	cmd := &cobra.Command{
		Use:   "codec FILE.png|FILE.rec...",
		Short: "Compare the image codecs on your own pictures",
		Long: `Encode and decode pictures with every codec, one core, and print how much smaller
they get and how many MB of pixels go through in a second.

Pictures are PNG files, or the bitmaps that a guest drew in a recording, plain or
compressed with zstd. Of several repetitions the best one counts. What is decoded
is compared with the picture; for JPEG the difference is told.`,
		Example: `  spiceecs codec screen.png
  spiceecs codec --repeat 10 photo.png desktop.rec.zst
  spiceecs codec --json session.rec.zst | jq '.codecs[] | {name, ratio}'`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"png", "rec", "zst"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.files = args
			return c.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.IntVar(&c.repeats, "repeat", 5, "how often each codec goes over all pictures")
	f.IntVar(&c.limit, "limit", 256, "`MB` of pixels after which no more pictures are taken")
	f.BoolVar(&c.json, "json", false, "print JSON")
	return cmd
}

// codecReport is what is printed.
type codecReport struct {
	Files    []string      `json:"files"`
	Pictures int           `json:"pictures"`
	Pixels   int64         `json:"pixels"`
	Bytes    int64         `json:"bytes"`
	Skipped  int           `json:"skipped"`  // bitmaps with a palette, or of less than 3x3 pixels
	Complete bool          `json:"complete"` // no picture was left out for the limit
	Codecs   []codecResult `json:"codecs"`
}

// codecResult is a line of the table. MB are of the pixels as they were in memory.
type codecResult struct {
	Name   string  `json:"name"`
	Bytes  int64   `json:"bytes"`
	Ratio  float64 `json:"ratio"`
	Encode float64 `json:"encode_mb_per_s"`
	Decode float64 `json:"decode_mb_per_s"`
	PSNR   float64 `json:"psnr_db,omitempty"` // of lossy codecs
}

func (c *codecRun) run(ctx context.Context) error {
	if c.repeats < 1 || c.repeats > maxRepeats {
		return usageError{fmt.Errorf("--repeat %d: want 1 to %d", c.repeats, maxRepeats)}
	}
	if c.limit < 1 || c.limit > maxPixels {
		return usageError{fmt.Errorf("--limit %d: want 1 to %d", c.limit, maxPixels)}
	}
	album := &album{limit: int64(c.limit) << 20}
	for _, name := range c.files {
		if err := album.load(ctx, name); err != nil {
			return err
		}
	}
	if len(album.pictures) == 0 {
		return hintError{fmt.Errorf("no pictures to compare codecs on"), "bitmaps with a palette do not count: only LZ takes them"}
	}
	report := codecReport{
		Files: c.files, Pictures: len(album.pictures), Pixels: album.pixels, Bytes: album.bytes,
		Skipped: album.skipped, Complete: !album.full,
	}
	all := contenders()
	bar := c.bar(album.bytes * int64(c.repeats) * int64(len(all)))
	defer func() { _ = bar.Clear() }()
	for _, x := range all {
		bar.Describe(x.name)
		r, err := x.measure(ctx, album, c.repeats, func(n int64) { _ = bar.Add64(n) })
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		report.Codecs = append(report.Codecs, r)
	}
	_ = bar.Clear()
	if c.json {
		enc := json.NewEncoder(c.app.out)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return report.print(c.app.out)
}

// bar is a progress bar, on a terminal.
func (c *codecRun) bar(total int64) *progressbar.ProgressBar {
	w := io.Discard
	if c.app.tty {
		w = c.app.err
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

func (r *codecReport) print(w io.Writer) error {
	fmt.Fprintf(w, "%d pictures, %.1f million pixels, %.1f MB", r.Pictures, float64(r.Pixels)/1e6, float64(r.Bytes)/1e6)
	if r.Skipped > 0 {
		fmt.Fprintf(w, "; %d with a palette or too small left out", r.Skipped)
	}
	if !r.Complete {
		fmt.Fprint(w, "; there are more, see --limit")
	}
	fmt.Fprint(w, "\n\n")
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "codec\tratio\tencode MB/s\tdecode MB/s\tloss\t")
	for _, c := range r.Codecs {
		loss := "none"
		if c.PSNR > 0 {
			loss = fmt.Sprintf("%.1f dB", c.PSNR)
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.0f\t%.0f\t%s\t\n", c.Name, c.Ratio, c.Encode, c.Decode, loss)
	}
	return t.Flush()
}
