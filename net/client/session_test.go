package client

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

func TestMainState(t *testing.T) {
	srv, s := connect(t, clienttest.Config{RAMHint: 64 << 20}, Options{})
	c := srv.Channel(wire.ChannelMain, 0)
	c.Send(wire.MsgMainMouseMode, func(w *wire.Writer) { w.U16(3); w.U16(2) })
	c.Send(wire.MsgMainName, func(w *wire.Writer) { w.U32(5); w.Bytes([]byte("vm 1\x00")) })
	c.Send(wire.MsgMainUUID, func(w *wire.Writer) { w.Bytes([]byte("0123456789abcdef")) })
	c.Send(wire.MsgMainAgentConnectedTokens, func(w *wire.Writer) { w.U32(7) })
	c.Send(wire.MsgMainAgentToken, func(w *wire.Writer) { w.U32(3) })
	c.Send(wire.MsgMainAgentData, func(w *wire.Writer) { w.Bytes([]byte("whatever")) })
	c.Send(wire.MsgMainMigrateSwitchHost, func(w *wire.Writer) {
		w.U16(5900)
		w.U16(5901)
		w.U32(6)
		w.U32(20)
		w.U32(0)
		w.U32(0)
		w.Bytes([]byte("there\x00"))
	})
	c.Sync()
	want := Main{
		SessionID: clienttest.SessionID, Displays: 1, MouseModes: 3, MouseMode: 2, Agent: true, AgentTokens: 10,
		RAMHint: 64 << 20, Name: "vm 1", SwitchHost: "there", SwitchPort: 5900, SwitchTLSPort: 5901,
	}
	copy(want.UUID[:], "0123456789abcdef")
	if got := s.Main(); got != want {
		t.Errorf("main is %+v, want %+v", got, want)
	}
	c.Send(wire.MsgMainAgentDisconnected, func(w *wire.Writer) { w.U32(0) })
	c.Send(wire.MsgMainAgentConnected, nil)
	c.Send(wire.MsgNotify, func(w *wire.Writer) {
		w.U64(0)
		w.U32(1)
		w.U32(2)
		w.U32(0)
		w.U32(2)
		w.Bytes([]byte("hi\x00"))
	})
	c.Sync()
	if err := s.RequestMouseMode(wire.MouseServer); err != nil {
		t.Fatal(err)
	}
	if body := c.Expect(wire.MsgcMainMouseModeRequest); len(body) != 2 || body[0] != wire.MouseServer {
		t.Errorf("mouse mode request % x", body)
	}
}

func TestMainErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		msg  uint16
		body []byte
		want error
	}{
		"second INIT":       {wire.MsgMainInit, make([]byte, 32), wire.ErrMalformed},
		"short mouse mode":  {wire.MsgMainMouseMode, make([]byte, 3), wire.ErrShort},
		"list over end":     {wire.MsgMainChannelsList, []byte{255, 255, 255, 255, 2, 0}, wire.ErrShort},
		"name over end":     {wire.MsgMainName, []byte{9, 0, 0, 0, 'x'}, wire.ErrShort},
		"host outside":      {wire.MsgMainMigrateSwitchHost, []byte{0, 0, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0}, wire.ErrShort},
		"unknown":           {499, nil, ErrUnknown},
		"migration":         {wire.MsgMainMigrateBegin, make([]byte, 20), ErrMigration},
		"channel migration": {wire.MsgMigrate, make([]byte, 4), ErrMigration},
		"disconnecting":     {wire.MsgDisconnecting, make([]byte, 12), wire.LinkOK},
		"short ping":        {wire.MsgPing, make([]byte, 11), wire.ErrShort},
		"short SET_ACK":     {wire.MsgSetAck, make([]byte, 7), wire.ErrShort},
		"short NOTIFY":      {wire.MsgNotify, make([]byte, 23), wire.ErrShort},
	} {
		t.Run(name, func(t *testing.T) {
			srv, s := connect(t, clienttest.Config{}, Options{})
			srv.Channel(wire.ChannelMain, 0).SendBytes(tc.msg, tc.body)
			<-s.Done()
			if !errors.Is(s.Err(), tc.want) {
				t.Errorf("session ended with %v, want %v", s.Err(), tc.want)
			}
		})
	}
}

