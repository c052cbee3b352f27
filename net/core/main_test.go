package core

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
)

// TestConnectSequence checks every byte that a client is sent first.
func TestConnectSequence(t *testing.T) {
	uuid := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	for _, mini := range []bool{true, false} {
		for _, caps := range []wire.Caps{nil, wire.NewCaps(wire.CapMainNameAndUUID)} {
			r := newRig(t, func(c *Config) { c.Name, c.UUID = "Vм", uuid })
			p := r.connect(link.Hello{Type: wire.ChannelMain, MiniHeader: mini, Caps: caps, Remote: networkAddr})
			p.pings = true
			init := p.expect(wire.MsgMainInit)
			id := binary.LittleEndian.Uint32(init)
			if want := le32(id, 0, 1, 1, 0, 10, 60000, 0); id == 0 || !bytes.Equal(init, want) {
				t.Errorf("INIT %x, want %x", init, want)
			}
			if caps != nil {
				p.expect(wire.MsgMainName, 4, 0, 0, 0, 'V', 0xd0, 0xbc, 0)
				p.expect(wire.MsgMainUUID, uuid[:]...)
			}
			stamp := binary.LittleEndian.AppendUint64(nil, 1e15)
			for i, size := range []int{0, 0, 256000} {
				p.expect(wire.MsgPing, concat(le32(uint32(i+1)), stamp, make([]byte, size))...)
			}
			p.expectQuiet()
			if len(r.events) != 1 || !r.events[0].Connected || r.events[0].Client.ID != id {
				t.Errorf("events %+v", r.events)
			}
		}
	}
}

func TestNoNameNoUUID(t *testing.T) {
	r := newRig(t, nil)
	p := r.connect(link.Hello{Type: wire.ChannelMain, Caps: wire.NewCaps(wire.CapMainNameAndUUID)})
	p.expect(wire.MsgMainInit)
	p.expectQuiet() // no net test either: the socket is a local one
	r.SetName("late")
	r.SetUUID([16]byte{15: 1})
	r.settle()
	p = r.connect(link.Hello{Type: wire.ChannelMain, Caps: wire.NewCaps(wire.CapMainNameAndUUID)})
	p.expect(wire.MsgMainInit)
	p.expect(wire.MsgMainName, append(le32(5), "late\x00"...)...)
	p.expect(wire.MsgMainUUID, append(make([]byte, 15), 1)...)
}

// TestNetTest: the verdict from the times at which the pongs come.
func TestNetTest(t *testing.T) {
	pong := func(id uint32) []byte { return append(le32(id), make([]byte, 8)...) }
	cases := []struct {
		name    string
		pongs   []uint32
		at      []time.Duration
		bitRate uint64
		low     bool
	}{
		// 256000 bytes in 200 ms are 10,240,000 bit/s, below 10 Mi.
		{"slow", []uint32{1, 2, 3}, []time.Duration{20, 20, 220}, 10240000, true},
		{"fast", []uint32{1, 2, 3}, []time.Duration{20, 20, 40}, 102400000, false},
		{"first is faster", []uint32{1, 2, 3}, []time.Duration{20, 120, 220}, 10240000, true},
		{"no difference", []uint32{1, 2, 3}, []time.Duration{20, 20, 20}, 0, false},
		{"not over", []uint32{1, 2}, []time.Duration{20, 20}, 0, false},
		{"out of turn", []uint32{1, 3, 2}, []time.Duration{20, 20, 220}, 0, false},
		{"twice", []uint32{1, 2, 3, 3, 1}, []time.Duration{20, 20, 220, 900, 900}, 10240000, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			p := r.connect(link.Hello{Type: wire.ChannelMain, MiniHeader: true, Remote: networkAddr})
			p.expect(wire.MsgMainInit)
			p.fill()
			now := time.Duration(0)
			for i, id := range tc.pongs {
				r.clock.Advance(tc.at[i]*time.Millisecond - now)
				now = tc.at[i] * time.Millisecond
				p.send(wire.MsgcPong, pong(id)...)
			}
			info := r.clients[r.events[0].Client.ID].info()
			if info.BitRate != tc.bitRate || info.LowBandwidth != tc.low {
				t.Errorf("bit rate %d, low %v", info.BitRate, info.LowBandwidth)
			}
			p.expectQuiet()
		})
	}
}

