package interop

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRows plays every known state of the recordings to the reference client,
// and takes a screen shot of it.
func TestRows(t *testing.T) {
	realclient.need(t)
	for _, r := range rows(t) {
		for _, v := range r.pick(exact) {
			t.Run(r.name()+"/"+v.compression+"/zlib-"+v.zlib, func(t *testing.T) {
				t.Parallel()
				addr := r.shown(t, append(r.serveArgs(v.compression), "--zlib-glz-wan", v.zlib)...)
				if got := shoot(t, addr); got != r.hash {
					t.Errorf("the screen shot has hash %s, want %s", got, r.hash)
				}
			})
		}
	}
}

// TestLossyRows plays over what counts as a slow line. Lossy images are replaced
// when the line is idle, so that the last picture is exact all the same.
func TestLossyRows(t *testing.T) {
	realclient.need(t)
	for _, r := range rows(t) {
		if r.commands != "end" && !matrix {
			continue
		}
		for _, v := range r.pick(roughly) {
			if v.zlib == "never" {
				continue // as good as without JPEG
			}
			t.Run(r.name()+"/"+v.compression, func(t *testing.T) {
				t.Parallel()
				r.shown(t, append(r.serveArgs(v.compression), "--jpeg-wan", "always", "--zlib-glz-wan", "always")...)
			})
		}
	}
}

// compressions are all settings of the image compression.
var compressions = []string{"quic", "lz", "glz", "lz4", "auto_lz", "auto_glz", "off"}

// matrix asks for every state with every setting, which takes long, rather than
// for the last states with the settings that differ.
var matrix = os.Getenv("SPICEECS_MATRIX") != ""

// variant is how images are sent.
type variant struct{ compression, zlib string }

// exact are those that end in different images, without loss; the first one is
// for states on the way.
var exact = []variant{
	{"lz", "never"}, {"off", "never"}, {"quic", "never"}, {"lz4", "never"}, {"glz", "never"},
	{"auto_lz", "never"}, {"auto_glz", "never"}, {"glz", "always"}, {"auto_glz", "always"},
}

// roughly are those that have lossy images.
var roughly = []variant{{"quic", "always"}, {"auto_glz", "always"}}

// pick returns those of the variants that a state is played with.
func (r row) pick(all []variant) []variant {
	switch {
	case matrix:
		all = nil
		for _, c := range compressions {
			all = append(all, variant{c, "never"}, variant{c, "always"})
		}
	case r.commands != "end":
		all = all[:1]
	}
	return all
}

// shown plays a state to the reference client, which must end up with its
// picture, and returns the server's address.
func (r row) shown(t *testing.T, args ...string) (addr string) {
	t.Helper()
	addr = serve(t, args...)
	wantPicture(t, look(t, addr, r.hash)(), r.hash)
	return addr
}

func (r row) serveArgs(compression string) []string {
	args := []string{"--pace", "fast", "--wait-client", "--loop=false", "--image-compression", compression,
		"--jpeg-wan", "never", "--zlib-glz-wan", "never"}
	if r.recording != "" {
		args = append(args, "--recording", r.recording)
	}
	if r.commands != "end" {
		args = append(args, "--stop-after", r.commands)
	}
	return args
}

// shoot takes a screen shot and returns its hash.
func shoot(t *testing.T, addr string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	args = append([]string{"shot", "--json", "--quiet", "1s", "--timeout", "2m", addr, filepath.Join(t.TempDir(), "shot.png")}, args...)
	out, err := exec.CommandContext(ctx, program(t), args...).Output()
	if err != nil {
		t.Fatalf("shot: %v %s", err, out)
	}
	var report struct{ Hash string }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("shot printed %q: %v", out, err)
	}
	return report.Hash
}

// TestPassword lets the reference client in with the right password only.
func TestPassword(t *testing.T) {
	realclient.need(t)
	r := end(t, "desktop")
	addr := serve(t, append(r.serveArgs("lz"), "--password", "correct horse")...)
	for name, args := range map[string][]string{"wrong": {"--password", "battery staple"}, "none": nil} {
		// Nothing makes the client leave but its time.
		if s := look(t, addr, r.hash, append(args, "--secs", "10")...)(); s.Primary || s.Errors == 0 {
			t.Errorf("%s password: the client saw %+v, want an error and no picture", name, s)
		}
	}
	wantPicture(t, look(t, addr, r.hash, "--password", "correct horse")(), r.hash)
	if got := shoot(t, addr, "--password", "correct horse"); got != r.hash {
		t.Errorf("the screen shot has hash %s, want %s", got, r.hash)
	}
}

// end is the last state of a recording.
func end(t *testing.T, trace string) row {
	t.Helper()
	for _, r := range rows(t) {
		if r.trace == trace && r.commands == "end" {
			return r
		}
	}
	t.Fatalf("there is no recording %s", trace)
	return row{}
}