// TestLaterChannel checks that a channel listed after the start is opened, and
// one listed twice is not opened twice.
func TestLaterChannel(t *testing.T) {
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{display0, display1}}, Options{
		Channels: []wire.ChannelType{wire.ChannelDisplay}, Limits: Limits{Channels: 3},
	})
	c := srv.Channel(wire.ChannelMain, 0)
	list := func(id uint8) {
		c.Send(wire.MsgMainChannelsList, func(w *wire.Writer) {
			w.U32(2)
			w.U8(uint8(wire.ChannelDisplay))
			w.U8(id)
			w.U8(uint8(wire.ChannelInputs))
			w.U8(0)
		})
	}
	list(1)
	c.Sync()
	if n := len(s.Displays()); n != 2 || s.Inputs() != nil {
		t.Errorf("%d displays, inputs %v", n, s.Inputs())
	}
	list(2)
	<-s.Done()
	if !errors.Is(s.Err(), ErrTooLarge) {
		t.Errorf("session ended with %v", s.Err())
	}
}

func TestAcks(t *testing.T) {
	c, _ := connectDisplay(t, Options{})
	c.Sync()
	c.Send(wire.MsgSetAck, func(w *wire.Writer) { w.U32(7); w.U32(3) })
	if got := binary.LittleEndian.Uint32(c.Expect(wire.MsgcAckSync)); got != 7 {
		t.Errorf("generation %d", got)
	}
	mark := func(n int) {
		for range n {
			c.Send(wire.MsgDisplayMark, nil)
		}
	}
	mark(2)
	c.Sync() // the ping fills the window, and is answered after the ACK
	mark(3)
	c.Expect(wire.MsgcAck)
	mark(2)
	c.Send(wire.MsgSetAck, func(w *wire.Writer) { w.U32(8); w.U32(4) }) // starts counting anew
	c.Expect(wire.MsgcAckSync)
	mark(1)
	c.Sync()
	mark(1)
	c.Send(wire.MsgList, func(w *wire.Writer) { w.U16(0) }) // counts as one
	c.Expect(wire.MsgcAck)
	c.Send(wire.MsgSetAck, func(w *wire.Writer) { w.U32(9); w.U32(0) })
	c.Expect(wire.MsgcAckSync)
	mark(50)
	c.Sync()
	if len(c.Got) != 1 || c.Got[0].Type != wire.MsgcAck {
		t.Errorf("messages besides: %v", c.Got)
	}
}

// TestWaitForChannels lets one display wait for another.
func TestWaitForChannels(t *testing.T) {
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{display0, display1}}, Options{})
	a, b := srv.Channel(wire.ChannelDisplay, 0), srv.Channel(wire.ChannelDisplay, 1)
	sendSurface(a, 0, 8, 8, qxl.Surface32xRGB, wire.SurfaceFlagPrimary)
	a.Send(wire.MsgWaitForChannels, func(w *wire.Writer) {
		w.U8(2)
		w.U8(uint8(wire.ChannelDisplay))
		w.U8(0)
		w.U64(1) // its own past
		w.U8(uint8(wire.ChannelDisplay))
		w.U8(1)
		w.U64(3)
	})
	a.Send(wire.MsgDisplayMark, nil)
	b.Send(wire.MsgDisplayInvalAllPalettes, nil)
	b.Sync()
	if s.Display(0).Marked() {
		t.Error("display 0 did not wait for message 3 of display 1, which has had 2")
	}
	b.Send(wire.MsgDisplayInvalAllPalettes, nil)
	a.Sync()
	if !s.Display(0).Marked() {
		t.Error("display 0 still waits")
	}
	a.Send(wire.MsgWaitForChannels, func(w *wire.Writer) {
		w.U8(1)
		w.U8(uint8(wire.ChannelDisplay))
		w.U8(1)
		w.U64(1 << 40)
	})
	b.Close()
	wantEnd(t, s.Display(0), ErrWait)
}

