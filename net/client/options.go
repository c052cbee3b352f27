package client

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Options says how to connect and what to do with what arrives. The zero value
// connects in the clear, with an empty password, to all channels the client
// understands.
type Options struct {
	Password string
	TLS      *tls.Config // nil: in the clear
	// DialContext replaces the connection to the address, before TLS.
	DialContext func(ctx context.Context) (net.Conn, error)

	FullHeader bool               // ask for 18-byte message headers
	Channels   []wire.ChannelType // channels to open; nil: display, cursor and inputs
	MainCaps   wire.Caps          // nil: what the client understands
	Caps       wire.Caps          // of the display channels; nil: what the client understands
	CacheSize  int64              // pixels of the pixmap cache; 0: 20 Mi
	GLZWindow  int32              // pixels of the GLZ window; 0: by the server's memory hint, negative: none
	GStreamer  bool               // decode the videos that it decodes, too, if it is installed
	Limits     Limits             // zero fields: the defaults
	Timed      bool               // frames of videos wait for their time, late ones are dropped; otherwise all are shown at once
	Clock      ecs.Clock          // nil: ecs.SystemClock
	Log        *slog.Logger       // nil: slog.Default

	// OnDraw is called after a drawing message has been obeyed; the drawable is
	// valid until it returns. OnFrame is called after a frame of a video has been
	// shown. OnInvalidate is called with every area that changed on a surface. All
	// run on the display's goroutine, and the latter two on timers' when Timed is set.
	OnDraw       func(d *Display, dr *qxl.Drawable)
	OnFrame      func(d *Display, f Frame)
	OnInvalidate func(d *Display, surface uint32, area regions.Rect)
}

// Limits bounds what a server can make the client hold.
type Limits struct {
	Message  int   // bytes of a message's body
	Image    int   // pixels of one image or video frame
	Surfaces int64 // bytes of all surfaces of a display
	Channels int   // channels of a session
}

// DefaultLimits leave room for screens of 8192x8192 pixels.
var DefaultLimits = Limits{Message: 272 << 20, Image: 1 << 26, Surfaces: 1 << 30, Channels: 64}

// Bounds that no setting moves; servers stay far below.
const (
	maxSurfaces    = 4096
	maxPalettes    = 1024 // servers keep 128
	maxCursors     = 1024 // servers keep 256
	maxStreams     = 64   // protocol maximum
	maxSubMessages = 16   // servers send 2
	maxHeads       = 256

	defaultCache = 20 << 20 // pixels
	minGLZWindow = 12 << 20 // bytes
	maxGLZWindow = 64 << 20
)

// displayCaps is what the display channel understands.
var displayCaps = wire.NewCaps(wire.CapDisplaySizedStream, wire.CapDisplayMonitorsConfig,
	wire.CapDisplayComposite, wire.CapDisplayA8Surface, wire.CapDisplayStreamReport,
	wire.CapDisplayLZ4, wire.CapDisplayMultiCodec, wire.CapDisplayCodecMJPEG)

var mainCaps = wire.NewCaps(wire.CapMainNameAndUUID, wire.CapMainAgentConnectedTokens)

// complete fills in the defaults.
func (o Options) complete() Options {
	if o.Channels == nil {
		o.Channels = []wire.ChannelType{wire.ChannelDisplay, wire.ChannelCursor, wire.ChannelInputs}
	}
	if o.MainCaps == nil {
		o.MainCaps = mainCaps
	}
	if o.Caps == nil {
		o.Caps = displayCaps
		if o.GStreamer {
			o.Caps = slices.Clone(displayCaps)
			for i, c := range wire.NewCaps(gstreamerCaps()...) {
				o.Caps[i] |= c // all of them are in the first word
			}
		}
	}
	if o.CacheSize == 0 {
		o.CacheSize = defaultCache
	}
	if o.Clock == nil {
		o.Clock = ecs.SystemClock{}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	l, d := &o.Limits, DefaultLimits
	if l.Message == 0 {
		l.Message = d.Message
	}
	if l.Image == 0 {
		l.Image = d.Image
	}
	if l.Surfaces == 0 {
		l.Surfaces = d.Surfaces
	}
	if l.Channels == 0 {
		l.Channels = d.Channels
	}
	return o
}

// dial connects one channel to addr: "host:port", or "unix:path" for a local
// socket ("unix:@name" for an abstract one).
func (o *Options) dial(ctx context.Context, addr string) (net.Conn, error) {
	dial := o.DialContext
	if dial == nil {
		network, addr := "tcp", addr
		if path, ok := strings.CutPrefix(addr, "unix:"); ok {
			network, addr = "unix", path
		}
		dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	nc, err := dial(ctx)
	if err != nil || o.TLS == nil {
		return nc, err
	}
	cfg := o.TLS
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		cfg = cfg.Clone()
		if cfg.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			cfg.ServerName = addr
		}
	}
	tc := tls.Client(nc, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return tc, nil
}

// glzWindow is the GLZ window in pixels for a server's memory hint in bytes.
func (o *Options) glzWindow(ramHint uint32) int32 {
	switch {
	case o.GLZWindow > 0:
		return o.GLZWindow
	case o.GLZWindow < 0:
		return 0
	}
	return int32(min(max(ramHint/2, minGLZWindow), maxGLZWindow) / 4)
}
