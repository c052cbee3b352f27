package drain

import (
	"fmt"

	"github.com/spiceecs/spiceecs/net/wire"
)

var messageNames = map[uint16]string{
	wire.MsgSetAck: "set_ack",
	wire.MsgPing:   "ping",

	wire.MsgDisplayMode:              "mode",
	wire.MsgDisplayMark:              "mark",
	wire.MsgDisplayReset:             "reset",
	wire.MsgDisplayCopyBits:          "copy_bits",
	wire.MsgDisplayInvalList:         "inval_list",
	wire.MsgDisplayInvalAllPixmaps:   "inval_all_pixmaps",
	wire.MsgDisplayInvalPalette:      "inval_palette",
	wire.MsgDisplayInvalAllPalettes:  "inval_all_palettes",
	wire.MsgDisplayStreamCreate:      "stream_create",
	wire.MsgDisplayStreamData:        "stream_data",
	wire.MsgDisplayStreamClip:        "stream_clip",
	wire.MsgDisplayStreamDestroy:     "stream_destroy",
	wire.MsgDisplayStreamDestroyAll:  "stream_destroy_all",
	wire.MsgDisplayDrawFill:          "draw_fill",
	wire.MsgDisplayDrawOpaque:        "draw_opaque",
	wire.MsgDisplayDrawCopy:          "draw_copy",
	wire.MsgDisplayDrawBlend:         "draw_blend",
	wire.MsgDisplayDrawBlackness:     "draw_blackness",
	wire.MsgDisplayDrawWhiteness:     "draw_whiteness",
	wire.MsgDisplayDrawInvers:        "draw_invers",
	wire.MsgDisplayDrawRop3:          "draw_rop3",
	wire.MsgDisplayDrawStroke:        "draw_stroke",
	wire.MsgDisplayDrawText:          "draw_text",
	wire.MsgDisplayDrawTransparent:   "draw_transparent",
	wire.MsgDisplayDrawAlphaBlend:    "draw_alpha_blend",
	wire.MsgDisplaySurfaceCreate:     "surface_create",
	wire.MsgDisplaySurfaceDestroy:    "surface_destroy",
	wire.MsgDisplayStreamDataSized:   "stream_data_sized",
	wire.MsgDisplayMonitorsConfig:    "monitors_config",
	wire.MsgDisplayDrawComposite:     "draw_composite",
	wire.MsgDisplayStreamActivateRep: "stream_activate_report",
}

// messageName names a message of the display channel.
func messageName(t uint16) string {
	if n, ok := messageNames[t]; ok {
		return n
	}
	return fmt.Sprint("message_", t)
}

var imageNames = map[uint8]string{
	0: "bitmap", 1: "quic", 100: "lz_plt", 101: "lz_rgb", 102: "glz_rgb", 103: "from_cache", 104: "surface",
	105: "jpeg", 106: "from_cache_lossless", 107: "zlib_glz", 108: "jpeg_alpha", 109: "lz4",
}

// imageName names an image type.
func imageName(t uint8) string {
	if n, ok := imageNames[t]; ok {
		return n
	}
	return fmt.Sprint("image_", t)
}
