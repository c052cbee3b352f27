package core

import (
	"net"
	"time"

	"github.com/spiceecs/spiceecs/net/channel"
)

// The net test: two small pings, of which the faster gives the round trip, and
// a large one, whose additional time gives the bit rate.
const (
	testPings   = 3
	testPadding = 256000 // bytes of the large ping
	lowBitRate  = 10 << 20
)

// netTest measures a client's line once, at connect.
type netTest struct {
	next    uint32 // id of the pong that is awaited; 0: none
	sent    time.Time
	latency time.Duration
	bitRate uint64 // bits per second; 0: not measured
}

// start marshals the pings.
func (t *netTest) start(c *channel.Conn, now time.Time) {
	t.next, t.sent = 1, now
	for id := uint32(1); id <= testPings; id++ {
		padding := 0
		if id == testPings {
			padding = testPadding
		}
		c.WritePing(id, uint64(now.UnixMicro()), padding)
	}
}

func (t *netTest) running() bool { return t.next != 0 }

// pong takes an answer and reports whether it was the last one. An id out of
// turn changes nothing.
func (t *netTest) pong(id uint32, now time.Time) bool {
	if id != t.next || id == 0 {
		return false
	}
	took := now.Sub(t.sent)
	if id < testPings {
		if t.next++; id == 1 || took < t.latency {
			t.latency = took
		}
		return false
	}
	t.next = 0
	// No measurable difference is a fast line.
	if more := took - t.latency; more > 0 {
		t.bitRate = uint64(testPadding * 8 * time.Second / more)
	}
	return true
}

// low tells a slow line; one that was not measured is not.
func (t *netTest) low() bool { return t.bitRate > 0 && t.bitRate < lowBitRate }

// isNetwork reports whether a client is reached over something worth measuring.
func isNetwork(a net.Addr) bool { return a == nil || a.Network() != "unix" }