func TestChannelsList(t *testing.T) {
	r := newRig(t, nil)
	cursor, _ := r.add(wire.ChannelCursor, 0), r.add(wire.ChannelDisplay, 0)
	p, _ := r.main()
	other, _ := r.main()
	r.add(wire.ChannelDisplay, 1) // nobody has asked yet
	p.expectQuiet()
	p.send(wire.MsgcMainAttachChannels)
	p.expect(wire.MsgMainChannelsList, concat(le32(4), []byte{2, 1, 2, 0, 4, 0, 3, 0})...)
	r.RemoveChannelAsync(cursor)
	p.send(wire.MsgcMainAttachChannels, 1, 2, 3)
	p.expect(wire.MsgMainChannelsList, concat(le32(3), []byte{2, 1, 2, 0, 3, 0})...)
	r.add(wire.ChannelUSBRedir, 7)
	p.expect(wire.MsgMainChannelsList, concat(le32(1), []byte{9, 7})...)
	other.expectQuiet()
}

// RemoveChannelAsync is RemoveChannel for a core whose goroutine is the test's.
func (r *rig) RemoveChannelAsync(ch Channel) {
	r.access.remove(ch)
	r.updatePointer()
}

func TestChannelRegistry(t *testing.T) {
	r := newRig(t, nil)
	r.add(wire.ChannelDisplay, 0)
	for _, ch := range []*fakeChannel{
		{kind: wire.ChannelDisplay}, {kind: wire.ChannelMain, id: 3}, {kind: wire.ChannelInputs},
	} {
		if err := r.AddChannel(ch); !errors.Is(err, ErrDuplicateChannel) {
			t.Errorf("channel %v %d: %v", ch.kind, ch.id, err)
		}
	}
	for i := range 254 {
		r.add(wire.ChannelPort, uint8(i))
	}
	if err := r.AddChannel(&fakeChannel{kind: wire.ChannelWebDAV}); !errors.Is(err, ErrTooManyChannels) {
		t.Errorf("one too many: %v", err)
	}
}

func TestAttachments(t *testing.T) {
	r := newRig(t, nil)
	ch := r.add(wire.ChannelCursor, 5)
	_, id := r.main()
	caps := wire.Caps{7}
	p := r.connect(link.Hello{Type: wire.ChannelCursor, ID: 5, ConnectionID: id, Caps: caps})
	p.expectClosed() // by the fake
	if len(ch.links) != 1 || ch.links[0].Client.ID != id || !ch.links[0].Hello.Caps.Has(2) || ch.links[0].LowBandwidth {
		t.Errorf("attachments %+v", ch.links)
	}
	r.connect(link.Hello{Type: wire.ChannelCursor, ID: 5, ConnectionID: id + 1}).expectClosed()
	r.connect(link.Hello{Type: wire.ChannelCursor, ID: 4, ConnectionID: id}).expectClosed()
	if len(ch.links) != 1 {
		t.Error("a link to another session was handed on")
	}
}

// TestMainLost: every channel of the client ends with its main channel.
func TestMainLost(t *testing.T) {
	r := newRig(t, nil)
	ch := r.add(wire.ChannelDisplay, 0)
	p, id := r.main()
	in := r.inputs(id)
	_, other := r.main()
	otherInputs := r.inputs(other)
	p.close()
	r.settle()
	in.expectClosed()
	otherInputs.expectQuiet()
	if len(ch.gone) != 1 || ch.gone[0] != id {
		t.Errorf("channel was told that %v are gone", ch.gone)
	}
	if last := r.events[len(r.events)-1]; last.Connected || last.Client.ID != id || !channel.Gone(last.Err) {
		t.Errorf("event %+v", last)
	}
	if code := r.access.Admit(link.Hello{Type: wire.ChannelInputs, ConnectionID: id}); code != wire.LinkErrBadConnectionID {
		t.Errorf("link to a lost session: %v", code)
	}
}

