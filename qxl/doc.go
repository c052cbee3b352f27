// Package qxl is the guest's side of the engine: the layouts of the commands
// that a QXL driver writes into guest memory, the memory slots through which
// guest addresses are resolved, and the rings from which commands are taken.
//
// Data flow: a Ring yields a Command (a guest address and a type); a Decoder
// resolves the address through the Memory's slots, copies every structure out
// of guest memory exactly once, validates the copy, and fills one of the
// decoded types (Drawable, SurfaceCommand, CursorCommand, …). Pixel data is the
// one exception: Blob chunks point into guest memory, which the guest may
// change at any time. Whoever reads them must be safe for any content.
//
// Bounds: what one command may hold is limited by the constants beside Decoder,
// pixels in bytes and everything else in what it takes to copy it. A refusal is
// a *GuestError with a Reason to count it by; the command's Resource is known
// all the same, unless its very first structure could not be read.
//
// Ownership: decoded values are filled in place and keep the storage of their
// slices, so that a recycled value decodes without allocating. Their Blob
// chunks are valid until the command's Resource is released.
package qxl
