// Package ecs is the engine under the engine: entities and components (World,
// on arche), storage for what varies in size (Slab and Handle), the order of
// work in a tick (Schedule), time (Clock) and the poll loop that drives it all
// (Loop). It knows nothing of SPICE.
//
// One World, its slabs and its Loop belong to one goroutine. Other goroutines
// reach it only through Loop.Post and Loop.Wake.
//
// Components are plain data without pointers: arche moves them as raw bytes
// and the garbage collector does not look inside. Whatever has a variable size
// lives in a Slab, and the component holds its Handle.
package ecs
