package interop

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRows plays every known state of the recordings to the reference client,
// and takes a screen shot of it.
func TestRows(t *testing.T) {
	realclient.need(t)
	for _, r := range rows(t) {
		for _, compression := range r.compressions() {
			t.Run(r.name()+"/"+compression, func(t *testing.T) {
				t.Parallel()
				addr := serve(t, r.serveArgs(compression)...)
				wantPicture(t, look(t, addr)(), r.hash)
				if got := shoot(t, addr); got != r.hash {
					t.Errorf("the screen shot has hash %s, want %s", got, r.hash)
				}
			})
		}
	}
}

// compressions are those that a state is played with: all of them at the end.
func (r row) compressions() []string {
	if r.commands == "end" {
		return []string{"lz", "off", "auto_glz", "auto_lz", "quic", "glz", "lz4"}
	}
	return []string{"lz", "off"}
}

// TestLossy plays over what counts as a slow line. Lossy images are replaced
// when the line is idle, so that the last picture is exact all the same.
func TestLossy(t *testing.T) {
	realclient.need(t)
	for _, r := range rows(t) {
		if r.commands != "end" {
			continue
		}
		t.Run(r.trace, func(t *testing.T) {
			t.Parallel()
			args := r.serveArgs("auto_glz")
			addr := serve(t, append(args, "--jpeg-wan", "always", "--zlib-glz-wan", "always")...)
			wantPicture(t, look(t, addr)(), r.hash)
		})
	}
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
		if s := look(t, addr, args...)(); s.Primary || s.Errors == 0 {
			t.Errorf("%s password: the client saw %+v, want an error and no picture", name, s)
		}
	}
	wantPicture(t, look(t, addr, "--password", "correct horse")(), r.hash)
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
