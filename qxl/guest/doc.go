// Package guest is the other end of package qxl: a guest's video memory, and an
// assembler that lays commands out in it as a QXL driver does. It stands in for
// a virtual machine when a recording is played, and in tests.
//
// Data layout: VRAM is one arena, touched lazily, that the device sees as one
// memory slot. A command is one contiguous block: the command structure first,
// then what it points at (images, palettes, chunks), each at a multiple of
// eight. Pixels of off-screen surfaces are blocks of their own, since they live
// longer than the command that creates the surface.
//
// Ownership: a block belongs to whoever allocated it until it is freed. The
// release id of an assembled command is its block, so that Release needs
// nothing but the resource that the engine gives back.
//
// Bounds: nothing is ever larger than the arena. VRAM keeps its books outside
// the arena: whatever is written there cannot harm them. It is safe for
// concurrent use, an Assembler is not.
package guest
