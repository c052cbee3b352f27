// Package drain is a SPICE client that acknowledges everything, decodes nothing
// and counts what a server puts on the wire. Servers are compared with it,
// since it costs the machine next to nothing and treats all of them alike.
//
// It opens the main channel, the first display and the first cursor channel,
// and reads each on a goroutine of its own. In the steady state it allocates
// nothing.
package drain

import (
	"errors"
	"fmt"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Defaults of Options: sizes that usual clients have.
const (
	DefaultCache  = 20 << 20
	DefaultWindow = 4 << 20
)

// Options say how to connect. Addr is required.
type Options struct {
	Addr     string // HOST:PORT
	Password string
	Caps     wire.Caps // of the display channel; nil: DisplayCaps()
	Cache    int64     // pixels of the pixmap cache; 0: DefaultCache
	Window   int       // pixels of the GLZ window; 0: DefaultWindow
	Rate     int       // bytes per second read from the display; 0: as they come
	// Burst is of how much silence the client makes up, by reading faster, when it
	// reads at a Rate; 0: of all since it connected.
	Burst time.Duration
}

// DisplayCaps are those of a client that does everything but video.
func DisplayCaps() wire.Caps {
	return wire.NewCaps(wire.CapDisplaySizedStream, wire.CapDisplayMonitorsConfig, wire.CapDisplayComposite,
		wire.CapDisplayA8Surface, wire.CapDisplayStreamReport, wire.CapDisplayPrefCompression, wire.CapDisplayLZ4)
}

// Report is what went over the wire.
type Report struct {
	Display     Counts  `json:"display"`
	CursorBytes int64   `json:"cursor_bytes"`
	MainBytes   int64   `json:"main_bytes"`
	Seconds     float64 `json:"wall_s"` // from the display's first message to its last byte, pings aside
}

// Counts are the messages of a channel.
type Counts struct {
	Bytes      int64            `json:"bytes"`
	Messages   int64            `json:"msgs"`
	ByMessage  map[string]int64 `json:"by_msg"`
	ImageCount map[string]int64 `json:"by_image_count"` // of draw_copy
	ImageBytes map[string]int64 `json:"by_image_bytes"`
}

// Client is a connected client.
type Client struct {
	main, display, cursor *channel
	began                 time.Time
}

// Dial connects, and begins to read.
func Dial(o Options) (_ *Client, err error) {
	if o.Caps == nil {
		o.Caps = DisplayCaps()
	}
	if o.Cache == 0 {
		o.Cache = DefaultCache
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	c := &Client{}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.main, err = open(&o, 0, wire.ChannelMain, wire.NewCaps(0, 1, 2, 3)); err != nil {
		return nil, err
	}
	session, err := c.main.session()
	if err != nil {
		return nil, fmt.Errorf("main channel: %w", err)
	}
	if c.display, err = open(&o, session, wire.ChannelDisplay, o.Caps); err != nil {
		return nil, err
	}
	c.display.limit = limiter{rate: o.Rate, burst: o.Burst}
	c.began = time.Now()
	// At once: the reference server does nothing else until this has come, and
	// not for long.
	if err := c.display.send(wire.MsgcDisplayInit, o.init()); err != nil {
		return nil, err
	}
	go c.main.run()
	go c.display.run()
	if c.cursor, err = open(&o, session, wire.ChannelCursor, nil); err != nil {
		return nil, err
	}
	go c.cursor.run()
	return c, nil
}

// init is the body of the display's first message: ids and sizes of the caches.
func (o *Options) init() []byte {
	b := append(make([]byte, 0, 14), 1)
	b = le.AppendUint64(b, uint64(o.Cache))
	b = append(b, 1)
	return le.AppendUint32(b, uint32(o.Window))
}

// Close ends all channels.
func (c *Client) Close() {
	for _, ch := range []*channel{c.main, c.display, c.cursor} {
		if ch != nil {
			ch.c.Close()
		}
	}
}

// ErrNothing says that nothing came at all.
var ErrNothing = errors.New("nothing arrived on the display")

// Wait returns when the server has closed the display, or nothing has come on
// it for as long as idle. For the first byte it waits as long as first.
func (c *Client) Wait(idle, first time.Duration) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		last := c.display.last()
		switch {
		case last.IsZero() && time.Since(c.began) > first:
			return ErrNothing
		case !last.IsZero() && time.Since(last) > idle:
			return nil
		}
		select {
		case <-tick.C:
		case <-c.display.done:
			if last.IsZero() {
				return fmt.Errorf("%w: %w", ErrNothing, c.display.err)
			}
			return nil
		}
	}
}

// Last is when the display's last byte came that was not one of a ping; zero: none
// has.
func (c *Client) Last() time.Time { return c.display.last() }

// Report returns what has been counted so far.
func (c *Client) Report() Report {
	return Report{
		Display: c.display.counted(), CursorBytes: c.cursor.counted().Bytes, MainBytes: c.main.counted().Bytes,
		Seconds: max(0, c.display.last().Sub(c.began).Seconds()),
	}
}
