package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPictures draws tinyRecording: ten fills of the same 5x5 pixels, of which
// two lines are on the surface, and four copies there. The driver drew outside
// of the screen, so that all are refused.
func TestPictures(t *testing.T) {
	dir := t.TempDir()
	file, svg, pic := filepath.Join(dir, "tiny.rec"), filepath.Join(dir, "t.svg"), filepath.Join(dir, "h.png")
	if err := os.WriteFile(file, tinyRecording(t), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := spiceecs(t, "inspect", "--json", "--tree", svg, "--heat", pic, "--client-every", "7", file)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r pictureReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Tree != svg || r.Heat != pic || r.Commands != 21 || r.Client != 7 || r.Refused != 14 || len(r.Surfaces) != 3 {
		t.Errorf("report %+v", r)
	}
	tree, err := os.ReadFile(svg)
	if err != nil || !bytes.Contains(tree, []byte("Render tree after 21 commands of tiny.rec")) {
		t.Errorf("tree: %v", err)
	}
	heat, err := os.Open(pic)
	if err != nil {
		t.Fatal(err)
	}
	defer heat.Close()
	if _, err := png.Decode(heat); err != nil {
		t.Error(err)
	}

	code, out, stderr = spiceecs(t, "inspect", "--tree", "-", "--at", "4", file)
	if code != exitOK || !strings.HasPrefix(out, "<svg") || !strings.HasPrefix(stderr, "-: after 4 commands: surfaces 3, drawables 0") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

func TestPicturesMisused(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--at", "3", "x"}, exitUsage, "say which with --tree or --heat"},
		{[]string{"--client-every", "3", "x"}, exitUsage, "say which with --tree or --heat"},
		{[]string{"--tree", "-", "--heat", "-", "x"}, exitUsage, "standard output"},
		{[]string{"--tree", "-", "."}, exitFailure, "name a file"},
		{[]string{"--tree", "-", "none.rec"}, exitFailure, "no such file"},
		{[]string{"--heat", "-", "cmd_test.go"}, exitFailure, "SPICE_WORKER_RECORD_FILENAME"},
	} {
		code, out, err := spiceecs(t, append([]string{"inspect"}, tc.args...)...)
		if code != tc.code || !strings.Contains(err, tc.says) || out != "" {
			t.Errorf("%q: exit code %d, want %d and %q\nstdout: %s\nstderr: %s", tc.args, code, tc.code, tc.says, out, err)
		}
	}
}
