package main

import (
	"fmt"
	"time"

	engine "github.com/spiceecs/spiceecs"
)

// statusEvery is how often the status line changes.
const statusEvery = time.Second

// statusLine says what a device did between two looks at its counters.
func statusLine(before, now engine.DeviceStats, passed time.Duration) string {
	perSecond := func(n float64) float64 { return n / passed.Seconds() }
	return fmt.Sprintf("%d clients  %.2f Mbit/s  %.0f frames/s  %d queued  %d streams",
		now.Clients, perSecond(float64(now.SentBytes-before.SentBytes)*8/1e6),
		perSecond(float64(now.Frames-before.Frames)), now.Queued, now.Streams)
}

// showStatus keeps a status line on the terminal, if there is one, until stop is
// called, which wipes it away.
func (s *session) showStatus() (stop func()) {
	if !s.app.tty {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(statusEvery)
		defer tick.Stop()
		before, at := engine.DeviceStats{}, time.Now()
		for {
			select {
			case <-quit:
				fmt.Fprint(s.app.err, "\r\x1b[K")
				return
			case now := <-tick.C:
				stats, err := s.device.Stats()
				if err != nil {
					continue
				}
				fmt.Fprintf(s.app.err, "\r%s\x1b[K", statusLine(before, stats, now.Sub(at)))
				before, at = stats, now
			}
		}
	}()
	return func() { close(quit); <-done }
}
