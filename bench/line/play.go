package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const port = 5930 // in the server's namespace, which is its own

// server is a way to play a recording to clients.
type server struct {
	name    string
	command []string
	ready   string // what it says when clients may come
}

// servers are both, ours first.
func (s *settings) servers(recording string) []server {
	addr := net.IP(serverAddr).String()
	return []server{
		{"spiceecs", []string{s.ours, "serve", "--listen", fmt.Sprintf("%s:%d", addr, port), "--insecure-no-auth",
			"--recording", recording, "--wait-client", "--loop=false", "--pace", "recorded",
			"--image-compression", s.compression, "--streaming-video", s.streaming, "--video-codecs", s.codecs}, "spice://"},
		{"reference", []string{s.reference, "--addr", addr, "--port", strconv.Itoa(port), "--realtime",
			"--comp", s.compression, "--stream", s.streaming, "--codecs", s.codecs,
			"--linger", strconv.FormatInt((2 * settle).Milliseconds(), 10), recording}, "READY"},
	}
}

// play has a server play the session to a viewer over a line.
func (s *settings) play(ctx context.Context, sv server, session *Session) (*Run, error) {
	var began atomic.Pointer[time.Time]
	down := &Shaper{Delay: s.delay / 2, Queue: s.queue, Rate: func(now time.Time) float64 {
		if zero := began.Load(); zero != nil {
			return s.rate(now.Sub(*zero))
		}
		return s.rate(0)
	}}
	back := &Shaper{Delay: s.delay / 2, Queue: s.queue, Rate: func(time.Time) float64 { return s.fast * 1e6 }}
	line, err := NewLine(down, back, s.congestion)
	if err != nil {
		return nil, err
	}
	defer line.Close()
	stop, err := sv.start(ctx, line.Server)
	if err != nil {
		return nil, err
	}
	v := &Viewer{line: line, session: session, delay: s.delay / 2, began: func(t time.Time) { began.Store(&t) }}
	j, exact, frames, err := v.Watch(ctx, serverAddr, port, !s.atOnce)
	if err := errors.Join(err, stop()); err != nil {
		return nil, err
	}
	r := &Run{Server: sv.name, Exact: exact, Streamed: frames}
	_, r.Dropped = line.Passed()
	end := lead + 3*s.phase
	r.Points = j.Points(lead, end+settle, sampleEvery)
	for i, name := range []string{s.mbit(s.fast), s.mbit(s.slow), s.mbit(s.fast) + " again"} {
		from := lead + time.Duration(i)*s.phase
		first := min(3*time.Second, s.phase/2)
		r.Phases = append(r.Phases, j.Phase(name, from, from+s.phase),
			j.Phase("its first "+first.String(), from, from+first), j.Phase("its rest", from+first, from+s.phase))
	}
	return r, nil
}

// rate of the line at a time of the recording, in bits a second.
func (s *settings) rate(at time.Duration) float64 {
	if at -= lead; at >= s.phase && at < 2*s.phase {
		return s.slow * 1e6
	}
	return s.fast * 1e6
}

func (s *settings) mbit(rate float64) string { return fmt.Sprintf("%g Mbit/s", rate) }

// start starts a server in a namespace and waits until clients may come. stop ends it.
func (sv *server) start(ctx context.Context, space *Space) (stop func() error, err error) {
	cmd := exec.Command(sv.command[0], sv.command[1:]...)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = space.Do(cmd.Start)
	if err := errors.Join(err, w.Close()); err != nil {
		r.Close()
		return nil, fmt.Errorf("%s: %w (make -C bench/peer builds the reference's)", sv.name, err)
	}
	log := make(chan string, 1)
	up := make(chan struct{})
	go func() {
		defer r.Close()
		var said strings.Builder
		defer func() { log <- said.String() }()
		in, ready := bufio.NewReader(r), false
		for {
			l, err := in.ReadString('\n')
			if said.Len() < 64<<10 {
				said.WriteString(l)
			}
			if !ready && strings.Contains(l, sv.ready) {
				ready = true
				close(up)
			}
			if err != nil {
				return
			}
		}
	}()
	end := func() (string, error) {
		err := cmd.Process.Signal(os.Interrupt)
		timer := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait() // it was told to end
		if errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		return <-log, err
	}
	select {
	case <-up:
		return func() error { _, err := end(); return err }, nil
	case said := <-log:
		log <- said
	case <-time.After(20 * time.Second):
	case <-ctx.Done():
	}
	said, err := end()
	return nil, errors.Join(err, fmt.Errorf("%s does not start: %s", sv.name, said))
}
