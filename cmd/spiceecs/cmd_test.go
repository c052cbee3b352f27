package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// spiceecs runs the program.
func spiceecs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	a := &app{out: &out, err: &err}
	code = a.run(t.Context(), args)
	return code, out.String(), err.String()
}

// golden compares output with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("output differs from %s (-update rewrites it):\n%s", file, got)
	}
}

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		says string // on stderr
	}{
		{nil, exitOK, ""},
		{[]string{"--help"}, exitOK, ""},
		{[]string{"version"}, exitOK, ""},
		{[]string{"completion", "bash"}, exitOK, ""},
		{[]string{"completion", "zsh"}, exitOK, ""},
		{[]string{"completion", "fish"}, exitOK, ""},
		{[]string{"inspekt"}, exitUsage, `unknown command "inspekt", did you mean inspect?`},
		{[]string{"inspect"}, exitUsage, "'spiceecs inspect --help'"},
		{[]string{"inspect", "--nonsense"}, exitUsage, "unknown flag: --nonsense"},
		{[]string{"shot", "only-one"}, exitUsage, "accepts 2 arg(s)"},
		{[]string{"shot", "--display", "300", "a:1", "b"}, exitUsage, "invalid argument"},
		{[]string{"version", "extra"}, exitUsage, "'spiceecs version --help'"},
		{[]string{"version", "--log-level", "loud"}, exitUsage, "debug, info, warn and error"},
		{[]string{"inspect", "testdata/none.rec"}, exitFailure, "no such file"},
		{[]string{"inspect", "."}, exitFailure, "name a file"},
		{[]string{"inspect", "cmd_test.go"}, exitFailure, "SPICE_WORKER_RECORD_FILENAME"},
	} {
		code, out, err := spiceecs(t, tc.args...)
		if code != tc.code || !strings.Contains(err, tc.says) || code == exitOK && (err != "" || out == "") || code != exitOK && out != "" {
			t.Errorf("%q: exit code %d, want %d and %q\nstdout: %s\nstderr: %s", tc.args, code, tc.code, tc.says, out, err)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, name := range []string{"shot", "inspect"} {
		_, out, _ := spiceecs(t, name, "--help")
		golden(t, "help-"+name+".txt", out)
	}
	_, out, _ := spiceecs(t, "--help")
	for _, c := range commands {
		if cmd := c(&app{}); !strings.Contains(out, cmd.Name()) || !strings.Contains(out, cmd.Short) || cmd.Long == "" && cmd.Name() != "version" {
			t.Errorf("%s is not in the help, or has none", cmd.Name())
		}
	}
}

func TestCompletion(t *testing.T) {
	_, out, _ := spiceecs(t, "__complete", "--log-level", "")
	if !strings.Contains(out, "debug\ninfo\n") {
		t.Errorf("completions of --log-level: %s", out)
	}
	_, out, _ = spiceecs(t, "__complete", "inspect", "")
	if !strings.Contains(out, "zst") {
		t.Errorf("completions of inspect: %s", out)
	}
	_, out, _ = spiceecs(t, "__complete", "shot", "host:1", "")
	if !strings.Contains(out, "png") {
		t.Errorf("completions of shot: %s", out)
	}
}

func TestVersionLine(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go9.9", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}}
	info.Main.Version = "v1.2.3"
	if got := versionLine(info); !strings.HasPrefix(got, "spiceecs v1.2.3 0123456789ab (modified), go9.9, ") {
		t.Errorf("version %q", got)
	}
	if got := versionLine(nil); got == "" {
		t.Error("no version without build information")
	}
}

func TestHintsComeThrough(t *testing.T) {
	inner := errors.New("inner")
	err := error(usageError{hintError{inner, "do that"}})
	var hint hintError
	if !errors.Is(err, inner) || !errors.As(err, &hint) || hint.hint != "do that" {
		t.Errorf("%v lost its cause or hint", err)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := readContents(ctx, strings.NewReader("SPICE_REPLAY 1\n"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("inspecting with an ended context: %v", err)
	}
}
