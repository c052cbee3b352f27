package client

import (
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// maxMessage bounds the message numbers that are counted one by one.
const maxMessage = 512

// counters is what a channel counts; Stats is its readable form.
type counters struct {
	messages, bytes uint64
	byMessage       [maxMessage]uint64
	images          [256]ImageStats
}

// ImageStats counts images of one type on the wire. Pixels are those of the
// descriptors, bytes those of the data.
type ImageStats struct{ Count, Pixels, Bytes uint64 }

// Stats says what a channel has received. Messages inside lists count by type
// but not in the sums.
type Stats struct {
	Messages  uint64 // received
	Bytes     uint64 // of them, headers included
	ByMessage map[uint16]uint64
	Images    map[qxl.ImageType]ImageStats
}

// count counts a message whose body has the given size.
func (c *conn) count(msg uint16, size int) {
	head := wire.MiniHeaderSize
	if !c.mini {
		head = wire.FullHeaderSize
	}
	c.statsMu.Lock()
	c.stats.messages++
	c.stats.bytes += uint64(head + size)
	c.statsMu.Unlock()
	c.countType(msg)
}

// countType counts a message or sub-message by its number.
func (c *conn) countType(msg uint16) {
	if msg >= maxMessage {
		return
	}
	c.statsMu.Lock()
	c.stats.byMessage[msg]++
	c.statsMu.Unlock()
}

func (c *conn) countImage(im *qxl.Image) {
	c.statsMu.Lock()
	defer c.statsMu.Unlock()
	n := &c.stats.images[im.Type]
	n.Count++
	n.Pixels += uint64(im.Width) * uint64(im.Height)
	n.Bytes += uint64(im.Data.Size)
}

// Stats returns what the channel has counted so far.
func (c *conn) Stats() Stats {
	c.statsMu.Lock()
	defer c.statsMu.Unlock()
	s := Stats{
		Messages: c.stats.messages, Bytes: c.stats.bytes,
		ByMessage: make(map[uint16]uint64), Images: make(map[qxl.ImageType]ImageStats),
	}
	for m, n := range c.stats.byMessage {
		if n > 0 {
			s.ByMessage[uint16(m)] = n
		}
	}
	for t, n := range c.stats.images {
		if n.Count > 0 {
			s.Images[qxl.ImageType(t)] = n
		}
	}
	return s
}
