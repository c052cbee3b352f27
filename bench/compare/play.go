package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/bench/servers"
)

const (
	linger = time.Second // of the reference after the last command
	first  = 20 * time.Second
)

// playOurs serves a recording with spiceecs.
func (s *settings) playOurs(file string) (r run, err error) {
	cmd := exec.Command(s.ours, "serve", "--listen", "127.0.0.1:0", "--recording", file, "--pace", "fast", "--wait-client",
		"--image-compression", s.compression, "--jpeg-wan", "never", "--zlib-glz-wan", "never")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return run{}, err
	}
	if err := cmd.Start(); err != nil {
		return run{}, err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(os.Interrupt))
		_, _ = io.Copy(io.Discard, out)
		err = errors.Join(err, cmd.Wait())
		r.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		r.MaxRSS = float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	}()
	addr := ""
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		_, addr, _ = strings.Cut(lines.Text(), "spice://")
	}
	if addr == "" {
		return run{}, errors.New("it does not say where it listens")
	}
	return watch(addr, s.idle)
}

// playReference feeds a recording to the reference server, which ends by
// itself: its feeder may be silent for seconds before that.
func (s *settings) playReference(file string) (run, error) {
	port, err := servers.FreePort()
	if err != nil {
		return run{}, err
	}
	cmd := exec.Command(s.reference, "--port", port, "--comp", s.compression, "--never-wan", "--stream", "off",
		"--linger", strconv.FormatInt(linger.Milliseconds(), 10), file)
	var out strings.Builder
	cmd.Stdout = &out
	log, err := cmd.StderrPipe()
	if err != nil {
		return run{}, err
	}
	if err := cmd.Start(); err != nil {
		return run{}, fmt.Errorf("%w (make -C bench/peer builds it)", err)
	}
	for lines := bufio.NewScanner(log); lines.Scan() && lines.Text() != "READY"; {
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	r, err := watch("127.0.0.1:"+port, time.Minute)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return run{}, err
	}
	var report struct {
		CPU    float64 `json:"cpu_s"`
		MaxRSS float64 `json:"maxrss_mb"`
	}
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
		return run{}, fmt.Errorf("report %q: %w", out.String(), err)
	}
	r.CPU, r.MaxRSS = report.CPU, report.MaxRSS
	return r, nil
}

// watch counts what a server sends.
func watch(addr string, idle time.Duration) (run, error) {
	c, err := drain.Dial(drain.Options{Addr: addr})
	if err != nil {
		return run{}, err
	}
	defer c.Close()
	if err := c.Wait(idle, first); err != nil {
		return run{}, err
	}
	r := c.Report()
	return run{Seconds: r.Seconds, Messages: r.Display.Messages, Bytes: r.Display.Bytes}, nil
}
