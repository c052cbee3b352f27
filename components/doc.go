// Package components is the engine's data: what a device's world is made of,
// and nothing that acts on it. A file per kind.
//
// Components are plain values without pointers (a test walks them all). They
// refer to each other by ecs.Entity and to data of variable size by ecs.Handle
// into a slab of the Scene. A Scene belongs to one device worker's goroutine.
package components
