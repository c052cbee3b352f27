package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
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
	sv, err := servers.Ours(s.ours, "--recording", file, "--pace", "fast", "--wait-client",
		"--image-compression", s.compression, "--jpeg-wan", "never", "--zlib-glz-wan", "never")
	if err != nil {
		return run{}, err
	}
	defer func() {
		err = errors.Join(err, sv.Cmd.Process.Signal(os.Interrupt))
		sv.Listen()
		err = errors.Join(err, sv.Cmd.Wait())
		state := sv.Cmd.ProcessState
		r.CPU = (state.UserTime() + state.SystemTime()).Seconds()
		r.MaxRSS = float64(state.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	}()
	return watch(sv.Addr, s.idle)
}

// playReference feeds a recording to the reference server, which ends by
// itself: its feeder may be silent for seconds before that.
func (s *settings) playReference(file string) (run, error) {
	sv, err := servers.Reference(s.reference, "--comp", s.compression, "--never-wan", "--stream", "off",
		"--linger", strconv.FormatInt(linger.Milliseconds(), 10), file)
	if err != nil {
		return run{}, err
	}
	r, err := watch(sv.Addr, time.Minute)
	sv.Listen()
	if err := errors.Join(err, sv.Cmd.Wait()); err != nil {
		return run{}, err
	}
	var report struct {
		CPU    float64 `json:"cpu_s"`
		MaxRSS float64 `json:"maxrss_mb"`
	}
	if err := json.Unmarshal(sv.Report.Bytes(), &report); err != nil {
		return run{}, fmt.Errorf("report %q: %w", sv.Report.String(), err)
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
