// Command spiceecs serves, replays, inspects and photographs SPICE displays.
//
// A subcommand is one function in the list commands, in a file of its own. It
// gets what it needs of the outside (streams, log) from an app, so that tests
// run commands without a process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := &app{out: os.Stdout, err: os.Stderr, tty: term.IsTerminal(int(os.Stderr.Fd()))}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
