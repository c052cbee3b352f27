package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/regions"
)

// Viewer is a client that notes what its screen shows.
//
// Its clock is the recording's: it began delay before the first number of the
// box arrived. A number of the box is some forty bytes, and nothing else is sent
// then, so that is when it was drawn to within a few milliseconds, whatever the
// server. The smallest value over all numbers before the video begins counts.
type Viewer struct {
	line    *Line
	session *Session
	delay   time.Duration // of the line
	began   func(time.Time)

	looks chan look

	mu          sync.Mutex
	zero        time.Time // when the recording began
	frames, box []sight
}

// sight is when a number was seen first.
type sight struct {
	at     time.Time
	number int
	psnr   float64
}

// look is a copy of the video's area.
type look struct {
	at time.Time
	Pix
}

// Watch connects and looks until some time after the recording's end. It returns
// how long after that the picture was exact, nil if it was not in time.
func (v *Viewer) Watch(ctx context.Context, ip net.IP, port int, timed bool) (j *Journal, exact *float64, frames uint64, err error) {
	v.looks = make(chan look, 64)
	s, err := client.Dial(ctx, "", client.Options{
		DialContext:  func(context.Context) (net.Conn, error) { return v.line.Viewer.Dial(ip, port) },
		OnInvalidate: v.invalidated, Timed: timed, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, 0, err
	}
	var examined sync.WaitGroup
	examined.Go(v.examine)
	j = new(Journal)
	exact, err = v.follow(ctx, s, j)
	s.Close()
	close(v.looks)
	examined.Wait()
	if d := s.Display(0); d != nil {
		n := d.Stats().ByMessage
		frames = n[wire.MsgDisplayStreamData] + n[wire.MsgDisplayStreamDataSized]
	}
	j.frames = v.since(v.frames, FrameAt)
	j.box = v.since(v.box, TickAt)
	return j, exact, frames, err
}

// since gives times by the recording's clock.
func (v *Viewer) since(seen []sight, drawn func(int) time.Duration) []show {
	out := make([]show, len(seen))
	for i, s := range seen {
		out[i] = show{s.at.Sub(v.zero), drawn(s.number), s.number, s.psnr}
	}
	return out
}

// invalidated looks at what has changed.
func (v *Viewer) invalidated(d *client.Display, surface uint32, area regions.Rect) {
	now := time.Now()
	if surface != 0 {
		return
	}
	if area.Overlaps(tickArea) {
		v.tick(d, now)
	}
	if area.Overlaps(videoArea) {
		if pix, err := d.ReadArea(nil, videoArea); err == nil {
			v.looks <- look{now, Pix{videoWide, videoHigh, pix}}
		}
	}
}

// tick reads the box.
func (v *Viewer) tick(d *client.Display, now time.Time) {
	p, err := d.ReadArea(nil, regions.XYWH(tickArea.Left, tickArea.Top, 1, 1))
	if err != nil {
		return
	}
	number := int(p[0]) | int(p[1])<<8 | int(p[2])<<16 - 1
	if number < 0 || TickAt(number) > v.session.End {
		return
	}
	zero := now.Add(-v.delay - TickAt(number))
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.zero.IsZero() || TickAt(number) < lead && zero.Before(v.zero) {
		v.zero = zero
		v.began(zero)
	}
	if n := len(v.box); n == 0 || v.box[n-1].number != number {
		v.box = append(v.box, sight{at: now, number: number})
	}
}

// examine reads the numbers of pictures and compares these with what they should be.
func (v *Viewer) examine() {
	var truth []byte
	for l := range v.looks {
		number, ok := l.Number()
		if !ok || number >= v.session.Frames {
			continue
		}
		v.mu.Lock()
		n := len(v.frames)
		known := n > 0 && v.frames[n-1].number == number
		v.mu.Unlock()
		if known {
			continue
		}
		frame := v.session.Film.Frame(number, truth)
		truth = frame.Data
		v.mu.Lock()
		v.frames = append(v.frames, sight{l.at, number, PSNR(l.Pix, frame)})
		v.mu.Unlock()
	}
}

const sampleEvery = 100 * time.Millisecond

// follow notes what comes over the line, until the picture has been exact since
// settle after the recording's end or is not.
func (v *Viewer) follow(ctx context.Context, s *client.Session, j *Journal) (exact *float64, err error) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return exact, ctx.Err()
		case <-s.Done():
			return exact, fmt.Errorf("the server has gone: %w", s.Err())
		case now := <-ticker.C:
			v.mu.Lock()
			zero := v.zero
			v.mu.Unlock()
			if zero.IsZero() {
				continue
			}
			at := now.Sub(zero)
			passed, _ := v.line.Passed()
			j.traffic = append(j.traffic, traffic{at, passed})
			over := at - v.session.End
			if over < 0 {
				continue
			}
			if !v.exact(s) {
				exact = nil
			} else if exact == nil {
				exact = new(seconds(over))
			}
			if over > settle {
				return exact, nil
			}
		}
	}
}

// settle is how long after the last command the picture has to be exact.
const settle = 2 * time.Second

// exact compares the whole screen.
func (v *Viewer) exact(s *client.Session) bool {
	d := s.Display(0)
	if d == nil {
		return false
	}
	pix, err := d.ReadArea(nil, regions.Rect{Right: screenWide, Bottom: screenHigh})
	if err != nil {
		return false
	}
	for i := 3; i < len(pix); i += 4 {
		pix[i] = 0 // what this byte holds is nobody's business
	}
	return bytes.Equal(pix, v.session.screen.Data)
}
