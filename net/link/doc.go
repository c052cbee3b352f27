// Package link is the server's side of the link phase: everything between an
// accepted connection and a channel that runs.
//
// Data flow: connection -> magic (or a WebSocket upgrade, behind which the same
// protocol starts over) -> link header and message -> checks, each with its own
// answer -> reply with the server's capabilities and an RSA key, made for this
// connection unless any ticket will do -> ticket -> link result -> Config.Accept.
//
// Every connection has a goroutine with blocking I/O until then. Its bounds:
// one deadline for the whole phase, at most Config.MaxOpen connections at once,
// 4 KiB of link message. Keys come from a pool that one goroutine keeps filled,
// so a burst of connections costs at most one processor.
package link
