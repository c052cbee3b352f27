// Package canvasref compares the software canvas with libspice-server's, pixel
// by pixel: the tests make random drawing commands, hand them to testdata/reference.c as
// a recording, and compare what both have drawn after every command.
//
// Everything that differs fails the test but for these defects of the
// reference, each counted or kept out of the commands where known_test.go and
// ops_test.go say so: pixels lost where a stroke's run enters two rectangles of
// its region; curves that turn back on themselves, which it never ends; dashes
// of length 0 only, likewise; glyphs of 8 bits, read one line off, and
// overlapping ones of 4; a pattern in glyphs, counted from their corner instead
// of the surface's; colours of text and palettes on 16_565, read as 555; 38 of
// the ternary raster operations, and brushes of these that begin right of or
// below the box; images scaled from, or copied onto an overlapping part of, the
// surface itself; what a composite with a surface leaves behind; the colour
// blend modes with a mask; surfaces of another depth as an image for anything
// but blending and composites, which it aborts for; ternary operations on 8_A,
// where it takes two pixels for one, beyond the memory's end; and on 1_A all
// but plain fills, blending and text of one colour, which it aborts for or
// takes for 32 bits, likewise.
//
// SPICEECS_CANVASREF_SEEDS is the number of random sequences for each
// operation, for long runs.
//
// The tests need a C compiler and libspice-server's development files, without
// which they are skipped, or fail if the environment variable CI is set.
package canvasref
