package qxl

import (
	"bytes"
	"math"
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

func TestUpdate(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	full := new(asm).u64(testID).rect(testArea).u32(77, 3)
	var dst UpdateCommand
	cmd := g.command(CommandUpdate, g.put(full), 0)
	if err := d.Update(&dst, cmd); err != nil {
		t.Fatal(err)
	}
	want := UpdateCommand{Resource: Resource{Data: cmd.Data, ID: testID, Group: guestGroup}, Area: testArea, UpdateID: 77, Surface: 3}
	if dst != want {
		t.Errorf("%+v, want %+v", dst, want)
	}
	cmd.Flags, want.Surface = FlagCompat, 0
	if err := d.Update(&dst, cmd); err != nil || dst != want {
		t.Errorf("compat: %+v, %v", dst, err)
	}
	for _, area := range []regions.Rect{{}, {Left: -1, Right: 1, Bottom: 1}, {Left: 4, Right: 3, Bottom: 1}} {
		cmd := g.command(CommandUpdate, g.put(new(asm).u64(1).rect(area).u32(78, 5)), 0)
		wantReason(t, d.Update(&dst, cmd), ReasonUpdateArea)
		if dst.UpdateID != 78 || dst.Surface != 5 || dst.Resource.Data != cmd.Data {
			t.Errorf("%+v", dst)
		}
	}
}

func TestMessage(t *testing.T) {
	g := newGuest(t, 3*MaxMessageBytes)
	d := NewDecoder(g.mem)
	var dst MessageCommand
	cmd := g.command(CommandMessage, g.put(new(asm).u64(testID).u8([]byte("hello\x00world")...)), 0)
	if err := d.Message(&dst, cmd); err != nil || string(dst.Text) != "hello" || dst.Resource.ID != testID {
		t.Errorf("%q, %v", dst.Text, err)
	}
	long := bytes.Repeat([]byte{'a'}, MaxMessageBytes)
	at := g.put(new(asm).u64(1).u8(long...).u8(0))
	wantReason(t, d.Message(&dst, g.command(CommandMessage, at, 0)), ReasonMessageEnd)
	if dst.Resource.Data != at || len(dst.Text) != 0 {
		t.Errorf("%+v with %d bytes", dst.Resource, len(dst.Text))
	}
	g.buf[g.used-2] = 0
	if err := d.Message(&dst, g.command(CommandMessage, at, 0)); err != nil || len(dst.Text) != MaxMessageBytes-1 {
		t.Errorf("%d bytes, %v", len(dst.Text), err)
	}
	copy(g.buf[len(g.buf)-11:], "12345678abc") // ends with the memory
	wantReason(t, d.Message(&dst, g.command(CommandMessage, g.at(len(g.buf)-11), 0)), ReasonMessageEnd)
}

func surfaceAsm(action uint8, format SurfaceFormat, w, h uint32, stride int32, data PHYS) *asm {
	return new(asm).u64(testID).u32(6).u8(action).u32(SurfaceKeepData).u32(uint32(format), w, h).i32(stride).phys(data)
}

func TestSurface(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	var dst SurfaceCommand
	for _, stride := range []int32{16, -16} {
		cmd := g.command(CommandSurface, g.put(surfaceAsm(0, Surface32ARGB, 4, 3, stride, g.at(100))), 0)
		if err := d.Surface(&dst, cmd); err != nil {
			t.Fatal(err)
		}
		want := SurfaceCommand{Resource: Resource{Data: cmd.Data, ID: testID, Group: guestGroup}, Surface: 6, Flags: SurfaceKeepData,
			Format: Surface32ARGB, Width: 4, Height: 3, Stride: stride, Memory: g.buf[100:148]}
		if !same(dst, want) || &dst.Memory[0] != &g.buf[100] {
			t.Errorf("%+v, want %+v", dst, want)
		}
	}
	destroy := g.command(CommandSurface, g.put(surfaceAsm(1, 0, 0, 0, 0, 0)), 0)
	if err := d.Surface(&dst, destroy); err != nil || dst.Action != SurfaceDestroy || dst.Surface != 6 || dst.Memory != nil {
		t.Errorf("%+v, %v", dst, err)
	}
	for _, c := range []struct {
		name   string
		reason Reason
		a      *asm
	}{
		{"action", ReasonSurfaceAction, surfaceAsm(2, Surface32ARGB, 1, 1, 4, g.at(0))},
		{"format", ReasonSurfaceFormat, surfaceAsm(0, 33, 1, 1, 4, g.at(0))},
		{"depth with high bits", ReasonSurfaceFormat, surfaceAsm(0, Surface32xRGB|1<<31, 1, 1, 4, g.at(0))},
		{"stride", ReasonSurfaceStride, surfaceAsm(0, Surface32ARGB, 4, 3, 15, g.at(0))},
		{"bits", ReasonSurfaceStride, surfaceAsm(0, Surface1A, 9, 1, 1, g.at(0))},
		{"negative stride", ReasonSurfaceStride, surfaceAsm(0, Surface32ARGB, 4, 3, -15, g.at(0))},
		{"smallest stride", ReasonSurfaceSize, surfaceAsm(0, Surface32ARGB, 4, 1, math.MinInt32, g.at(0))},
		{"no width", ReasonSurfaceSize, surfaceAsm(0, Surface32ARGB, 0, 3, 16, g.at(0))},
		{"no height", ReasonSurfaceSize, surfaceAsm(0, Surface32ARGB, 4, 0, 16, g.at(0))},
		{"width", ReasonSurfaceSize, surfaceAsm(0, Surface1A, MaxSurfaceSide+1, 1, 1<<20, g.at(0))},
		{"height", ReasonSurfaceSize, surfaceAsm(0, Surface1A, 1, MaxSurfaceSide+1, 1, g.at(0))},
		{"bytes", ReasonSurfaceSize, surfaceAsm(0, Surface32ARGB, 4, 2, 1<<30, g.at(0))},
		{"memory", ReasonRange, surfaceAsm(0, Surface32ARGB, 4, 3, 16, g.at(len(g.buf)-47))},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := g.command(CommandSurface, g.put(c.a), 0)
			wantReason(t, d.Surface(&dst, cmd), c.reason)
			if dst.Resource.Data != cmd.Data || dst.Memory != nil {
				t.Errorf("%+v", dst)
			}
		})
	}
}

