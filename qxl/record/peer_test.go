package record_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/qxl/record"
)

// cutHash is the FNV-1a hash of the RGB bytes of the picture at the end of
// testdata/cut.rec.zst, as the reference server and client show it.
const cutHash = "9d304be909c9b65f"

// TestReferencePlaysWhatWasWritten writes the recording kept here again, has
// the reference server play it, and the reference client look at it.
// SPICEECS_VMMDRIVE and SPICEECS_REALCLIENT name the two programs.
func TestReferencePlaysWhatWasWritten(t *testing.T) {
	drive, client := os.Getenv("SPICEECS_VMMDRIVE"), os.Getenv("SPICEECS_REALCLIENT")
	if drive == "" || client == "" {
		t.Skip("SPICEECS_VMMDRIVE and SPICEECS_REALCLIENT do not name the reference programs")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	port := freePort(t)
	server := exec.CommandContext(ctx, drive, "--port", port, "--never-wan", "--stream", "off", "--linger", "2500", rewritten(t))
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for ready := false; !ready; ready = lines.Text() == "READY" {
		if !lines.Scan() {
			t.Fatalf("the server does not get ready: %v", server.Wait())
		}
	}
	out, err := exec.CommandContext(ctx, client, "--port", port, "--secs", "100", "--idle", "1500", os.DevNull).Output()
	if err != nil {
		t.Errorf("client: %v", err)
	}
	for lines.Scan() {
		// The pipe has to be empty before Wait.
	}
	if err := server.Wait(); err != nil {
		t.Errorf("server: %v", err)
	}
	if !strings.Contains(string(out), `"hash":"`+cutHash+`"`) {
		t.Errorf("client saw %s, want hash %s", out, cutHash)
	}
}

// rewritten is the name of a plain copy of testdata/cut.rec.zst by a Writer.
func rewritten(t *testing.T) string {
	file, err := os.ReadFile("testdata/cut.rec.zst")
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "again.rec")
	if err := os.WriteFile(name, rewrite(t, r), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
