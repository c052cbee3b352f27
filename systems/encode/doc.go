// Package encode makes what an image is on the wire: it chooses the codec,
// compresses on all cores, and mirrors what clients have in their caches.
//
//	image -> Encoder.Drawable, Pixels: codec chosen, place in the client's GLZ
//	         window taken                         one after the other, in order
//	      -> batch: jobs, large ones in parts     until the end of the tick
//	      -> Encoder.Run: Pool                    all cores, in any order
//	      -> Encoder.Fill: the wire form          in the order of planning
//
// A result is kept with the drawable: every client that wants the same gets it. It
// is encoded once as long as the drawable lives, however late the second client
// comes. A GLZ stream refers to what its client has been sent before; others get
// it, with a header of their own, if they have been sent the same as far back as
// it refers (their jobs have a twin), and one of their own if not. So do those of
// ZLIB_GLZ. The pixels of all GLZ images are copied into the dictionaries before the
// first of them is encoded, on all cores, too.
//
// An Encoder belongs to its device's worker and owns one batch; results lie in
// the scene's slab. A batch is bounded by what the worker plans in a tick. The
// Pool is shared by all devices of a server: one helper goroutine for each core
// but one, each with encoders of its own of about 3 MiB. While one encodes it has up
// to 4 MiB of room to write to, from which results are copied to as much memory as
// they need. A worker works on its batch itself, so nothing waits for a helper that
// has something else to do, and a tick with nothing to encode costs a comparison. In
// the steady state nothing is allocated, but for results of more than 1 MiB, which
// nobody keeps.
//
// Caches are shared by the display channels of one client, whose workers run at
// the same time; they have a lock, and see there for what channels may rely on.
package encode