func TestAdmission(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxClients = 2 })
	_, id := r.main()
	for _, tc := range []struct {
		h    link.Hello
		want wire.LinkError
	}{
		{link.Hello{Type: wire.ChannelMain}, wire.LinkOK},
		{link.Hello{Type: wire.ChannelMain, ConnectionID: id}, wire.LinkErrBadConnectionID},
		{link.Hello{Type: wire.ChannelInputs, ConnectionID: id}, wire.LinkOK},
		{link.Hello{Type: wire.ChannelInputs, ConnectionID: 0}, wire.LinkErrBadConnectionID},
		{link.Hello{Type: wire.ChannelInputs, ConnectionID: id + 1}, wire.LinkErrBadConnectionID},
	} {
		if got := r.access.Admit(tc.h); got != tc.want {
			t.Errorf("%+v: %v, want %v", tc.h, got, tc.want)
		}
	}
	r.main()
	if got := r.access.Admit(link.Hello{Type: wire.ChannelMain}); got != wire.LinkErrError {
		t.Errorf("third client: %v", got)
	}
	r.connect(link.Hello{Type: wire.ChannelMain}).expectClosed() // admitted at the same time
	if len(r.clients) != 2 {
		t.Errorf("%d clients", len(r.clients))
	}
}

func TestExclusive(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Exclusive = true })
	first, id := r.main()
	in := r.inputs(id)
	second, _ := r.main()
	first.expectClosed()
	in.expectClosed()
	second.expectQuiet()
}

// TestMainEnds goes through everything that ends a main channel.
func TestMainEnds(t *testing.T) {
	cases := []struct {
		name string
		msg  uint16
		body []byte
	}{
		{"client info", wire.MsgcMainClientInfo, make([]byte, 8)},
		{"quality indicator", wire.MsgcMainQualityIndicator, make([]byte, 8)},
		{"message 0", 0, nil},
		{"message 113", 113, nil},
		{"message 65535", 65535, nil},
		{"flush mark", wire.MsgcMigrateFlushMark, nil},
		{"migrate data", wire.MsgcMigrateData, make([]byte, 57)},
		{"migrate end", wire.MsgcMainMigrateEnd, nil},
		{"do seamless", wire.MsgcMainMigrateDstDo, le32(1)},
		{"empty agent data", wire.MsgcMainAgentData, nil},
		{"long agent data", wire.MsgcMainAgentData, make([]byte, 2049)},
		{"short agent start", wire.MsgcMainAgentStart, make([]byte, 3)},
		{"short agent token", wire.MsgcMainAgentToken, make([]byte, 3)},
		{"short mouse mode", wire.MsgcMainMouseModeRequest, make([]byte, 1)},
		{"short ack sync", wire.MsgcAckSync, make([]byte, 3)},
		{"short pong", wire.MsgcPong, make([]byte, 11)},
		{"short disconnecting", wire.MsgcDisconnecting, make([]byte, 11)},
		{"too large", wire.MsgcMainAttachChannels, make([]byte, 26625)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			p, _ := r.main()
			other, _ := r.main()
			p.send(tc.msg, tc.body...)
			p.expectClosed()
			other.expectQuiet()
		})
	}
}

// TestMainStays goes through everything that a main channel takes.
func TestMainStays(t *testing.T) {
	r := newRig(t, nil)
	p, _ := r.main()
	for _, m := range []struct {
		msg  uint16
		body []byte
	}{
		{wire.MsgcMainAgentStart, le32(10)},
		{wire.MsgcMainAgentStart, make([]byte, 9)},
		{wire.MsgcMainAgentToken, le32(0xffffffff)},
		{wire.MsgcMainAgentData, make([]byte, 1)},
		{wire.MsgcMainAgentData, make([]byte, 2048)},
		{wire.MsgcMainMigrateConnectErr, nil},
		{wire.MsgcMainMouseModeRequest, le16(2)}, // not allowed
		{wire.MsgcMainMouseModeRequest, le16(3)},
		{wire.MsgcMainMouseModeRequest, le16(0)},
		{wire.MsgcDisconnecting, make([]byte, 12)},
		{wire.MsgcAckSync, le32(1)},
		{wire.MsgcAck, nil},
		{wire.MsgcPong, make([]byte, 12)},
	} {
		p.send(m.msg, m.body...)
		p.expectQuiet()
	}
	for range 20 { // no agent, no tokens needed
		p.send(wire.MsgcMainAgentData, 1, 2, 3)
	}
	p.expectQuiet()
	p.send(wire.MsgcMainMigrateConnected)
	p.expect(wire.MsgMainMigrateCancel)
	p.send(wire.MsgcMainMigrateConnSeam)
	p.expect(wire.MsgMainMigrateCancel)
	p.send(wire.MsgcMainAttachChannels, make([]byte, 26624)...)
	p.expect(wire.MsgMainChannelsList, 1, 0, 0, 0, 3, 0)
}

