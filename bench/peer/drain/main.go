// Command drain counts what a SPICE server puts on the wire: a client that
// decodes nothing. It ends when the display has been silent for a while, and
// prints one line of JSON, a drain.Report.
//
//	drain -addr 127.0.0.1:5930 -idle 1s
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/net/wire"
)

func main() {
	var o drain.Options
	flag.StringVar(&o.Addr, "addr", "127.0.0.1:5930", "the server's `HOST:PORT`")
	flag.StringVar(&o.Password, "password", "", "password of the server")
	flag.IntVar(&o.Rate, "rate", 0, "read at most so many `bytes` a second from the display, 0: as they come")
	flag.DurationVar(&o.Burst, "burst", 0, "make up, with -rate, for so much silence by reading faster, 0: for all of it")
	flag.Int64Var(&o.Cache, "cache", drain.DefaultCache, "size of the pixmap cache in `pixels`")
	flag.IntVar(&o.Window, "glz-window", drain.DefaultWindow, "size of the GLZ window in `pixels`")
	idle := flag.Duration("idle", 1500*time.Millisecond, "end after this much silence on the display")
	first := flag.Duration("first", 20*time.Second, "wait this long for the display's first byte")
	old := flag.Bool("old", false, "announce no capability of the display channel")
	flag.Parse()
	if *old {
		o.Caps = wire.Caps{0}
	}
	if err := run(o, *idle, *first); err != nil {
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}

func run(o drain.Options, idle, first time.Duration) error {
	c, err := drain.Dial(o)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Wait(idle, first); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(c.Report())
}
