package wire

// Protocol version and magic of the link phase.
const (
	Magic        = "REDQ"
	VersionMajor = 2
	VersionMinor = 2
)

// Header sizes of data messages.
const (
	MiniHeaderSize = 6
	FullHeaderSize = 18
)

// ChannelType names a channel.
type ChannelType uint8

// Channel types.
const (
	ChannelMain      ChannelType = 1
	ChannelDisplay   ChannelType = 2
	ChannelInputs    ChannelType = 3
	ChannelCursor    ChannelType = 4
	ChannelPlayback  ChannelType = 5
	ChannelRecord    ChannelType = 6
	ChannelTunnel    ChannelType = 7
	ChannelSmartcard ChannelType = 8
	ChannelUSBRedir  ChannelType = 9
	ChannelPort      ChannelType = 10
	ChannelWebDAV    ChannelType = 11
)

var channelNames = [...]string{"", "main", "display", "inputs", "cursor", "playback", "record",
	"tunnel", "smartcard", "usbredir", "port", "webdav"}

// String is the name used in settings and logs.
func (t ChannelType) String() string {
	if int(t) < len(channelNames) && t != 0 {
		return channelNames[t]
	}
	return "unknown"
}

// LinkError is a result code of the link phase.
type LinkError uint32

// Link results.
const (
	LinkOK LinkError = iota
	LinkErrError
	LinkErrInvalidMagic
	LinkErrInvalidData
	LinkErrVersionMismatch
	LinkErrNeedSecured
	LinkErrNeedUnsecured
	LinkErrPermissionDenied
	LinkErrBadConnectionID
	LinkErrChannelNotAvailable
)

var linkErrorNames = [...]string{"ok", "error", "invalid magic", "invalid data", "version mismatch",
	"need a secured connection", "need an unsecured connection", "permission denied",
	"bad connection id", "channel not available"}

// Error makes a LinkError usable as an error.
func (e LinkError) Error() string {
	if int(e) < len(linkErrorNames) {
		return "link: " + linkErrorNames[e]
	}
	return "link: unknown error"
}

// Common capability bits.
const (
	CapAuthSelection = 0
	CapAuthSPICE     = 1
	CapAuthSASL      = 2
	CapMiniHeader    = 3
)

// Main channel capability bits.
const (
	CapMainSemiSeamlessMigrate  = 0
	CapMainNameAndUUID          = 1
	CapMainAgentConnectedTokens = 2
	CapMainSeamlessMigrate      = 3
)

// Display channel capability bits.
const (
	CapDisplaySizedStream     = 0
	CapDisplayMonitorsConfig  = 1
	CapDisplayComposite       = 2
	CapDisplayA8Surface       = 3
	CapDisplayStreamReport    = 4
	CapDisplayLZ4             = 5
	CapDisplayPrefCompression = 6
	CapDisplayGLScanout       = 7
	CapDisplayMultiCodec      = 8
	CapDisplayCodecMJPEG      = 9
	CapDisplayCodecVP8        = 10
	CapDisplayCodecH264       = 11
	CapDisplayPrefVideoCodec  = 12
	CapDisplayCodecVP9        = 13
	CapDisplayCodecH265       = 14
	CapInputsKeyScancode      = 0
)

// Caps is a set of capability bits, bit n of word n/32.
type Caps []uint32

// Has reports whether bit n is set; absent words count as zero.
func (c Caps) Has(n int) bool { return n/32 < len(c) && c[n/32]>>(n%32)&1 != 0 }

// NewCaps returns a set with the given bits.
func NewCaps(bits ...int) Caps {
	var c Caps
	for _, b := range bits {
		for b/32 >= len(c) {
			c = append(c, 0)
		}
		c[b/32] |= 1 << (b % 32)
	}
	return c
}

// Messages of every channel, server to client.
const (
	MsgMigrate         = 1
	MsgMigrateData     = 2
	MsgSetAck          = 3
	MsgPing            = 4
	MsgWaitForChannels = 5
	MsgDisconnecting   = 6
	MsgNotify          = 7
	MsgList            = 8
)

// Messages of every channel, client to server.
const (
	MsgcAckSync          = 1
	MsgcAck              = 2
	MsgcPong             = 3
	MsgcMigrateFlushMark = 4
	MsgcMigrateData      = 5
	MsgcDisconnecting    = 6
)

