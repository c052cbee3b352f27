//go:build cgo && libspice

package main

// #include "host.h"
import "C"

import (
	"errors"
	"fmt"
	"io"
	"runtime/cgo"
	"unsafe"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// replay is a SpiceReplay: it lays the commands of a recording out in an arena
// of the shim's, addressed as the process does. It is used by one thread.
type replay struct {
	reader *record.Reader
	vram   *guest.VRAM
	asm    *guest.Assembler
	ev     record.Event
	again  bool // ev is still to be laid out

	primary, old guest.Block            // of the primary surface, and of one that goes with the next call
	living       map[uint32]offScreen   // by recorded id
	dying        map[guest.Block]uint32 // ids by the command that destroys them
	busy         []bool                 // ids in use
}

type offScreen struct {
	id     uint32
	pixels guest.Block
}

// errAgain means that something has to be released first.
var errAgain = errors.New("nothing is free")

// file reads a FILE.
type file struct{ f unsafe.Pointer }

func (f file) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if n := int(C.host_read(host, f.f, unsafe.Pointer(&p[0]), C.size_t(len(p)))); n > 0 {
		return n, nil
	}
	return 0, io.EOF
}

//export se_replay_new
func se_replay_new(f unsafe.Pointer, surfaces C.int, arena *C.uint8_t, size C.uint64_t) C.uint64_t {
	mem := unsafe.Slice((*byte)(arena), size)
	reader, err := record.NewReader(file{f})
	if status("opening a recording", err) != 0 {
		return 0
	}
	vram, err := guest.MapVRAM(mem, uint64(uintptr(unsafe.Pointer(arena))))
	if status("opening a recording", err) != 0 || surfaces < 1 {
		return 0
	}
	r := &replay{
		reader: reader, vram: vram, asm: guest.NewAssembler(vram),
		living: map[uint32]offScreen{}, dying: map[guest.Block]uint32{}, busy: make([]bool, surfaces),
	}
	r.busy[0] = true
	return handle(r)
}

//export se_replay_free
func se_replay_free(h C.uint64_t) {
	of[*replay](h).reader.Close()
	cgo.Handle(h).Delete()
}

//export se_replay_free_blocks
func se_replay_free_blocks(h C.uint64_t, blocks *C.uint64_t, n C.int) {
	r := of[*replay](h)
	for _, b := range unsafe.Slice(blocks, n) {
		r.free(guest.Block(b))
		if id, ok := r.dying[guest.Block(b)]; ok {
			delete(r.dying, guest.Block(b))
			r.busy[id] = false
		}
	}
}

func (r *replay) free(b guest.Block) {
	if b != 0 {
		_ = r.vram.Free(b) // a VMM that frees twice frees nothing
	}
}

// se_replay_next answers how many entries there are, the last of which may be no
// command; or -1 where the caller has to free something first.
//
//export se_replay_next
func se_replay_next(h C.uint64_t, out *C.struct_se_replayed, room C.int) C.int {
	r := of[*replay](h)
	r.free(r.old)
	r.old = 0
	for i := range unsafe.Slice(out, room) {
		e := &unsafe.Slice(out, room)[i]
		if !r.next(e) {
			if i == 0 {
				return -1
			}
			return C.int(i)
		}
		if e.kind != C.SE_REPLAY_COMMAND {
			return C.int(i) + 1
		}
	}
	return room
}

// next finds the next entry. It reports false where something has to be freed first.
func (r *replay) next(out *C.struct_se_replayed) bool {
	*out = C.struct_se_replayed{kind: C.SE_REPLAY_END}
	for {
		if !r.again {
			if err := r.reader.Next(&r.ev); err != nil {
				if !errors.Is(err, io.EOF) {
					logger.Error("recording", "err", err)
				}
				return true
			}
			r.mapIDs()
		}
		done, err := r.event(out)
		if r.again = errors.Is(err, errAgain) || errors.Is(err, guest.ErrFull); r.again {
			return false
		}
		if err != nil {
			logger.Error("recording", "event", r.ev.Counter, "err", err)
			return true
		}
		if done {
			return true
		}
	}
}

// event turns r.ev into something for the VMM, unless it means nothing to it.
func (r *replay) event(out *C.struct_se_replayed) (done bool, err error) {
	if r.ev.Kind == record.Command {
		cmd, block, ok, err := r.command()
		if err == nil && ok {
			out.kind, out.block = C.SE_REPLAY_COMMAND, C.uint64_t(block)
			out.command = C.struct_se_command{data: C.uint64_t(cmd.Data), _type: C.uint32_t(cmd.Type)}
		}
		return ok, err
	}
	switch record.WorkerType(r.ev.Type) {
	case record.WorkerCreatePrimary, record.WorkerCreatePrimaryAsync:
		return true, r.createPrimary(out)
	case record.WorkerDestroyPrimary:
		out.kind = C.SE_REPLAY_NO_PRIMARY
	case record.WorkerDestroySurfaces:
		out.kind = C.SE_REPLAY_NO_SURFACES
		for id, s := range r.living {
			r.free(s.pixels)
			r.busy[s.id] = false
			delete(r.living, id)
		}
	default:
		return false, nil
	}
	r.old, r.primary = r.primary, 0
	return true, nil
}

