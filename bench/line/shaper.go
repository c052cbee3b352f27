package main

import "time"

// Shaper is one direction of a line: packets wait in a queue for the line, take
// their time on it, and then travel for as long as the delay says.
//
//	Push -> queue (what does not fit is dropped) -> line, at its rate -> delay -> Pop
//
// The queue holds what the line carries within a time, at the rate of the moment.
// So there is no more buffer at any rate than that time.
type Shaper struct {
	Rate  func(time.Time) float64 // bits a second
	Delay time.Duration
	Queue time.Duration // what may wait for the line

	free            time.Time // when the line has taken all that was pushed before
	packets         []packet  // oldest first
	Passed, Dropped int64     // bytes
}

// packet travels, or waits for that.
type packet struct {
	data []byte
	size int // and what the link adds
	due  time.Time
}

// overhead is what a link adds to an IP packet: Ethernet's header, checksum,
// preamble and gap.
const overhead = 38

// Push takes a packet; false says that the queue was full.
func (s *Shaper) Push(now time.Time, data []byte) bool {
	if s.free.Before(now) {
		s.free = now
	}
	if s.free.Sub(now) > s.Queue {
		s.Dropped += int64(len(data))
		return false
	}
	size := len(data) + overhead
	s.free = s.after(s.free, size)
	s.packets = append(s.packets, packet{data, size, s.free.Add(s.Delay)})
	return true
}

// after is when the line has carried so many more bytes.
func (s *Shaper) after(at time.Time, bytes int) time.Time {
	return at.Add(time.Duration(float64(bytes*8) / s.Rate(at) * float64(time.Second)))
}

// Pop returns the oldest packet if it has arrived. Otherwise it says how long that
// takes, negative if there is none.
func (s *Shaper) Pop(now time.Time) (data []byte, wait time.Duration) {
	if len(s.packets) == 0 {
		return nil, -1
	}
	p := s.packets[0]
	if wait := p.due.Sub(now); wait > 0 {
		return nil, wait
	}
	s.packets[0] = packet{}
	s.packets = s.packets[1:]
	s.Passed += int64(p.size)
	return p.data, 0
}
