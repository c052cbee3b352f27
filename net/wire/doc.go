// Package wire holds the SPICE messages as typed readers and writers.
//
// A Writer collects messages into one arena of bytes plus references to data
// that lies elsewhere (pixels in guest memory, encoded images), in wire order;
// nothing that is referenced is copied. Pointers inside a message are offsets
// from its first body byte, so a message is patched, never moved. A Reader is
// a bounds-checked view of one received body.
//
// All integers are little-endian and packed. Layouts follow the protocol's
// display, cursor, main and inputs channels.
package wire
