// Package stages puts together what every device does with its commands,
// whoever its clients are and wherever its time comes from:
//
//	ring -> ingest -> Draw: self bitmap, tree, canvas's list, the clients' pipes
//	               -> Surface: tree, canvas, the clients
//	               -> Update: canvas
//	        release: resources go back to the ring with their last reference
//
// A Device embeds Stages, and adds what differs: who is told of surfaces, who
// gets a drawable, and what the pointer and back-pressure come to. The worker of
// package display is one, and so is the device that pictures are made of
// (package picture).
//
// Stages owns the device's scene, and all of it belongs to one goroutine. It is
// as large as the scene, whose bound is Bound's.
package stages
