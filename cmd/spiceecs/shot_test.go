package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// screen starts a server that shows 4x2 pixels, the upper half red.
func screen(t *testing.T, cfg clienttest.Config) *clienttest.Server {
	t.Helper()
	cfg.Channels = []clienttest.Key{{Type: wire.ChannelDisplay}}
	srv := clienttest.New(t, cfg)
	go func() {
		c := srv.TryChannel(wire.ChannelDisplay, 0)
		if c == nil {
			return
		}
		c.Send(wire.MsgDisplaySurfaceCreate, func(w *wire.Writer) {
			for _, v := range [...]uint32{0, 4, 2, uint32(qxl.Surface32xRGB), wire.SurfaceFlagPrimary} {
				w.U32(v)
			}
		})
		d := new(qxl.Drawable)
		d.Reset()
		d.Type, d.BBox, d.Rop = qxl.DrawFill, regions.XYWH(0, 0, 4, 1), qxl.RopPut
		d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0xff0000, Image: qxl.NoImage}
		c.Draw(d)
	}()
	return srv
}

// screenHash is the hash of that picture.
func screenHash() string {
	h := uint64(1469598103934665603)
	for i := range 4 * 2 * 3 {
		b := byte(0)
		if i < 12 && i%3 == 0 {
			b = 255
		}
		h = (h ^ uint64(b)) * 1099511628211
	}
	return fmt.Sprintf("%016x", h)
}

func TestShot(t *testing.T) {
	srv := screen(t, clienttest.Config{Password: "sesame"})
	file := filepath.Join(t.TempDir(), "out.png")
	code, out, stderr := spiceecs(t, "shot", "--password", "sesame", "--quiet", "1ms", "--json", srv.Addr(), file)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r shotReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if want := screenHash(); r.Width != 4 || r.Height != 2 || r.Hash != want || r.File != file || r.Messages == 0 {
		t.Errorf("report %+v, want hash %s", r, want)
	}
	p, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, a := img.At(3, 0).RGBA(); r != 0xffff || g != 0 || b != 0 || a != 0xffff {
		t.Errorf("pixel is %x %x %x %x", r, g, b, a)
	}
}

func TestShotToStdout(t *testing.T) {
	t.Setenv(passwordEnv, "sesame")
	srv := screen(t, clienttest.Config{Password: "sesame"})
	code, out, stderr := spiceecs(t, "shot", "--quiet", "1ms", srv.Addr(), "-")
	if code != exitOK || !strings.Contains(stderr, "4x2, hash "+screenHash()) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, err := png.Decode(strings.NewReader(out)); err != nil {
		t.Errorf("standard output is no PNG: %v", err)
	}
}

func TestShotErrors(t *testing.T) {
	pem := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(pem, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		cfg  clienttest.Config
		args []string
		says string
	}{
		"wrong password":  {clienttest.Config{Password: "sesame"}, []string{"--password", "x"}, "the password is wrong"},
		"no such display": {clienttest.Config{}, []string{"--display", "7"}, "has no display 7"},
		"never quiet":     {clienttest.Config{}, []string{"--quiet", "1h", "--timeout", "50ms"}, "shorter --quiet"},
		"not TLS":         {clienttest.Config{}, []string{"--insecure"}, "connecting the main channel"},
		"no such CA":      {clienttest.Config{}, []string{"--ca", "none.pem"}, "no such file"},
		"empty CA":        {clienttest.Config{}, []string{"--ca", pem}, "PEM form"},
		"needs TLS": {clienttest.Config{Refuse: func(clienttest.Key) wire.LinkError { return wire.LinkErrNeedSecured }},
			nil, "--tls and --ca"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := screen(t, tc.cfg)
			file := filepath.Join(t.TempDir(), "out.png")
			code, _, stderr := spiceecs(t, append([]string{"shot", srv.Addr(), file, "--quiet", "1ms"}, tc.args...)...)
			if code != exitFailure || !strings.Contains(stderr, tc.says) {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("a file was written")
			}
		})
	}
	if _, _, stderr := spiceecs(t, "shot", "127.0.0.1:1", "x.png"); !strings.Contains(stderr, "nothing listens") {
		t.Errorf("without a server: %s", stderr)
	}
}