func TestWaitForNobody(t *testing.T) {
	for _, own := range []bool{true, false} {
		c, d := connectDisplay(t, Options{})
		c.Send(wire.MsgWaitForChannels, func(w *wire.Writer) {
			w.U8(1)
			w.U8(uint8(wire.ChannelDisplay))
			if own {
				w.U8(0)
			} else {
				w.U8(9)
			}
			w.U64(2)
		})
		wantEnd(t, d, ErrWait)
	}
}

// subList appends a list of sub-messages to a body that ends at offset at.
func subList(w *wire.Writer, at uint32, subs ...func(*wire.Writer) uint16) {
	w.U16(uint16(len(subs)))
	slots := make([]wire.Slot, len(subs))
	for i := range subs {
		slots[i] = w.Slot()
	}
	for i, s := range subs {
		w.Here(slots[i])
		var body wire.Writer
		msg := s(&body)
		p := body.Buffers(nil)[0]
		w.U16(msg)
		w.U32(uint32(len(p)) + 100) // servers give the size in memory, which is larger
		w.Bytes(p)
	}
}

// TestLists sends cache evictions as both kinds of headers carry them.
func TestLists(t *testing.T) {
	for _, full := range []bool{false, true} {
		srv, s := connect(t, clienttest.Config{FullHeader: full, Channels: []clienttest.Key{display0}}, Options{})
		c := srv.Channel(wire.ChannelDisplay, 0)
		sendSurface(c, 0, 8, 8, qxl.Surface32xRGB, wire.SurfaceFlagPrimary)
		for _, id := range []uint64{5, 6, 7} {
			im := bitmap(id, 1, 1, flat(1, 1, uint32(id)))
			im.Flags = qxl.ImageCacheMe
			c.Draw(copyImage(im, 0, 0))
		}
		c.Sync()
		if n, _ := s.CacheUse(); n != 3 {
			t.Fatalf("%d images in the cache", n)
		}
		wait := func(w *wire.Writer) uint16 {
			w.U8(1)
			w.U8(uint8(wire.ChannelDisplay))
			w.U8(0)
			w.U64(1)
			return wire.MsgWaitForChannels
		}
		inval := func(w *wire.Writer) uint16 {
			w.U16(2)
			for _, id := range []uint64{5, 7} {
				w.U8(wire.ResourcePixmap)
				w.U64(id)
			}
			return wire.MsgDisplayInvalList
		}
		if full {
			var w wire.Writer
			w.Begin(0)
			w.Bytes([]byte{0xaa}) // a body that nobody looks at
			at := uint32(1)
			subList(&w, at, wait, inval)
			w.End()
			body := join(w.Buffers(nil))[wire.MiniHeaderSize:]
			head := make([]byte, wire.FullHeaderSize)
			binary.LittleEndian.PutUint64(head, 900) // serials may skip
			binary.LittleEndian.PutUint16(head[8:], wire.MsgDisplayMark)
			binary.LittleEndian.PutUint32(head[10:], uint32(len(body)))
			binary.LittleEndian.PutUint32(head[14:], at)
			c.Raw(append(head, body...))
		} else {
			c.Send(wire.MsgList, func(w *wire.Writer) { subList(w, 0, wait, inval) })
			c.Send(wire.MsgDisplayMark, nil)
		}
		c.Sync()
		n, _ := s.CacheUse()
		_, err := s.images.get(s.Display(0).conn, 6, true)
		if n != 1 || err != nil || !s.Display(0).Marked() {
			t.Errorf("full %v: %d images in the cache, error %v, marked %v", full, n, err, s.Display(0).Marked())
		}
	}
}

func join(bufs [][]byte) []byte {
	var out []byte
	for _, b := range bufs {
		out = append(out, b...)
	}
	return out
}

func TestListErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		body []byte
		want error
	}{
		"empty":          {nil, wire.ErrShort},
		"offset outside": {[]byte{1, 0, 99, 0, 0, 0}, wire.ErrShort},
		"no offset":      {[]byte{1, 0}, wire.ErrShort},
		"cut":            {[]byte{1, 0, 6, 0, 0, 0, 105}, wire.ErrShort},
		"list in list":   {[]byte{1, 0, 6, 0, 0, 0, wire.MsgList, 0, 0, 0, 0, 0}, wire.ErrMalformed},
		"too many":       {[]byte{255, 255}, ErrTooLarge},
		"itself":         {[]byte{1, 0, 0, 0, 0, 0}, ErrMigration}, // type 1, size 0
	} {
		t.Run(name, func(t *testing.T) {
			c, d := connectDisplay(t, Options{})
			c.SendBytes(wire.MsgList, tc.body)
			wantEnd(t, d, tc.want)
		})
	}
}

func TestMessageTooLarge(t *testing.T) {
	c, d := connectDisplay(t, Options{Limits: Limits{Message: 1000}})
	c.SendBytes(wire.MsgPing, make([]byte, 1000))
	c.Send(wire.MsgDisplayMark, nil)
	for !d.Marked() {
		c.Expect(wire.MsgcPong)
		c.Sync()
	}
	c.SendBytes(wire.MsgPing, make([]byte, 1001))
	wantEnd(t, d, ErrTooLarge)
}

// TestLies announces a large message and sends none of it: no memory is spent.
func TestLies(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	c.Sync()
	c.Raw([]byte{wire.MsgPing, 0, 0, 0, 0, 0x10}) // 256 MiB
	c.Close()
	<-d.Done()
	if n := cap(d.body); n > 2*bodyStep {
		t.Errorf("%d bytes for a message of which nothing came", n)
	}
}

// TestServerCloses checks what the ends of a display and of main mean.
func TestServerCloses(t *testing.T) {
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{display0, display1}}, Options{})
	srv.Channel(wire.ChannelDisplay, 0).Close()
	wantEnd(t, s.Display(0), io.EOF)
	srv.Channel(wire.ChannelDisplay, 1).Sync() // goes on
	srv.Channel(wire.ChannelMain, 0).Close()
	<-s.Done()
	if !errors.Is(s.Err(), io.EOF) {
		t.Errorf("session ended with %v", s.Err())
	}
	wantEnd(t, s.Display(1), io.EOF)
}

func TestContextEndsSession(t *testing.T) {
	srv := clienttest.New(t, clienttest.Config{Channels: []clienttest.Key{display0}})
	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := Dial(ctx, srv.Addr(), Options{Log: quietLog})
	if err != nil {
		t.Fatal(err)
	}
	reason := errors.New("enough")
	cancel(reason)
	wantEnd(t, s.Display(0), reason)
	s.Close()
	if !errors.Is(s.Err(), reason) {
		t.Errorf("session ended with %v", s.Err())
	}
}

// TestNoGoroutineIsLeft looks for this package's goroutines after sessions
// that ended in different ways.
func TestNoGoroutineIsLeft(t *testing.T) {
	srv := clienttest.New(t, clienttest.Config{Channels: []clienttest.Key{display0, cursor0, inputs0}})
	for range 3 {
		s, err := Dial(t.Context(), srv.Addr(), Options{Log: quietLog})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []clienttest.Key{display0, cursor0, inputs0} {
			srv.Channel(k.Type, k.ID)
		}
		srv.Channel(wire.ChannelMain, 0)
		s.Close()
	}
	if _, err := Dial(canceled(t), srv.Addr(), Options{Log: quietLog}); !errors.Is(err, context.Canceled) {
		t.Errorf("dialling with an ended context: %v", err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, f := range []string{"client.(*conn)", "client.(*gate)"} {
		if strings.Contains(string(stacks), f) {
			t.Errorf("%s is still running:\n%s", f, stacks)
		}
	}
}
