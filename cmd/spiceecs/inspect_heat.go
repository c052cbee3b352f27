package main

import (
	"fmt"
	"io"

	"github.com/spiceecs/spiceecs/systems/picture"
)

// printHeat tells how much of what was drawn on the screen was sent.
func printHeat(w io.Writer, file string, n picture.Numbers) error {
	drawn, sent := n.Primary.Drawn, n.Primary.Sent
	_, err := fmt.Fprintf(w, "%s: after %d commands: pixels drawn %d (one up to %d times), sent %d (one up to %d times), %.1f%%\n",
		file, n.Commands, drawn.Pixels, drawn.Most, sent.Pixels, sent.Most, 100*float64(sent.Pixels)/float64(max(1, drawn.Pixels)))
	return err
}