func TestSurfaceBytes(t *testing.T) {
	if n, err := SurfaceBytes(Surface16x565, 3, 5, -8); n != 40 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	_, err := SurfaceBytes(Surface16x565, 5, 5, -8)
	wantReason(t, err, ReasonSurfaceStride)
}

// cursorAsm pads the action's part to the size of a cursor command.
func cursorAsm(action CursorAction, part *asm) *asm {
	a := new(asm).u64(testID).u8(uint8(action)).asm(part)
	return a.zero(150 - len(a.b))
}

func TestCursor(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	data := fillBytes(9, 1)
	head := func(typ uint16, size uint32) *asm {
		return new(asm).u64(42).u16(typ, 3, 4, 1, 2).u32(size)
	}
	shape := Shape{Unique: 42, Type: CursorMono, Width: 3, Height: 4, HotX: 1, HotY: 2}
	cut, all := shape, shape
	cut.Data, all.Data = data[:7], data
	set := func(shape PHYS) *asm { return new(asm).u16(0xfffe, 5).u8(1).phys(shape) }
	var dst CursorCommand
	for _, c := range []struct {
		name   string
		action CursorAction
		part   *asm
		want   CursorCommand
	}{
		{"set", CursorSet, set(g.chunked(head(1, 7), data[:4], data[4:])),
			CursorCommand{X: -2, Y: 5, Visible: true, HasShape: true, Shape: cut}},
		{"set, announcing more than there is", CursorSet, set(g.chunked(head(1, 1000), data)),
			CursorCommand{X: -2, Y: 5, Visible: true, HasShape: true, Shape: all}},
		{"set without shape", CursorSet, set(0), CursorCommand{X: -2, Y: 5, Visible: true}},
		{"move", CursorMove, new(asm).u16(7, 0x8000), CursorCommand{X: 7, Y: math.MinInt16}},
		{"hide", CursorHide, new(asm), CursorCommand{}},
		{"trail", CursorTrail, new(asm).u16(3, 4), CursorCommand{TrailLength: 3, TrailFrequency: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := g.command(CommandCursor, g.put(cursorAsm(c.action, c.part)), 0)
			if err := d.Cursor(&dst, cmd); err != nil {
				t.Fatal(err)
			}
			c.want.Action, c.want.Resource = c.action, Resource{Data: cmd.Data, ID: testID, Group: guestGroup}
			if !same(dst, c.want) {
				t.Errorf("%+v, want %+v", dst, c.want)
			}
		})
	}
	for _, c := range []struct {
		name   string
		reason Reason
		a      *asm
	}{
		{"action", ReasonCursorAction, cursorAsm(4, new(asm))},
		{"type", ReasonCursorType, cursorAsm(CursorSet, set(g.chunked(head(7, 1), data)))},
		{"shape nowhere", ReasonRange, cursorAsm(CursorSet, set(g.at(len(g.buf)-41)))},
		{"endless", ReasonChunkBytes, cursorAsm(CursorSet, set(endlessCursor(g, head(0, 9))))},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := g.command(CommandCursor, g.put(c.a), 0)
			wantReason(t, d.Cursor(&dst, cmd), c.reason)
			if dst.Resource.Data != cmd.Data {
				t.Errorf("%+v", dst.Resource)
			}
		})
	}
}

