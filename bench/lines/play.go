package main

import (
	"errors"
	"strconv"
	"time"

	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/bench/servers"
)

const (
	startup = 20 * time.Second // to wait for a server, or for its first byte
	linger  = time.Hour        // of the reference after the last command; it is killed
)

// start starts a server.
func (s *settings) start(which, file string) (*servers.Server, error) {
	if which != "reference" {
		return servers.Ours(s.ours, "--recording", file, "--wait-client", "--pace", s.pace)
	}
	args := []string{"--linger", strconv.FormatInt(linger.Milliseconds(), 10), file}
	if s.pace == "recorded" {
		args = append(args, "--realtime")
	}
	return servers.Reference(s.reference, args...)
}

// measure plays a recording with one server.
func (s *settings) measure(file string, r *result) (err error) {
	sv, err := s.start(r.Server, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sv.Stop()) }()
	if r.Beside > 0 {
		other, err := drain.Dial(drain.Options{Addr: sv.Addr, Rate: r.Beside, Burst: s.burst})
		if err != nil {
			return err
		}
		defer other.Close()
	}
	c, err := drain.Dial(drain.Options{Addr: sv.Addr, Rate: r.Rate, Burst: s.burst})
	if err != nil {
		return err
	}
	defer c.Close()
	at, seconds, err := sv.Fed()
	if err != nil {
		return err
	}
	go sv.Listen()
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
