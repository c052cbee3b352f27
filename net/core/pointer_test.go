package core

import (
	"fmt"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/net/wire"
)

// fakePointer is a mouse and a tablet that record what they are told.
type fakePointer struct{ calls []string }

func (f *fakePointer) note(format string, args ...any) {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fakePointer) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(f.calls, want) {
		t.Errorf("calls %q, want %q", f.calls, want)
	}
	f.calls = nil
}

type fakeMouse struct{ fakePointer }

func (f *fakeMouse) Motion(dx, dy, dz int32, b uint32) { f.note("motion %d %d %d %#x", dx, dy, dz, b) }
func (f *fakeMouse) Buttons(b uint32)                  { f.note("buttons %#x", b) }

type fakeTablet struct{ fakePointer }

func (f *fakeTablet) SetLogicalSize(w, h int32) { f.note("size %d %d", w, h) }
func (f *fakeTablet) Position(x, y int32, b uint32, d uint8) {
	f.note("position %d %d %#x %d", x, y, b, d)
}
func (f *fakeTablet) Wheel(dz int32, b uint32) { f.note("wheel %d %#x", dz, b) }
func (f *fakeTablet) Buttons(b uint32)         { f.note("buttons %#x", b) }

// TestMouseMode follows what a client is told while devices come and go.
func TestMouseMode(t *testing.T) {
	r := newRig(t, nil)
	p, _ := r.main()
	tablet := &fakeTablet{}
	mode := func(supported, current byte) {
		t.Helper()
		p.expect(wire.MsgMainMouseMode, supported, 0, current, 0)
	}
	r.SetTablet(tablet)
	r.settle()
	p.expectQuiet() // no display
	ch := r.add(wire.ChannelDisplay, 0)
	p.expectQuiet() // a channel, but no device
	r.SetDisplay(0, DisplayState{RAM: 64 << 20})
	r.settle()
	mode(3, 1) // no primary surface: allowed
	tablet.expect(t)
	r.SetDisplay(0, DisplayState{Active: true, Width: 640, Height: 480})
	r.settle()
	mode(1, 1) // the guest does not agree
	p.send(wire.MsgcMainMouseModeRequest, 2, 0)
	p.expectQuiet()
	r.SetDisplay(0, DisplayState{Active: true, Width: 640, Height: 480, MouseMode: true})
	r.settle()
	mode(3, 1)
	tablet.expect(t, "size 640 480")
	p.send(wire.MsgcMainMouseModeRequest, 2, 0)
	mode(3, 2)
	p.send(wire.MsgcMainMouseModeRequest, 2, 0)
	p.expectQuiet()
	r.SetDisplay(0, DisplayState{Active: true, Width: 800, Height: 600, MouseMode: true})
	r.settle()
	p.expectQuiet()
	tablet.expect(t, "size 800 600")
	second := r.add(wire.ChannelDisplay, 1) // of a device without graphics commands, say
	mode(1, 1)
	r.RemoveChannelAsync(second)
	mode(3, 1)
	p.send(wire.MsgcMainMouseModeRequest, 2, 0)
	mode(3, 2)
	r.SetDisplay(1, DisplayState{})
	r.settle()
	mode(1, 1)
	r.RemoveDisplay(1)
	r.settle()
	mode(3, 1)
	r.RemoveDisplay(0)
	r.settle()
	mode(1, 1)
	r.SetDisplay(0, DisplayState{Active: true, Width: 800, Height: 600, MouseMode: true})
	r.settle()
	mode(3, 1)
	r.SetTablet(nil)
	r.settle()
	mode(1, 1)
	r.RemoveChannelAsync(ch)
	p.expectQuiet()
	if want := []int{2, 1, 2, 1}; !slices.Equal(r.modes, want) {
		t.Errorf("cursor channels were told %v, want %v", r.modes, want)
	}
}

// TestModeOutlivesClients also checks INIT's fields about displays.
func TestModeOutlivesClients(t *testing.T) {
	r := newRig(t, nil)
	r.SetTablet(&fakeTablet{})
	r.add(wire.ChannelDisplay, 0)
	r.SetDisplay(0, DisplayState{Active: true, Width: 1, Height: 1, MouseMode: true, RAM: 1 << 26})
	r.settle()
	p, _ := r.main()
	p.send(wire.MsgcMainMouseModeRequest, 2, 0)
	p.close()
	r.settle()
	p = r.connect(mainHello)
	init := p.expect(wire.MsgMainInit)
	p.t.Helper()
	if want := le32(1, 3, 2, 0, 10, 60000, 1<<26); !slices.Equal(init[4:], want) {
		t.Errorf("INIT %x, want …%x", init, want)
	}
}

// TestPointerMessages: what reaches which device in which mode.
func TestPointerMessages(t *testing.T) {
	motion := concat(le32(5, 0xfffffff9), le16(0x7))
	position := concat(le32(10, 20), le16(0xffe4), []byte{3})
	far := concat(le32(5000, 0xffffffff), le16(0), []byte{0})
	up, down := []byte{4, 9, 0}, []byte{5, 2, 0}
	left := []byte{1, 1, 0}
	r := newRig(t, nil)
	mouse, tablet := &fakeMouse{}, &fakeTablet{}
	main, id := r.main()
	in := r.inputs(id)
	talk := func() {
		in.send(wire.MsgcInputsMouseMotion, motion...)
		in.send(wire.MsgcInputsMousePosition, position...)
		in.send(wire.MsgcInputsMousePosition, far...)
		in.send(wire.MsgcInputsMousePress, up...)
		in.send(wire.MsgcInputsMousePress, down...)
		in.send(wire.MsgcInputsMousePress, left...)
		in.send(wire.MsgcInputsMouseRelease, up...)
	}
	talk() // to nobody
	r.SetMouse(mouse)
	r.SetTablet(tablet)
	r.add(wire.ChannelDisplay, 0)
	r.SetDisplay(0, DisplayState{Active: true, Width: 640, Height: 480, MouseMode: true})
	r.settle()
	tablet.expect(t, "size 640 480")
	talk()
	mouse.expect(t, "motion 5 -7 0 0x7", "motion 0 0 -1 0x1", "motion 0 0 1 0x4", "buttons 0x1", "buttons 0x1")
	tablet.expect(t)
	main.send(wire.MsgcMainMouseModeRequest, 2, 0)
	talk()
	mouse.expect(t)
	tablet.expect(t, "position 10 20 0x1ffc2 3", "position 639 0 0x0 0", "wheel -1 0x1", "wheel 1 0x4", "buttons 0x1", "buttons 0x1")
	for range 2 {
		in.expect(wire.MsgInputsMouseMotionAck) // 9 movements so far
	}
	in.expectQuiet()
}

func TestDeviceButtons(t *testing.T) {
	// left, middle, right, up, down, side, extra, and the last one there is
	want := []uint32{1 << 0, 1 << 2, 1 << 1, 0, 0, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16}
	for bit, w := range want {
		if got := deviceButtons(1 << bit); got != w {
			t.Errorf("bit %d becomes %#x, want %#x", bit, got, w)
		}
	}
}
