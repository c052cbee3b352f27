package main

import (
	"testing"
	"time"

	engine "github.com/spiceecs/spiceecs"
)

func TestStatusLine(t *testing.T) {
	before := engine.DeviceStats{SentBytes: 1 << 30, Frames: 100}
	now := engine.DeviceStats{SentBytes: 1<<30 + 500e3, Frames: 150, Clients: 2, Queued: 7, Streams: 1}
	want := "2 clients  2.00 Mbit/s  25 frames/s  7 queued  1 streams"
	if got := statusLine(before, now, 2*time.Second); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
