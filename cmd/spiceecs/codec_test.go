package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pictureFile writes a PNG file of a gradient with some noise.
func pictureFile(t *testing.T, name string, alpha uint8) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	m := image.NewNRGBA(image.Rect(0, 0, 61, 40))
	for y := range 40 {
		for x := range 61 {
			m.SetNRGBA(x, y, color.NRGBA{uint8(4 * x), uint8(6 * y), uint8(rng.IntN(9)), alpha | uint8(x)})
		}
	}
	file := filepath.Join(t.TempDir(), name)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
	return file
}

// codecs runs the command and returns its report.
func codecs(t *testing.T, args ...string) codecReport {
	t.Helper()
	code, out, says := spiceecs(t, append([]string{"codec", "--json", "--repeat", "1"}, args...)...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, says)
	}
	var r codecReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCodecPictures(t *testing.T) {
	r := codecs(t, pictureFile(t, "a.png", 255), pictureFile(t, "b.png", 0))
	if r.Pictures != 2 || r.Pixels != 2*61*40 || r.Bytes != 4*r.Pixels || r.Skipped != 0 || !r.Complete {
		t.Errorf("%+v", r)
	}
	var names []string
	for _, c := range r.Codecs {
		names = append(names, c.Name)
		lossy := strings.HasPrefix(c.Name, "jpeg")
		if c.Bytes <= 0 || c.Ratio < 0.5 || c.Encode <= 0 || c.Decode <= 0 || lossy != (c.PSNR > 20) {
			t.Errorf("%+v", c)
		}
	}
	for _, want := range []string{"quic", "lz", "lz4", "glz", "zlib_glz", "jpeg, pure Go"} {
		if !slices.Contains(names, want) {
			t.Errorf("codecs are %v: %s is missing", names, want)
		}
	}
}

func TestCodecRecording(t *testing.T) {
	all := codecs(t, "sample.rec.zst", "--limit", "1024")
	some := codecs(t, "sample.rec.zst", "--limit", "1")
	if !all.Complete || all.Pictures == 0 || some.Complete || some.Pictures >= all.Pictures || some.Bytes > 1<<20 {
		t.Errorf("all %+v\nsome %+v", all, some)
	}
}

func TestCodecTable(t *testing.T) {
	code, out, says := spiceecs(t, "codec", "--repeat", "1", pictureFile(t, "a.png", 255))
	if code != exitOK || says != "" {
		t.Fatalf("exit code %d: %s", code, says)
	}
	for _, want := range []string{"1 pictures", "encode MB/s", "quic", "none", " dB"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
}

func TestCodecErrors(t *testing.T) {
	cut := filepath.Join(t.TempDir(), "cut.png")
	whole, err := os.ReadFile(pictureFile(t, "a.png", 255))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitUsage, "requires at least 1 arg"},
		{[]string{"nowhere.png"}, exitFailure, "no such file"},
		{[]string{"--repeat", "0", cut}, exitUsage, "--repeat 0"},
		{[]string{"--limit", "100000", cut}, exitUsage, "--limit 100000"},
		{[]string{cut}, exitFailure, "cut.png: png: "},
		{[]string{"codec_test.go"}, exitFailure, "that is no recording"},
	} {
		code, _, says := spiceecs(t, append([]string{"codec"}, tc.args...)...)
		if code != tc.code || !strings.Contains(says, tc.says) {
			t.Errorf("%v: exit code %d, %q; want %d, %q", tc.args, code, says, tc.code, tc.says)
		}
	}
}