func (r *replay) createPrimary(out *C.struct_se_replayed) error {
	p := &r.ev.Primary
	block, mem, err := r.pixels(p.Stride, p.Height)
	if err != nil {
		return err
	}
	clear(mem[copy(mem, p.Memory):])
	r.old, r.primary = r.primary, block
	mouse := C.uint32_t(0)
	if p.MouseMode {
		mouse = 1
	}
	out.kind = C.SE_REPLAY_PRIMARY
	out.primary = C.struct_se_primary{
		width: C.uint32_t(p.Width), height: C.uint32_t(p.Height), stride: C.int32_t(p.Stride),
		format: C.uint32_t(p.Format), position: C.uint32_t(p.Position), mouse_mode: mouse,
		flags: C.uint32_t(p.Flags), _type: C.uint32_t(p.Type), mem: C.uint64_t(uintptr(unsafe.Pointer(&mem[0]))),
	}
	return nil
}

func (r *replay) pixels(stride int32, height uint32) (guest.Block, []byte, error) {
	size := max(int64(stride), -int64(stride)) * int64(height)
	if size > qxl.MaxBytes || size == 0 {
		return 0, nil, fmt.Errorf("surface of %d bytes", size)
	}
	return r.vram.Alloc(int(size))
}

// mapIDs translates the surface ids of a recorded command.
func (r *replay) mapIDs() {
	if r.ev.Kind != record.Command || len(r.living) == 0 {
		return
	}
	switch qxl.CommandType(r.ev.Type) {
	case qxl.CommandDraw:
		d := &r.ev.Drawable
		d.Surface = r.id(d.Surface)
		for i, dep := range d.Deps {
			if dep >= 0 {
				d.Deps[i] = int32(r.id(uint32(dep)))
			}
		}
		for i := range d.Images {
			if im := &d.Images[i]; im.Type == qxl.ImageSurface {
				im.Surface = r.id(im.Surface)
			}
		}
	case qxl.CommandUpdate:
		r.ev.Update.Surface = r.id(r.ev.Update.Surface)
	}
}

func (r *replay) id(recorded uint32) uint32 {
	if s, ok := r.living[recorded]; ok {
		return s.id
	}
	return recorded
}

// command lays a command out and names its block, which is its release id.
func (r *replay) command() (c qxl.Command, block guest.Block, ok bool, err error) {
	switch qxl.CommandType(r.ev.Type) {
	case qxl.CommandDraw:
		c, err = r.asm.Drawable(&r.ev.Drawable)
	case qxl.CommandUpdate:
		c, err = r.asm.Update(&r.ev.Update)
	case qxl.CommandCursor:
		c, err = r.asm.Cursor(&r.ev.Cursor)
	case qxl.CommandMessage:
		c, err = r.asm.Message(&r.ev.Message)
	case qxl.CommandSurface:
		if r.ev.Surface.Action == qxl.SurfaceDestroy {
			c, ok, err = r.destroySurface()
		} else {
			c, ok, err = r.createSurface()
		}
		if err != nil || !ok {
			return c, 0, false, err
		}
	default:
		return c, 0, false, nil
	}
	if err != nil {
		return c, 0, false, err
	}
	return c, guest.Block(*(*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&c.Data)))), true, nil
}

func (r *replay) createSurface() (c qxl.Command, ok bool, err error) {
	cmd := r.ev.Surface
	if _, exists := r.living[cmd.Surface]; exists || cmd.Surface == 0 {
		return c, false, nil
	}
	id, ok := r.take(cmd.Surface)
	if !ok {
		return c, false, errAgain
	}
	pixels, mem, err := r.pixels(cmd.Stride, cmd.Height)
	if err != nil {
		return c, false, err
	}
	clear(mem[copy(mem, cmd.Memory):])
	recorded := cmd.Surface
	cmd.Surface = id
	if c, err = r.asm.CreateSurface(&cmd, pixels); err != nil {
		r.free(pixels)
		return c, false, err
	}
	r.busy[id], r.living[recorded] = true, offScreen{id, pixels}
	return c, true, nil
}

// take finds a free id, the recorded one if it is.
func (r *replay) take(recorded uint32) (uint32, bool) {
	if int(recorded) < len(r.busy) && !r.busy[recorded] {
		return recorded, true
	}
	for id, taken := range r.busy {
		if !taken {
			return uint32(id), true
		}
	}
	return 0, false
}

// destroySurface hands the surface's memory to the command that ends it.
func (r *replay) destroySurface() (c qxl.Command, ok bool, err error) {
	cmd := r.ev.Surface
	s, ok := r.living[cmd.Surface]
	if !ok {
		return c, false, nil
	}
	recorded := cmd.Surface
	cmd.Surface = s.id
	c, block, err := r.asm.DestroySurface(&cmd, s.pixels)
	if err != nil {
		return c, false, err
	}
	delete(r.living, recorded)
	r.dying[block] = s.id
	return c, true, nil
}
