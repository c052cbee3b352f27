// Command drain is a SPICE client that acknowledges everything, decodes nothing
// and counts what a server puts on the wire. Servers are compared with it,
// since it costs the machine next to nothing and treats all of them alike.
//
// It opens the main channel, the first display and the first cursor channel,
// and ends when the display has been silent for a while. It prints one line of
// JSON: a report.
//
//	drain -addr 127.0.0.1:5930 -idle 1s
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

// report is what went over the wire.
type report struct {
	Display     counts  `json:"display"`
	CursorBytes int64   `json:"cursor_bytes"`
	MainBytes   int64   `json:"main_bytes"`
	Wall        float64 `json:"wall_s"` // from the display's first message to its last byte
}

// settings are the options of the command line.
type settings struct {
	addr        string
	idle, first time.Duration
	rate        int
	cache       int64
	window      int
	noLZ4, old  bool
	codecs      bool
}

func main() {
	var s settings
	flag.StringVar(&s.addr, "addr", "127.0.0.1:5930", "the server's `HOST:PORT`")
	flag.DurationVar(&s.idle, "idle", 1500*time.Millisecond, "end after this much silence on the display")
	flag.DurationVar(&s.first, "first", 20*time.Second, "wait this long for the display's first byte")
	flag.IntVar(&s.rate, "rate", 0, "read at most so many `bytes` a second from the display, 0: as they come")
	flag.Int64Var(&s.cache, "cache", 20<<20, "size of the pixmap cache in `pixels`")
	flag.IntVar(&s.window, "glz-window", 4<<20, "size of the GLZ window in `pixels`")
	flag.BoolVar(&s.noLZ4, "no-lz4", false, "do not announce LZ4")
	flag.BoolVar(&s.old, "old", false, "announce no capability of the display channel")
	flag.BoolVar(&s.codecs, "mjpeg", false, "announce several video codecs, among them MJPEG")
	flag.Parse()
	r, err := drain(s)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}

// drain connects and counts until the display is silent.
func drain(s settings) (report, error) {
	mainCh, err := open(s.addr, 0, wire.ChannelMain, wire.NewCaps(0, 1, 2, 3))
	if err != nil {
		return report{}, err
	}
	defer mainCh.close()
	session, err := mainCh.session()
	if err != nil {
		return report{}, err
	}
	display, err := open(s.addr, session, wire.ChannelDisplay, s.caps())
	if err != nil {
		return report{}, err
	}
	defer display.close()
	display.rate = s.rate
	cursor, err := open(s.addr, session, wire.ChannelCursor, nil)
	if err != nil {
		return report{}, err
	}
	defer cursor.close()

	begin := time.Now()
	if err := display.send(wire.MsgcDisplayInit, s.init()); err != nil {
		return report{}, err
	}
	for _, c := range []*channel{mainCh, cursor, display} {
		go c.run()
	}
	if err := s.wait(display, begin); err != nil {
		return report{}, err
	}
	d := display.counted()
	return report{
		Display: d, CursorBytes: cursor.counted().Bytes, MainBytes: mainCh.counted().Bytes,
		Wall: display.last().Sub(begin).Seconds(),
	}, nil
}

// caps are those of the display channel.
func (s *settings) caps() wire.Caps {
	if s.old {
		return nil
	}
	bits := []int{wire.CapDisplaySizedStream, wire.CapDisplayMonitorsConfig, wire.CapDisplayComposite,
		wire.CapDisplayA8Surface, wire.CapDisplayStreamReport, wire.CapDisplayPrefCompression}
	if !s.noLZ4 {
		bits = append(bits, wire.CapDisplayLZ4)
	}
	if s.codecs {
		bits = append(bits, wire.CapDisplayMultiCodec, wire.CapDisplayCodecMJPEG)
	}
	return wire.NewCaps(bits...)
}

// init is the body of the display's first message: ids and sizes of the caches.
func (s *settings) init() []byte {
	b := append(make([]byte, 0, 14), 1)
	b = le.AppendUint64(b, uint64(s.cache))
	b = append(b, 1)
	return le.AppendUint32(b, uint32(s.window))
}

// wait returns when nothing has come for some time.
func (s *settings) wait(display *channel, begin time.Time) error {
	for range time.Tick(10 * time.Millisecond) {
		last := display.last()
		switch {
		case last.IsZero() && time.Since(begin) > s.first:
			return errors.New("nothing arrived")
		case !last.IsZero() && time.Since(last) > s.idle:
			return nil
		}
	}
	return nil
}