func endlessCursor(g *guest, head *asm) PHYS {
	return g.put(head.u32(0).phys(0, cycle(g, 500)))
}

func TestMonitors(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	config := func(count, allowed uint16, heads uint32) PHYS {
		a := new(asm).u16(count, allowed)
		for i := range heads {
			a.u32(i, 1, 640, 480, 640*i, 2, 3)
		}
		return g.put(a)
	}
	head := func(i uint32) Head {
		return Head{ID: i, Surface: 1, Width: 640, Height: 480, X: 640 * i, Y: 2, Flags: 3}
	}
	three := config(3, 4, 3)
	var dst MonitorsConfig
	for limit, want := range map[int]MonitorsConfig{
		0:      {MaxAllowed: 4, Heads: []Head{head(0), head(1), head(2)}},
		-1:     {MaxAllowed: 4, Heads: []Head{head(0), head(1), head(2)}},
		1 << 9: {MaxAllowed: 4, Heads: []Head{head(0), head(1), head(2)}},
		2:      {MaxAllowed: 2, Heads: []Head{head(0), head(1)}},
	} {
		if err := d.Monitors(&dst, three, guestGroup, limit); err != nil || !same(dst, want) {
			t.Errorf("limit %d: %+v, %v", limit, dst, err)
		}
	}
	for _, c := range []struct {
		name   string
		reason Reason
		addr   PHYS
	}{
		{"none", ReasonHeadCount, config(0, 4, 0)},
		{"more than allowed", ReasonHeadCount, config(3, 2, 3)},
		{"enormous", ReasonRange, config(math.MaxUint16, math.MaxUint16, 1)},
		{"nowhere", ReasonRange, g.at(len(g.buf) - 3)},
	} {
		wantReason(t, d.Monitors(&dst, c.addr, guestGroup, 0), c.reason)
		if len(dst.Heads) != 0 {
			t.Errorf("%s: %+v", c.name, dst)
		}
	}
}

// Every reason has a name of its own, and a test: those of memory, device
// commands and cursors are listed here, those of drawables are in their table.
func TestReasons(t *testing.T) {
	reached := map[Reason]bool{
		ReasonGroup: true, ReasonSlot: true, ReasonGeneration: true, ReasonWrap: true, ReasonRange: true, ReasonLength: true,
		ReasonUpdateArea: true, ReasonMessageEnd: true, ReasonSurfaceAction: true, ReasonSurfaceFormat: true,
		ReasonSurfaceSize: true, ReasonSurfaceStride: true, ReasonCursorAction: true, ReasonCursorType: true, ReasonHeadCount: true,
	}
	for _, c := range drawRefusals {
		reached[c.reason] = true
	}
	names := map[string]Reason{}
	for r := ReasonNone; r < ReasonCount; r++ {
		if r != ReasonNone && !reached[r] {
			t.Errorf("no test reaches %q", r)
		}
		if other, taken := names[r.String()]; taken || r.String() == "" {
			t.Errorf("name %q of %d is that of %d", r.String(), r, other)
		}
		names[r.String()] = r
	}
	if Reason(200).String() != "reason 200" {
		t.Error(Reason(200).String())
	}
}
