package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/spiceecs/spiceecs/systems/picture"
)

// pictures are the options of inspect that draw.
type pictures struct {
	tree, heat  string // files, "-" for standard output, "" for none
	at          uint64
	clientEvery uint64
}

// pictureReport is what is printed about pictures.
type pictureReport struct {
	File string `json:"file"`
	Tree string `json:"tree,omitempty"`
	Heat string `json:"heat,omitempty"`
	picture.Numbers
}

func (in *inspection) pictureFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.tree, "tree", "", "draw the render tree as SVG to `OUT.svg`")
	f.StringVar(&in.heat, "heat", "", "draw how often pixels were drawn and sent as PNG to `OUT.png`")
	f.Uint64Var(&in.at, "at", 0, "play only the first `N` display and cursor commands for the pictures")
	f.Uint64Var(&in.clientEvery, "client-every", 50, "`N` commands after which the client takes all that waits for it; 0: there is no client")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if in.tree == "-" && in.heat == "-" {
			return usageError{errors.New("only one of --tree and --heat can go to standard output")}
		}
		for _, name := range []string{"at", "client-every"} {
			if cmd.Flags().Changed(name) && in.tree == "" && in.heat == "" {
				return usageError{fmt.Errorf("--%s is for pictures: say which with --tree or --heat", name)}
			}
		}
		return nil
	}
}

// draw plays the recording and writes the pictures.
func (in *inspection) draw(ctx context.Context, stdin io.Reader) error {
	o := picture.Options{Title: filepath.Base(in.file), At: in.at, ClientEvery: in.clientEvery, Log: in.app.log}
	if in.file == "-" {
		o.Title = "standard input"
	}
	p, err := picture.Play(ctx, func() (io.ReadCloser, error) { return in.source(stdin) }, o)
	if err != nil {
		if hint := (hintError{}); errors.As(err, &hint) || errors.Is(err, os.ErrNotExist) {
			return err
		}
		return explainRecording(in.file, err)
	}
	if p.Problem != nil {
		in.app.log.Warn("not everything could be drawn", "drawables", p.Numbers.Failed, "first", p.Problem)
	}
	var tree, heat bytes.Buffer
	if in.tree != "" {
		if err := p.Tree.WriteSVG(&tree); err != nil {
			return err
		}
	}
	if in.heat != "" {
		if err := p.Heat.WritePNG(&heat); err != nil {
			return fmt.Errorf("%s: %w", in.file, err)
		}
	}
	if err := errors.Join(in.save(in.tree, &tree), in.save(in.heat, &heat)); err != nil {
		return err
	}
	return in.report(p.Numbers)
}

// source opens the recording.
func (in *inspection) source(stdin io.Reader) (io.ReadCloser, error) {
	if in.file == "-" {
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(in.file)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil || st.IsDir() {
		f.Close()
		return nil, hintError{errors.Join(fmt.Errorf("%s is a directory", in.file), err), "name a file that holds a recording"}
	}
	return f, nil
}

// save writes a picture that is complete.
func (in *inspection) save(file string, b *bytes.Buffer) error {
	switch file {
	case "":
		return nil
	case "-":
		_, err := b.WriteTo(in.app.out)
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// report tells about the pictures, on standard error if one of them went to
// standard output.
func (in *inspection) report(n picture.Numbers) error {
	w := in.app.out
	if in.tree == "-" || in.heat == "-" {
		w = in.app.err
	}
	if in.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(pictureReport{File: in.file, Tree: in.tree, Heat: in.heat, Numbers: n})
	}
	var err error
	if in.tree != "" {
		err = printTree(w, in.tree, n)
	}
	if in.heat != "" {
		err = errors.Join(err, printHeat(w, in.heat, n))
	}
	return err
}

// printTree sums the trees of all surfaces up.
func printTree(w io.Writer, file string, n picture.Numbers) error {
	drawables, containers, shadows, depth, onHold := 0, 0, 0, 0, int64(0)
	for _, s := range n.Surfaces {
		drawables, containers, shadows = drawables+s.Drawables, containers+s.Containers, shadows+s.Shadows
		depth, onHold = max(depth, s.Depth), onHold+s.OnHold
	}
	_, err := fmt.Fprintf(w, "%s: after %d commands: surfaces %d, drawables %d, containers %d (%d deep), shadows %d (%d pixels on hold)\n",
		file, n.Commands, len(n.Surfaces), drawables, containers, depth, shadows, onHold)
	return err
}