// Main channel messages.
const (
	MsgMainMigrateBegin         = 101
	MsgMainMigrateCancel        = 102
	MsgMainInit                 = 103
	MsgMainChannelsList         = 104
	MsgMainMouseMode            = 105
	MsgMainMultiMediaTime       = 106
	MsgMainAgentConnected       = 107
	MsgMainAgentDisconnected    = 108
	MsgMainAgentData            = 109
	MsgMainAgentToken           = 110
	MsgMainMigrateSwitchHost    = 111
	MsgMainMigrateEnd           = 112
	MsgMainName                 = 113
	MsgMainUUID                 = 114
	MsgMainAgentConnectedTokens = 115

	MsgcMainClientInfo        = 101
	MsgcMainMigrateConnected  = 102
	MsgcMainMigrateConnectErr = 103
	MsgcMainAttachChannels    = 104
	MsgcMainMouseModeRequest  = 105
	MsgcMainAgentStart        = 106
	MsgcMainAgentData         = 107
	MsgcMainAgentToken        = 108
	MsgcMainMigrateEnd        = 109
	MsgcMainMigrateDstDo      = 110
	MsgcMainMigrateConnSeam   = 111
	MsgcMainQualityIndicator  = 112
)

// Mouse modes.
const (
	MouseServer = 1
	MouseClient = 2
)

// Display channel messages.
const (
	MsgDisplayMode                    = 101
	MsgDisplayMark                    = 102
	MsgDisplayReset                   = 103
	MsgDisplayCopyBits                = 104
	MsgDisplayInvalList               = 105
	MsgDisplayInvalAllPixmaps         = 106
	MsgDisplayInvalPalette            = 107
	MsgDisplayInvalAllPalettes        = 108
	MsgDisplayStreamCreate            = 122
	MsgDisplayStreamData              = 123
	MsgDisplayStreamClip              = 124
	MsgDisplayStreamDestroy           = 125
	MsgDisplayStreamDestroyAll        = 126
	MsgDisplayDrawFill                = 302
	MsgDisplayDrawOpaque              = 303
	MsgDisplayDrawCopy                = 304
	MsgDisplayDrawBlend               = 305
	MsgDisplayDrawBlackness           = 306
	MsgDisplayDrawWhiteness           = 307
	MsgDisplayDrawInvers              = 308
	MsgDisplayDrawRop3                = 309
	MsgDisplayDrawStroke              = 310
	MsgDisplayDrawText                = 311
	MsgDisplayDrawTransparent         = 312
	MsgDisplayDrawAlphaBlend          = 313
	MsgDisplaySurfaceCreate           = 314
	MsgDisplaySurfaceDestroy          = 315
	MsgDisplayStreamDataSized         = 316
	MsgDisplayMonitorsConfig          = 317
	MsgDisplayDrawComposite           = 318
	MsgDisplayStreamActivateRep       = 319
	MsgDisplayGLScanoutUnix           = 320
	MsgDisplayGLDraw                  = 321
	MsgcDisplayInit                   = 101
	MsgcDisplayStreamReport           = 102
	MsgcDisplayPrefCompression        = 103
	MsgcDisplayGLDrawDone             = 104
	MsgcDisplayPrefVideoCodec         = 105
	SurfaceFlagPrimary                = 1 << 0
	ResourcePixmap              uint8 = 1
)

// Video codecs.
const (
	VideoMJPEG = 1
	VideoVP8   = 2
	VideoH264  = 3
	VideoVP9   = 4
	VideoH265  = 5
)

// Video streams.
const (
	StreamTopDown = 1 << 0     // flag: a frame's first line is the top one
	NoAudio       = 0xffffffff // a report's audio delay while none is played
	// CannotPlay is a report's number of drops, with no frames, of a client that
	// cannot decode the stream.
	CannotPlay = 0xffffffff
)

// Bitmap and LZ_PLT flags on the wire.
const (
	BitmapPalCacheMe   = 1 << 0
	BitmapPalFromCache = 1 << 1
	BitmapTopDown      = 1 << 2
)

// Inputs channel messages.
const (
	MsgInputsInit           = 101
	MsgInputsKeyModifiers   = 102
	MsgInputsMouseMotionAck = 111

	MsgcInputsKeyDown       = 101
	MsgcInputsKeyUp         = 102
	MsgcInputsKeyModifiers  = 103
	MsgcInputsKeyScancode   = 104
	MsgcInputsMouseMotion   = 111
	MsgcInputsMousePosition = 112
	MsgcInputsMousePress    = 113
	MsgcInputsMouseRelease  = 114
)

// Cursor channel messages and cursor flags.
const (
	MsgCursorInit     = 101
	MsgCursorReset    = 102
	MsgCursorSet      = 103
	MsgCursorMove     = 104
	MsgCursorHide     = 105
	MsgCursorTrail    = 106
	MsgCursorInvalOne = 107
	MsgCursorInvalAll = 108

	CursorFlagNone      = 1 << 0
	CursorFlagCacheMe   = 1 << 1
	CursorFlagFromCache = 1 << 2
)
