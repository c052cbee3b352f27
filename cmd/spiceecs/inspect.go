package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/spiceecs/spiceecs/qxl/record"
)

// longFile is the size from which on a progress bar is shown, in bytes.
const longFile = 4 << 20

// inspection is a recording to be looked at.
type inspection struct {
	app  *app
	file string // "-" for standard input
	json bool
	pictures
}

func newInspectCmd(a *app) *cobra.Command {
	in := &inspection{app: a}
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Tell what a recording of a QXL device holds",
		Long: `Read a recording of a QXL device, plain or compressed with zstd, and tell what is
in it: commands, effects, images by format and size, surfaces, requests to the
device worker, and how the rate of events went over time.

With --tree or --heat, run the recording through the engine instead, with one
simulated client, and draw what that did: the render tree as it stands after N
commands, or how often each pixel of the screen was drawn and sent.

A server writes recordings when SPICE_WORKER_RECORD_FILENAME names a file.
FILE may be - for standard input, and a picture - for standard output.`,
		Example: `  spiceecs inspect desktop.rec.zst
  spiceecs inspect --json desktop.rec.zst | jq .draws
  zcat desktop.rec.gz | spiceecs inspect -
  spiceecs inspect --at 700 --tree tree.svg --heat heat.png desktop.rec.zst`,
		Args: usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"rec", "zst"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			in.file = args[0]
			return in.run(cmd.Context(), cmd.InOrStdin())
		},
	}
	cmd.Flags().BoolVar(&in.json, "json", false, "print JSON")
	in.pictureFlags(cmd)
	return cmd
}

func (in *inspection) run(ctx context.Context, stdin io.Reader) error {
	if in.tree != "" || in.heat != "" {
		return in.draw(ctx, stdin)
	}
	src, size := stdin, int64(0)
	if in.file != "-" {
		f, err := os.Open(in.file)
		if err != nil {
			return err
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			return err
		}
		if st.IsDir() {
			return hintError{fmt.Errorf("%s is a directory", in.file), "name a file that holds a recording"}
		}
		src, size = f, st.Size()
	}
	if in.app.tty && size >= longFile {
		bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(in.app.err), progressbar.OptionShowBytes(true),
			progressbar.OptionSetDescription("reading"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		defer func() { _ = bar.Clear() }()
		r := progressbar.NewReader(src, bar)
		src = &r
	}
	c, err := readContents(ctx, src)
	if err != nil {
		return explainRecording(in.file, err)
	}
	c.File = in.file
	if in.json {
		enc := json.NewEncoder(in.app.out)
		enc.SetIndent("", "  ")
		return enc.Encode(c)
	}
	return c.print(in.app.out)
}

// readContents reads a whole recording.
func readContents(ctx context.Context, src io.Reader) (*contents, error) {
	r, err := record.NewReader(src)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c := newContents()
	var ev record.Event
	for ctx.Err() == nil {
		err := r.Next(&ev)
		if err == io.EOF {
			c.finish()
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		c.add(&ev)
	}
	return nil, context.Cause(ctx)
}

// explainRecording adds advice to the errors of a damaged file.
func explainRecording(file string, err error) error {
	var format *record.FormatError
	if !errors.As(err, &format) {
		return fmt.Errorf("%s: %w", file, err)
	}
	hint := "the file is damaged at that place"
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && format.Offset > 0:
		hint = "the recording ends in the middle of an event: was the server killed, or the file cut?"
	case format.Event == 0 && format.Offset == 0:
		hint = "that is no recording of a QXL device: a server writes one when SPICE_WORKER_RECORD_FILENAME names a file"
	}
	return hintError{fmt.Errorf("%s: %w", file, err), hint}
}
