// Package displaytest tests a device worker with programs: random lists of
// steps, among them drawing commands, surfaces that come and go, updates, and
// clients that join, stall and leave.
//
//	Generate -> Program -> Run on a display.Sim, and on a naive painter that
//	executes each command at once, whole and in order
//	         -> a difference -> Shrink -> the least list of steps that shows it
//
// After a step Run checks what must hold at any moment:
//
//   - the device's canvases, with what is current drawn on them where the tree
//     says that it can be seen, are the painter's; after an update they are in
//     the updated area
//   - every client's canvases, made of the wire messages it was sent, with what
//     waits in its pipe drawn on them, are the painter's, but where it is behind,
//     and where they depend on lossy images or videos (views.go), of which the
//     device has to know; when all has settled, everywhere
//   - what the worker says of itself: display.Sim.Check
//   - every command is given back once, not before its last use, and all of
//     them in the end
//
// docs/invariants.md says which test shows which invariant.
//
// A Program is text, a step a line, so that it can be kept and read.
package displaytest
