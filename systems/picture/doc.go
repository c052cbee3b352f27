// Package picture draws what the engine does with a recorded guest: the render
// tree as it stands after some of its commands, and how often each pixel was
// drawn by the guest and sent to a client.
//
// Data flow:
//
//	recording -> replay.Player -> stages: ingest, tree, raster, pipe, release
//	          -> TreePicture (plain values, a copy)  -> WriteSVG
//	          -> Heat (counts of the primary surface) -> WritePNG
//
// The stages are a device's, put together without network and without time:
// Play runs guest and device on its caller's goroutine, one command at a time,
// so that the same recording always gives the same picture. The simulated client
// takes everything that waits for it each time a number of commands has come.
//
// A picture's memory follows the nodes of the tree and the size of the
// surfaces, whose backdrops are reduced to at most maxBackdrop pixels a side.
package picture
