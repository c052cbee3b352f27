// Package core is the server's core: it lets clients in, owns their main and
// inputs channels, and hands the links of all other channels to the workers
// that serve them.
//
// Data flow: listener -> package link, a goroutine per connection until the link
// result is sent -> the core's goroutine, which adopts the socket. A main
// channel makes a client; inputs messages become calls of the Keyboard, Mouse
// and Tablet; any other link goes to its Channel as an Attachment, descriptor
// included, and the core sees no more of it. When a client's main channel ends,
// every Channel is told.
//
// One goroutine with an ecs.Loop owns clients, input state and the mouse mode,
// and makes all callbacks. What link phases ask for (password, channels,
// sessions) is in access, behind a lock. Methods of Core are safe from any
// goroutine; those that wait for an answer say so and must not be called from a
// callback.
//
// Bounds: Config.MaxClients clients with two connections each in here, 64 link
// phases, 26 KiB for a message, 1 MiB of unsent messages per connection,
// 256 channels.
package core
