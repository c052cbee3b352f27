package core

import (
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

// Channel is a channel that something other than the core serves: a device's
// display or cursor worker, for one.
type Channel interface {
	Type() wire.ChannelType
	ID() uint8
	// Caps are the channel's capabilities; they do not change.
	Caps() wire.Caps
	// Connect takes over a client's link. It is called on the core's goroutine
	// and must not block. A client may link to a channel that it has already;
	// the channel has to refuse that, by closing the descriptor.
	Connect(Attachment)
	// Disconnect tells that a client, connected to this channel or not, has
	// gone. It is called on the core's goroutine and must not block.
	Disconnect(client uint32)
}

// Attachment is a client's link to a channel, link result 0 already sent.
type Attachment struct {
	FD           int // a non-blocking socket that the Channel owns from now on
	Client       ClientInfo
	Hello        link.Hello
	LowBandwidth bool // the client's line was measured to be slow
}

// AddChannel offers a channel to clients. Those that have asked for the list of
// channels already are told of it.
func (c *Core) AddChannel(ch Channel) error {
	r := registration{kind: ch.Type(), id: ch.ID(), caps: ch.Caps(), channel: ch}
	if err := c.access.add(r); err != nil {
		return err
	}
	c.post(func() {
		for _, cl := range c.clients {
			if cl.listed {
				cl.main.sendChannels([]registration{r})
				cl.main.conn.Pump()
			}
		}
		c.updatePointer()
	})
	return nil
}

// RemoveChannel withdraws a channel. It waits for the core: afterwards none of
// the channel's methods is called again. Links that it has taken over stay.
func (c *Core) RemoveChannel(ch Channel) {
	c.access.remove(ch)
	c.call(c.updatePointer)
}

// SetSecurity says over which transports a channel type may be linked; at first
// both are allowed. Links that exist stay.
func (c *Core) SetSecurity(t wire.ChannelType, s link.Security) { c.access.setSecurity(t, s) }
