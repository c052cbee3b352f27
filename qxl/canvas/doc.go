// Package canvas says what QXL's drawing operations mean in pixels: a software
// canvas that applies decoded drawables to a surface's memory. The server
// renders with it, and so does a client.
//
// Data layout: a Canvas is a view of pixel memory, guest memory as a rule,
// which may change at any time; nothing in it is trusted. Source images are
// read line by line, in whatever layout they have, and converted to the
// canvas' layout one run of pixels at a time. Only a canvas drawn onto
// itself, and a source in small pieces or under a transform, is copied first.
//
// Data flow: Canvas.Draw computes the destination region (box, canvas, clip
// list, mask, the caller's limit) as disjoint rectangles and hands their lines,
// cut into runs, to the operation's painter. A painter fetches its operands for
// the run (source, brush, mask) and combines them with the destination. Plain
// fills and copies take a rectangle's lines at once.
//
//	draw.go      the region, and which operation paints it
//	source.go    images, surfaces and pixmaps as rows of pixels; convert.go layouts
//	brush.go     solid and tiled brushes; scale.go sampling; mask.go 1-bit masks
//	rop.go       the two- and three-operand raster operations on bytes
//	block.go     rectangles filled or copied as they are
//	fill.go copy.go copybits.go alpha.go text.go composite.go
//	                the operations
//	stroke.go       lines and curves; dash.go join.go dashed ones; marks.go their pixels, merged
//	pixel.go operators.go operatorswide.go operatorshsl.go
//	                X Render's operators in 8 bits and, if they divide, in floating point
//
// Raster operations work on raw words: pad and alpha bits take part like colour
// bits. Blending follows X Render's 8-bit arithmetic with premultiplied alpha.
//
// Ownership and bounds: the memory belongs to the caller; a Canvas has no state
// besides it and may be used by one goroutine at a time. Everything a draw
// needs in between lives in a pooled job, so drawing allocates nothing in the
// steady state. Surfaces and images are at most MaxSize pixels wide and high.
package canvas
