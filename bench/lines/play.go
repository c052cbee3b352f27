package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/bench/servers"
)

const (
	startup = 20 * time.Second // to wait for a server, or for its first byte
	linger  = time.Hour        // of the reference after the last command; it is killed
)

// server is a program that plays a recording when a client has come.
type server struct {
	cmd  *exec.Cmd
	addr string
	says *bufio.Scanner
}

// start starts a server and waits until clients can connect.
func (s *settings) start(which, file string) (*server, error) {
	sv := &server{}
	var pipe io.ReadCloser
	var err error
	if which == "reference" {
		port := ""
		if port, err = servers.FreePort(); err != nil {
			return nil, err
		}
		sv.addr = "127.0.0.1:" + port
		sv.cmd = exec.Command(s.reference, "--port", port, "--linger", fmt.Sprint(linger.Milliseconds()), file)
		if s.pace == "recorded" {
			sv.cmd.Args = append(sv.cmd.Args, "--realtime")
		}
		pipe, err = sv.cmd.StderrPipe()
	} else {
		sv.cmd = exec.Command(s.ours, "serve", "--listen", "127.0.0.1:0", "--recording", file, "--wait-client", "--pace", s.pace)
		pipe, err = sv.cmd.StdoutPipe()
	}
	if err != nil {
		return nil, err
	}
	if err := sv.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make -C bench/peer builds the reference's)", err)
	}
	sv.says = bufio.NewScanner(pipe)
	for sv.says.Scan() {
		if _, addr, ok := strings.Cut(sv.says.Text(), "spice://"); ok {
			sv.addr = addr
			return sv, nil
		}
		if sv.says.Text() == "READY" {
			return sv, nil
		}
	}
	return nil, errors.Join(errors.New("it does not say that it listens"), sv.stop())
}

// fed waits for the last command. It returns when that was, and how long it took.
func (sv *server) fed() (at time.Time, seconds float64, err error) {
	for sv.says.Scan() {
		line := sv.says.Text()
		if n, _ := fmt.Sscanf(line, "FED %f", &seconds); n == 1 {
			return time.Now(), seconds, nil
		}
		if n, _ := fmt.Sscanf(line, "Played in %f s", &seconds); n == 1 {
			return time.Now(), seconds, nil
		}
	}
	return at, 0, errors.New("it ended without having fed all")
}

func (sv *server) stop() error {
	err := sv.cmd.Process.Kill()
	_ = sv.cmd.Wait() // it was killed
	return err
}

// measure plays a recording with one server.
func (s *settings) measure(file string, r *result) (err error) {
	sv, err := s.start(r.Server, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sv.stop()) }()
	if r.Beside > 0 {
		other, err := drain.Dial(drain.Options{Addr: sv.addr, Rate: r.Beside, Burst: s.burst})
		if err != nil {
			return err
		}
		defer other.Close()
	}
	c, err := drain.Dial(drain.Options{Addr: sv.addr, Rate: r.Rate, Burst: s.burst})
	if err != nil {
		return err
	}
	defer c.Close()
	at, seconds, err := sv.fed()
	if err != nil {
		return err
	}
	go func() { // nothing it says later matters, but it must not block
		for sv.says.Scan() {
		}
	}()
	time.Sleep(s.idle)
	if err := c.Wait(s.idle, startup); err != nil {
		return err
	}
	counts := c.Report().Display
	r.Fed, r.Late, r.Bytes, r.Frames = seconds, c.Last().Sub(at).Seconds(), counts.Bytes, 0
	for _, msg := range []string{"stream_data", "stream_data_sized"} {
		r.Frames += counts.ByMessage[msg]
	}
	return nil
}
