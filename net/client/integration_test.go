package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Environment of the test against another program's server.
const (
	envFeeder = "SPICEECS_VMMDRIVE" // feeds a recording to a reference server: FEEDER --port N … FILE
	envTraces = "SPICEECS_TRACES"   // folder with NAME.rec.zst and expected.tsv
	envOnly   = "SPICEECS_ROWS"     // run only rows "trace/commands" that contain this
	envModes  = "SPICEECS_COMP"     // compressions to ask the server for, with commas between
)

// TestReferenceServer shows recordings through a reference server and compares
// the pictures with those that the reference client shows.
func TestReferenceServer(t *testing.T) {
	feeder, traces := os.Getenv(envFeeder), os.Getenv(envTraces)
	if feeder == "" || traces == "" {
		t.Skipf("needs a reference server: set %s to a program that feeds a recording to one, and %s to the folder of recordings", envFeeder, envTraces)
	}
	rows, err := os.ReadFile(filepath.Join(traces, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	modes := []string{"off", "lz", "lz4", "glz", "quic", "auto_glz"}
	if m := os.Getenv(envModes); m != "" {
		modes = strings.Split(m, ",")
	}
	for _, line := range strings.Split(strings.TrimSpace(string(rows)), "\n")[1:] {
		f := strings.Fields(line)
		if !strings.Contains(f[0]+"/"+f[1], os.Getenv(envOnly)) {
			continue
		}
		for _, comp := range modes {
			t.Run(f[0]+"/"+f[1]+"/"+comp, func(t *testing.T) {
				got := playReference(t, feeder, filepath.Join(traces, f[0]+".rec.zst"), f[1], comp)
				if got != f[2] {
					t.Errorf("hash %s, want %s", got, f[2])
				}
			})
		}
	}
}

// playReference returns the hash of the picture after the first commands of a
// recording. The feeder's end is what says that all of them have been shown: it
// may pause for seconds while it parses a large one.
func playReference(t *testing.T, feeder, recording, commands, comp string) string {
	port := fmt.Sprint(20000 + (os.Getpid()*7+int(time.Now().UnixMilli()))%20000)
	args := []string{"--port", port, "--comp", comp, "--never-wan", "--stream", "off", "--linger", "3000"}
	if commands != "end" {
		args = append(args, "--stop", commands)
	}
	cmd := exec.Command(feeder, append(args, recording)...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for sc := bufio.NewScanner(pipe); sc.Scan() && sc.Text() != "READY"; {
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	begin := time.Now()
	s, err := Dial(ctx, "127.0.0.1:"+port, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := s.Display(0)
	select {
	case <-d.Done():
	case <-ctx.Done():
	}
	if !errors.Is(d.Err(), io.EOF) && !errors.Is(d.Err(), syscall.ECONNRESET) {
		t.Fatalf("display ended with %v", d.Err())
	}
	img, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	st := d.Stats()
	t.Logf("%v: %d messages, %d bytes, images %v", time.Since(begin), st.Messages, st.Bytes, st.Images)
	return fmt.Sprintf("%016x", Hash(img))
}
