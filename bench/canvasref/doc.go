// Package canvasref compares the software canvas with libspice-server's, pixel
// by pixel: the tests make random drawing commands, hand them to testdata/reference.c as
// a recording, and compare what both have drawn after every command.
//
// The tests need a C compiler and libspice-server's development files, without
// which they are skipped, or fail if the environment variable CI is set.
package canvasref
