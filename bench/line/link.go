package main

import (
	"errors"
	"os"
	"sync"
	"time"
)

// Line joins two namespaces. Packets from the server to the viewer are shaped and
// delayed, those back are delayed.
type Line struct {
	Server, Viewer *Space
	wg             sync.WaitGroup
	mu             sync.Mutex
	passed         int64 // bytes on the line to the viewer
	dropped        int64
}

// Addresses of the line's ends.
var (
	serverAddr = []byte{10, 71, 0, 1}
	viewerAddr = []byte{10, 71, 0, 2}
)

// NewLine makes a line, at both ends of which TCP has a congestion control.
func NewLine(down, back *Shaper, congestion string) (*Line, error) {
	l := new(Line)
	var err error
	if l.Server, err = NewSpace(serverAddr, congestion); err != nil {
		return nil, err
	}
	if l.Viewer, err = NewSpace(viewerAddr, congestion); err != nil {
		l.Server.Close()
		return nil, err
	}
	l.wg.Go(func() { l.carry(down, l.Server.Tun, l.Viewer.Tun, l.count) })
	l.wg.Go(func() { l.carry(back, l.Viewer.Tun, l.Server.Tun, func(*Shaper) {}) })
	return l, nil
}

// Close takes the line down.
func (l *Line) Close() error {
	err := errors.Join(l.Server.Close(), l.Viewer.Close())
	l.wg.Wait()
	return err
}

func (l *Line) count(s *Shaper) {
	l.mu.Lock()
	l.passed, l.dropped = s.Passed, s.Dropped
	l.mu.Unlock()
}

// Passed is how many bytes have come out of the line at the viewer's end, and how
// many have been dropped.
func (l *Line) Passed() (passed, dropped int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passed, l.dropped
}

// carry takes packets from one end to the other until one of them is closed.
func (l *Line) carry(s *Shaper, from, to *os.File, tell func(*Shaper)) {
	in := make(chan []byte, 64)
	go func() {
		defer close(in)
		for {
			p := make([]byte, packets)
			n, err := from.Read(p)
			if err != nil {
				return
			}
			in <- p[:n]
		}
	}()
	timer := time.NewTimer(time.Hour)
	for {
		data, wait := s.Pop(time.Now())
		if data != nil {
			if _, err := to.Write(data); err != nil && errors.Is(err, os.ErrClosed) {
				break
			}
			tell(s)
			continue
		}
		if wait < 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case p, ok := <-in:
			if !ok {
				return
			}
			s.Push(time.Now(), p)
		case <-timer.C:
		}
	}
	for range in { // until the reader has seen the end
	}
}
