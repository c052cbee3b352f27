// Package client is a SPICE client without a window: it connects, obeys every
// message of the main, display, cursor and inputs channels, and keeps the
// pictures that a user would see in memory. Tests, screen shots and benchmarks
// are made with it.
//
// Data flow: Dial links the main channel, asks for the list of channels and
// links the wanted ones. Each channel has one goroutine, which reads a message,
// answers the base messages (acknowledgements, pings, waiting for other
// channels) and hands the others to the channel's handler:
//
//	display  message -> qxl.Drawable -> images become bitmaps (caches, codecs)
//	         -> qxl/canvas paints the surface
//	cursor   message -> CursorState
//	inputs   counts acknowledgements; messages out come from the caller
//	main     mouse mode, clock, agent, name; starts channels that appear later
//
// Ownership: a Session owns its channels, and what they share: the pixmap
// cache and the GLZ window. A Display owns its surfaces, palettes and streams.
// What the channel goroutines change is guarded by the mutex of the Display,
// Cursor, Inputs or Session that holds it; no callback runs under one.
//
// Bounds: a server is not trusted. Messages, surfaces, images and caches are
// held to Limits; memory for a message follows the bytes that really arrive. A
// message that breaks a rule ends its channel with an error that names the
// channel and the message. A server that merely sends nothing, or lets a
// channel wait for one that does not come, is ended by the caller's context.
package client
