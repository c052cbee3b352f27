package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Session is a connection to a server: the main channel and all that belong to it.
type Session struct {
	addr   string
	opts   Options
	ctx    context.Context // ends with the session; its cause is why
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup // channel goroutines
	gate   gate           // opened whenever a channel has got further
	main   mainChannel
	images pixmapCache
	glz    glzWindow

	mu       sync.Mutex
	channels map[channelKey]*conn
	listed   bool // the first list of channels has been handled
	displays []*Display
	cursors  []*Cursor
	inputs   *Inputs
}

// channelKey names a channel within a session.
type channelKey struct {
	typ wire.ChannelType
	id  uint8
}

// Dial connects to the server at addr ("host:port" or "unix:path") and returns
// when all wanted channels that it lists are linked. The session lasts until
// Close, the end of ctx, or the end of the main channel. Errors wrap a
// wire.LinkError where the server refused.
func Dial(ctx context.Context, addr string, opts Options) (*Session, error) {
	s := &Session{addr: addr, opts: opts.complete(), channels: make(map[channelKey]*conn)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.main.session = s
	s.images.init(s)
	s.glz.init(s)
	c := &conn{session: s, typ: wire.ChannelMain, handler: &s.main, done: make(chan struct{})}
	s.main.conn = c
	s.channels[channelKey{c.typ, c.id}] = c
	s.start(c)
	if err := s.gate.wait(s.ctx, s.linked); err != nil {
		s.cancel(ErrClosed)
		s.wg.Wait()
		return nil, err
	}
	return s, nil
}

// linked reports whether the first list of channels has been worked off.
func (s *Session) linked() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.listed
	for _, c := range s.channels {
		select {
		case <-c.done:
			return false, c.err
		default:
			all = all && c.up
		}
	}
	return all, nil
}

// start links and runs a registered channel in a goroutine of its own.
func (s *Session) start(c *conn) {
	request := linkRequest{typ: c.typ, id: c.id, full: s.opts.FullHeader, password: s.opts.Password}
	switch c.typ {
	case wire.ChannelMain:
		request.caps = s.opts.MainCaps
	case wire.ChannelDisplay:
		request.caps = s.opts.Caps
	}
	if c.typ != wire.ChannelMain {
		request.session = s.main.info().SessionID
	}
	s.wg.Go(func() {
		err := c.open(s.ctx, request)
		if err == nil {
			if err = c.handler.opened(); err != nil {
				c.nc.Close()
			}
		}
		if err == nil {
			s.mu.Lock()
			c.up = true
			s.mu.Unlock()
			s.gate.open()
			err = c.run()
		}
		s.end(c, err)
	})
}

// end records why a channel is no more.
func (s *Session) end(c *conn, err error) {
	s.opts.Log.Debug("channel ended", "channel", c.typ, "id", c.id, "reason", err)
	c.err = err
	c.gone.Store(true)
	close(c.done)
	c.handler.closed()
	s.gate.open()
	if c.typ == wire.ChannelMain {
		s.cancel(err)
	}
}

// channel returns a channel that has been listed, or nil.
func (s *Session) channel(typ wire.ChannelType, id uint8) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[channelKey{typ, id}]
}

// others reports whether a display channel besides c can still bring something.
func (s *Session) others(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.channels {
		if o != c && o.typ == wire.ChannelDisplay && !o.gone.Load() {
			return true
		}
	}
	return false
}

// addChannels starts the wanted ones of listed channels.
func (s *Session) addChannels(keys []channelKey) error {
	s.mu.Lock()
	var fresh []*conn
	for _, k := range keys {
		if s.channels[k] != nil || k.typ == wire.ChannelMain || !slices.Contains(s.opts.Channels, k.typ) {
			continue
		}
		if len(s.channels) >= s.opts.Limits.Channels {
			s.mu.Unlock()
			return fmt.Errorf("%d channels: %w", len(s.channels)+1, ErrTooLarge)
		}
		if c := s.newChannel(k); c != nil {
			s.channels[k] = c
			fresh = append(fresh, c)
		}
	}
	s.listed = true
	s.mu.Unlock()
	for _, c := range fresh {
		s.start(c)
	}
	s.gate.open()
	return nil
}

// newChannel makes the handler of a channel; nil if there is none for its type.
func (s *Session) newChannel(k channelKey) *conn {
	c := &conn{session: s, typ: k.typ, id: k.id, done: make(chan struct{})}
	switch k.typ {
	case wire.ChannelDisplay:
		d := newDisplay(c)
		c.handler = d
		s.displays = append(s.displays, d)
		slices.SortFunc(s.displays, func(a, b *Display) int { return cmp.Compare(a.id, b.id) })
	case wire.ChannelCursor:
		p := &Cursor{conn: c}
		c.handler = p
		s.cursors = append(s.cursors, p)
		slices.SortFunc(s.cursors, func(a, b *Cursor) int { return cmp.Compare(a.id, b.id) })
	case wire.ChannelInputs:
		if s.inputs != nil {
			return nil
		}
		s.inputs = &Inputs{conn: c}
		c.handler = s.inputs
	default:
		return nil
	}
	return c
}

// Displays returns the display channels in order of their ids.
func (s *Session) Displays() []*Display {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.displays)
}

// Display returns the display channel with an id, or nil.
func (s *Session) Display(id uint8) *Display {
	for _, d := range s.Displays() {
		if d.id == id {
			return d
		}
	}
	return nil
}

// Cursors returns the cursor channels in order of their ids, which are those
// of the displays.
func (s *Session) Cursors() []*Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.cursors)
}

// Inputs returns the inputs channel, or nil.
func (s *Session) Inputs() *Inputs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inputs
}

// Done is closed when the session has ended; Err says why.
func (s *Session) Done() <-chan struct{} { return s.ctx.Done() }

// Err is why the session has ended, nil while it lasts, io.EOF (wrapped) when
// the server closed it.
func (s *Session) Err() error { return context.Cause(s.ctx) }

// Close ends the session and waits until all its goroutines have. What has
// been drawn stays readable.
func (s *Session) Close() {
	s.cancel(ErrClosed)
	s.wg.Wait()
}

// ID is the channel's number among those of its type.
func (c *conn) ID() uint8 { return c.id }

// ServerCaps are the capabilities the server has told for the channel.
func (c *conn) ServerCaps() wire.Caps { return c.caps }

// Done is closed when the channel has ended; Err says why.
func (c *conn) Done() <-chan struct{} { return c.done }

// Err is why the channel has ended, nil while it lasts; io.EOF (wrapped) stands
// for the server having closed it.
func (c *conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
