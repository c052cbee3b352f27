package marshal

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// lossy is where a client's surfaces show pixels that came by JPEG. Surfaces
// without any have no entry.
type lossy map[uint32]*regions.Region

// ropReads are the bits of a raster operation that read the destination.
const ropReads = qxl.RopOr | qxl.RopAnd | qxl.RopXor | qxl.RopInvers

// on reports whether part of an area is lossy; an empty area means all of the
// surface.
func (l lossy) on(surface uint32, area regions.Rect) bool {
	r := l[surface]
	return r != nil && (area.Empty() && !r.Empty() || r.OverlapsRect(area))
}

func (l lossy) add(surface uint32, box *regions.Region) {
	if l[surface] == nil {
		l[surface] = new(regions.Region)
	}
	l[surface].Union(box)
}

func (l lossy) remove(surface uint32, box *regions.Region) {
	if r := l[surface]; r != nil {
		if r.Subtract(box); r.Empty() {
			delete(l, surface)
		}
	}
}

// mayBeLossy reports whether a command's source image may lose pixels.
func mayBeLossy(cmd *qxl.Drawable) bool {
	switch cmd.Type {
	case qxl.DrawAlphaBlend:
		return true
	case qxl.DrawCopy, qxl.DrawOpaque:
		return cmd.Rop&ropReads == 0
	}
	return false
}

// conflict reports whether a command needs pixels exactly that the client has
// only roughly.
func (l lossy) conflict(cmd *qxl.Drawable) bool {
	if len(l) == 0 {
		return false
	}
	reads := cmd.Rop&ropReads != 0
	src := func() bool { return l.image(cmd, cmd.Src, cmd.SrcArea) }
	brush := func(b *qxl.Brush) bool { return l.image(cmd, b.Image, regions.Rect{}) }
	dest := func() bool { return l.on(cmd.Surface, cmd.BBox) }
	switch cmd.Type {
	case qxl.DrawFill:
		return brush(&cmd.Brush) || reads && dest()
	case qxl.DrawOpaque:
		return brush(&cmd.Brush) || reads && (src() || dest())
	case qxl.DrawBlend:
		return src() || dest()
	case qxl.DrawCopy:
		return reads && (src() || dest())
	case qxl.DrawTransparent:
		return src()
	case qxl.DrawRop3:
		return src() || brush(&cmd.Brush) || dest()
	case qxl.DrawComposite:
		return l.image(cmd, cmd.Src, regions.Rect{}) || l.image(cmd, cmd.Mask.Image, regions.Rect{}) || dest()
	case qxl.DrawStroke:
		return brush(&cmd.Brush) || cmd.Brush.Type != qxl.BrushSolid && reads && dest()
	case qxl.DrawText:
		return brush(&cmd.Brush) || brush(&cmd.BackBrush) || cmd.Brush.Type != qxl.BrushSolid && reads && dest()
	}
	return false
}

// image reports whether an image is a surface that is lossy there.
func (l lossy) image(cmd *qxl.Drawable, i int8, area regions.Rect) bool {
	im := cmd.Image(i)
	if !area.Empty() && (area.Width() != cmd.BBox.Width() || area.Height() != cmd.BBox.Height()) {
		// Scaling may look at the pixels next to the area as well.
		area.Left, area.Top, area.Right, area.Bottom = area.Left-1, area.Top-1, area.Right+1, area.Bottom+1
	}
	return im != nil && im.Type == qxl.ImageSurface && l.on(im.Surface, area)
}

// sent notes what a command does to the client's pixels; src tells whether its
// source image is lossy.
func (l lossy) sent(cmd *qxl.Drawable, src bool, box *regions.Region) {
	if len(l) == 0 && !src {
		return
	}
	masked := cmd.Mask.Image != qxl.NoImage && cmd.Type != qxl.DrawComposite
	src = src || l.image(cmd, cmd.Src, cmd.SrcArea)
	switch cmd.Type {
	case qxl.DrawCopy, qxl.DrawOpaque:
	case qxl.DrawCopyBits:
		src = l.on(cmd.Surface, cmd.BBox.Translate(cmd.SrcPos.X-cmd.BBox.Left, cmd.SrcPos.Y-cmd.BBox.Top))
	case qxl.DrawAlphaBlend:
		if !src {
			return
		}
	case qxl.DrawFill, qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawRop3, qxl.DrawComposite:
		src = false
	default:
		return
	}
	if src {
		l.add(cmd.Surface, box)
	} else if !masked && replaces(cmd) {
		l.remove(cmd.Surface, box)
	}
}

// replaces reports whether a command without a mask is sure to give every pixel of
// its box a new value. It need not if it reads beyond a surface's edge; then the
// guest does not call it opaque.
func replaces(cmd *qxl.Drawable) bool {
	switch cmd.Type {
	case qxl.DrawBlackness, qxl.DrawWhiteness:
		return true
	case qxl.DrawFill:
		if cmd.Brush.Type == qxl.BrushSolid {
			return cmd.Rop&ropReads == 0
		}
	}
	return cmd.Effect == qxl.EffectOpaque
}

// Lossy returns the part of a surface that the client has only roughly, or nil.
func (st *State) Lossy(surface uint32) *regions.Region { return st.lossy[surface] }

// Exact notes that the client has been sent, or is about to be sent before
// anything else, the exact pixels of an area.
func (st *State) Exact(surface uint32, area regions.Rect) {
	var box regions.Region
	box.SetRect(area)
	st.lossy.remove(surface, &box)
}
