package spiceecs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/qxl/record/recordtest"
	"github.com/spiceecs/spiceecs/qxl/replay"
)

// TestRecording plays a recording that the reference made into a device that
// records: both hold the same commands and screens.
func TestRecording(t *testing.T) {
	const file = "qxl/record/testdata/cut.rec.zst"
	var out bytes.Buffer
	rec, err := spiceecs.NewRecording(&out)
	noError(t, err)
	s, err := spiceecs.New(spiceecs.Options{})
	noError(t, err)
	open := func() (io.ReadCloser, error) { return openPart(file) }
	p, err := replay.New(open, replay.Options{})
	noError(t, err)
	d, err := s.AddDevice(spiceecs.DeviceOptions{Ring: p, Recording: rec})
	noError(t, err)
	if err := p.Run(context.Background(), d); !errors.Is(err, io.ErrUnexpectedEOF) {
		noError(t, err)
	}
	noError(t, d.FlushSurfaces())
	noError(t, s.Close())
	in, err := open()
	noError(t, err)
	defer in.Close()
	want, got := events(t, in), events(t, &out)
	if len(want) != len(got) || len(want) < 2 {
		t.Errorf("%d sequences of events, want %d", len(got), len(want))
	}
	for kind, w := range want {
		g := got[kind]
		if len(g) != len(w) {
			t.Fatalf("%s: %d events, want %d", kind, len(g), len(w))
		}
		for i := range w {
			if d := recordtest.Diff(g[i], w[i]); d != "" {
				t.Fatalf("%s %d: %s", kind, i, d)
			}
		}
	}
}

// openPart opens the beginning of a file.
func openPart(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, recordedPart), f}, nil
}

// events are the bodies in a recording, those of each ring and of the requests
// in their order.
func events(t *testing.T, r io.Reader) map[string][]any {
	in, err := record.NewReader(r)
	noError(t, err)
	defer in.Close()
	found := map[string][]any{}
	for {
		var ev record.Event
		err := in.Next(&ev)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return found
		}
		noError(t, err)
		if ev.Kind == record.Worker {
			if ev.HasPrimary {
				ev.Primary.Memory = bytes.Clone(ev.Primary.Memory)
				found["primary"] = append(found["primary"], ev.Primary)
			}
			continue
		}
		switch qxl.CommandType(ev.Type) {
		case qxl.CommandDraw:
			var all qxl.Blob
			for i := range ev.Drawable.Images {
				data := ev.Drawable.Images[i].Data.AppendTo(nil)
				all = qxl.Blob{}
				all.Append(data)
				ev.Drawable.Images[i].Data = all
			}
			found["display"] = append(found["display"], ev.Drawable)
		case qxl.CommandUpdate:
			found["display"] = append(found["display"], ev.Update)
		case qxl.CommandSurface:
			ev.Surface.Memory = bytes.Clone(ev.Surface.Memory)
			found["display"] = append(found["display"], ev.Surface)
		case qxl.CommandCursor:
			found["cursor"] = append(found["cursor"], ev.Cursor)
		}
	}
}