// TestMainTruncation has the client vanish behind every byte of a conversation.
func TestMainTruncation(t *testing.T) {
	talk := concat(frame(false, wire.MsgcMainAttachChannels, nil), frame(false, wire.MsgcMainMouseModeRequest, le16(1)),
		frame(false, wire.MsgcMainAgentData, []byte{1}))
	r := newRig(t, nil)
	for n := range len(talk) + 1 {
		p, id := r.main()
		p.write(talk[:n])
		p.close()
		r.settle()
		if last := r.events[len(r.events)-1]; last.Connected || last.Client.ID != id || !channel.Gone(last.Err) {
			t.Fatalf("%d bytes: event %+v", n, last)
		}
	}
	if len(r.clients) != 0 {
		t.Errorf("%d clients are left", len(r.clients))
	}
}

// TestTime has a client told what the multimedia time is.
func TestTime(t *testing.T) {
	r := newRig(t, nil)
	p, id := r.main()
	r.clock.Advance(time.Second)
	r.TellTime(id)
	r.settle()
	p.expect(wire.MsgMainMultiMediaTime, le32(r.MultimediaTime())...)
	r.TellTime(id + 1)
	r.settle()
	p.expectQuiet()
	if got := r.MultimediaTime(); got != 61000 {
		t.Errorf("multimedia time %d", got)
	}
}

// TestFloodWithoutReading: what the core keeps for such a client is bounded.
func TestFloodWithoutReading(t *testing.T) {
	r := newRig(t, nil)
	for i := range 250 {
		r.add(wire.ChannelPort, uint8(i))
	}
	p, id := r.main()
	conn := r.clients[id].main.conn
	ask := bytes.Repeat(frame(false, wire.MsgcMainAttachChannels, nil), 100)
	for range 1000 {
		if len(r.clients) == 0 {
			break
		}
		p.write(ask)
		r.settle()
		if n := conn.Out.Copied(); n > maxQueued+1<<20 {
			t.Fatalf("%d bytes are queued", n)
		}
	}
	if last := r.events[len(r.events)-1]; last.Connected || !errors.Is(last.Err, channel.ErrStuck) {
		t.Errorf("event %+v", last)
	}
}

// TestVanishedClient: one that answers nothing for half a minute is gone.
func TestVanishedClient(t *testing.T) {
	r := newRig(t, nil)
	p := r.connect(link.Hello{Type: wire.ChannelMain, MiniHeader: true, Remote: networkAddr})
	p.expect(wire.MsgMainInit)
	for range 40 {
		if len(r.clients) == 0 {
			break
		}
		r.clock.Advance(time.Second)
		r.settle()
	}
	if len(r.clients) != 0 || !errors.Is(r.events[1].Err, channel.ErrStuck) {
		t.Fatalf("events %+v", r.events)
	}
}

// TestAnsweringClient: one that does its part may be quiet for hours.
func TestAnsweringClient(t *testing.T) {
	r := newRig(t, nil)
	p := r.connect(link.Hello{Type: wire.ChannelMain, MiniHeader: true, Remote: networkAddr})
	p.pings = true
	p.expect(wire.MsgMainInit)
	for range 600 {
		for {
			msg, body, ok := p.next()
			if !ok {
				break
			}
			if msg == wire.MsgPing {
				p.send(wire.MsgcPong, body[:12]...)
			}
		}
		r.clock.Advance(time.Second)
		r.settle()
	}
	if len(r.clients) != 1 {
		t.Fatalf("events %+v", r.events)
	}
}
