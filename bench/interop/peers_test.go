package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// idle is how long a picture must not have changed before a client takes
	// it for the last one, where that is not known. A loaded machine pauses for
	// a second now and then.
	idle = 3 * time.Second
	// patience is how long a client waits for a change while it does not see the
	// picture that is wanted.
	patience = time.Minute
	// limit is how long a program may run before it counts as hanging.
	limit = 10 * time.Minute
)

// work holds the programs that the tests build.
var work string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if work, err = os.MkdirTemp("", "interop"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(work)
		return m.Run()
	}())
}

// peer is a program of bench/peer.
type peer struct {
	name, env, packages string
	once                sync.Once
	path                string
	err                 error
}

var (
	realclient = peer{name: "realclient", env: "SPICEECS_REALCLIENT", packages: "spice-client-glib-2.0"}
	vmmdrive   = peer{name: "vmmdrive", env: "SPICEECS_VMMDRIVE", packages: "spice-server glib-2.0"}
)

// need returns the program's path, or skips the test.
func (p *peer) need(t *testing.T) string {
	t.Helper()
	p.once.Do(func() {
		if p.path = os.Getenv(p.env); p.path == "" {
			p.path, p.err = p.build()
		}
	})
	switch {
	case p.err == nil:
		return p.path
	case os.Getenv("CI") != "":
		t.Fatalf("%s: %v", p.name, p.err)
	default:
		t.Skipf("needs %s: install its libraries (bench/peer/README.md), or set %s to the program\n%v", p.name, p.env, p.err)
	}
	return ""
}

func (p *peer) build() (string, error) {
	flags, err := exec.Command("pkg-config", append([]string{"--cflags", "--libs"}, strings.Fields(p.packages)...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pkg-config: %w: %s", err, flags)
	}
	out := filepath.Join(work, p.name)
	args := append([]string{"-O2", "-o", out, "../peer/" + p.name + ".c"}, strings.Fields(string(flags))...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w: %s", err, msg)
	}
	return out, nil
}

// binary is the path of the program under test.
var binary = sync.OnceValues(func() (string, error) {
	out := filepath.Join(work, "spiceecs")
	msg, err := exec.Command("go", "build", "-o", out, "../../cmd/spiceecs").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, msg)
	}
	return out, nil
})

func program(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// serve runs spiceecs serve until the test ends, and returns its address.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	addr, _ := serveUntil(t, args...)
	return addr
}

// serveUntil is serve, and can be ended earlier: end returns what it logged.
func serveUntil(t *testing.T, args ...string) (addr string, end func() (log string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	cmd := exec.CommandContext(ctx, program(t), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said []string
	for addr == "" && lines.Scan() {
		said = append(said, lines.Text())
		_, addr, _ = strings.Cut(lines.Text(), "spice://")
	}
	end = sync.OnceValue(func() string {
		cancel()
		rest, _ := io.ReadAll(out)
		err := cmd.Wait()
		// An interrupted command reports the context's end unless it failed.
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("serve ended with code %d: %v", code, err)
		}
		if t.Failed() {
			t.Logf("serve said:\n%s\n%s%s", strings.Join(said, "\n"), rest, &log)
		}
		return log.String()
	})
	t.Cleanup(func() { end() })
	if addr == "" {
		t.Fatalf("serve does not say where it listens: %q", said)
	}
	return addr, end
}

// seen is what the reference client reports.
type seen struct {
	Primary     bool
	W, H        int
	Hash        string
	Invalidates int
	Errors      int
}

// look connects the reference client to a server until it shows a picture, or
// nothing has changed for long. The function that it returns tells what was seen, or fails the test; look itself
// may run on any goroutine.
func look(t *testing.T, addr, hash string, args ...string) func() seen {
	path := realclient.path
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return func() seen { t.Fatal(err); return seen{} }
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	args = append([]string{"--port", port, "--secs", "500", "--idle", milliseconds(patience), "--until", hash}, args...)
	cmd := exec.CommandContext(ctx, path, args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	return func() (s seen) {
		t.Helper()
		if jsonErr := json.Unmarshal(out, &s); jsonErr != nil {
			t.Fatalf("the client printed %q: %v, %v\n%s", out, jsonErr, err, &log)
		}
		t.Logf("the client saw %s%s", out, &log)
		return s
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// wantPicture checks that the client saw a picture, and nothing went wrong.
func wantPicture(t *testing.T, s seen, hash string) {
	t.Helper()
	if s.Hash != hash || !s.Primary || s.Errors != 0 {
		t.Errorf("the client saw %+v, want hash %s and no errors", s, hash)
	}
}

// row is a line of expected.tsv.
type row struct {
	trace, commands, hash string
	recording             string // "" for the built-in sample
}

func (r row) name() string { return r.trace + "/" + r.commands }

const traces = "../../testdata/traces"

// rows returns the lines whose recording is there.
func rows(t *testing.T) []row {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(traces, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var found []row
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		f := strings.Fields(line)
		if len(f) != 3 {
			t.Fatalf("expected.tsv: %q", line)
		}
		if file, ok := recording(t, f[0]); ok {
			found = append(found, row{trace: f[0], commands: f[1], hash: f[2], recording: file})
		}
	}
	return found
}

// recording finds the file of a trace, among all recordings or those that come with
// the tests.
func recording(t *testing.T, trace string) (string, bool) {
	t.Helper()
	for _, dir := range []string{os.Getenv("SPICEECS_TRACES"), traces} {
		file, err := filepath.Abs(filepath.Join(dir, trace+".rec.zst"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(file); dir != "" && err == nil {
			return file, true
		}
	}
	return "", trace == "desktop" // the sample
}

// file is the recording's file where a program needs one.
func (r row) file() string {
	if r.recording == "" {
		return "../../cmd/spiceecs/sample.rec.zst"
	}
	return r.recording
}
