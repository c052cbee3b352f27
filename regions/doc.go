// Package regions has exact sets of pixels, and an index that finds which items
// of a surface lie in a rectangle.
//
// # Regions
//
// A Region is stored in the first of three forms that does:
//
//   - nothing but its extents, if it is one rectangle or empty: nearly all are;
//   - sparse: bands of lines, each with the runs of pixels in it;
//   - dense: bands of lines, each with a bitmap, 64 pixels a word, over the width
//     of the extents. A region of more than some ten runs a band is dense, if
//     that does not take too much memory.
//
// Merging two bands costs about 3 ns a run, without a branch that depends on
// where runs begin and end, or 0.4 ns a word. A bitmap does not get slower as runs
// get more, but rows of bitmaps also take longer to copy and to compare.
// The form is a matter of speed alone: every operation takes each, and no answer
// depends on it.
//
// Data flows like this: an operation (combine.go) brings both operands into the
// same form, for which it may need room in a workspace; a sweep from top to
// bottom (sweep.go) writes the bands of the result to the workspace, without
// empty ones and with equal neighbours made one; the result is then copied into
// the region, in the form that suits it, in storage of the right size from a
// pool (table.go). So nothing is allocated in the steady state, an operand may
// be the result, and no region holds on to much more storage than it needs.
// Questions (compare.go) walk both operands where they are, and stop early.
//
// The rectangles of a region are those of pixman: see Region.AppendRects.
//
// # Bounds
//
// Regions live on a plane of [MinCoord, MaxCoord) x [MinCoord, MaxCoord); what
// is outside is cut off. A sparse region takes 4 bytes a run and 16 a band; a
// dense one some 64 to 128 bytes a run at worst, and never more than a bit for each
// pixel of the extents and 12 bytes a band. (Storage may be four times as large as
// what is in it.) A region made of n rectangles has up to 2n-1 bands, and n runs a
// band. So whoever takes lists of rectangles from outside should bound their
// length, and cut them to the surface they are for.
//
// # Tile index
//
// A TileIndex lists the items of a surface by the tiles they touch: see there.
//
// A Region or a TileIndex serves one goroutine at a time; the pools behind
// regions are shared by all and safe to use from any.
package regions
