package interop

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"os/exec"
	"strconv"
	"testing"

	"github.com/spiceecs/spiceecs/net/client"
)

// TestReferenceServer has our client look at the reference server, with every
// image compression that it has.
func TestReferenceServer(t *testing.T) {
	feeder := vmmdrive.need(t)
	for _, r := range rows(t) {
		if r.commands != "end" {
			continue
		}
		for _, compression := range compressions {
			t.Run(r.trace+"/"+compression, func(t *testing.T) {
				t.Parallel()
				addr := reference(t, feeder, "--comp", compression, r.file())
				d := dial(t, addr, client.Options{Log: slog.New(slog.DiscardHandler)})
				// The feeder may be silent for seconds while it parses a large
				// command: only its end says that all has been shown.
				await(t, "the end of the recording", d.Done())
				if got := shown(t, d); got != r.hash {
					t.Errorf("hash %s, want %s", got, r.hash)
				}
			})
		}
	}
}

// reference feeds a recording to the reference server once a client has
// connected. The server ends a while after the last command.
func reference(t *testing.T, feeder string, args ...string) (addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	port := strconv.Itoa(freePort(t))
	args = append([]string{"--port", port, "--never-wan", "--stream", "off", "--linger", milliseconds(idle)}, args...)
	cmd := exec.CommandContext(ctx, feeder, args...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, drained := make(chan struct{}), make(chan struct{})
	go func() {
		// The log is read to its end: the server must not wait for a reader.
		defer close(drained)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if lines.Text() == "READY" {
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-drained
		_ = cmd.Wait() // it may have been killed
	})
	select {
	case <-ready:
	case <-drained:
		t.Fatal("the reference server does not get ready")
	}
	return "127.0.0.1:" + port
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
