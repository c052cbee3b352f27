package main

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Run is what a viewer saw of a server. Times are seconds since the recording began.
type Run struct {
	Server   string   `json:"server"`
	Phases   []Phase  `json:"phases"`
	Exact    *float64 `json:"exact_after_s"` // the last command; null: not within 2 s
	Dropped  int64    `json:"dropped_bytes"` // by the line
	Streamed uint64   `json:"stream_frames"` // received
	Points   []Point  `json:"points"`
}

// Point is the state at one moment.
type Point struct {
	At     float64 `json:"at_s"`
	Mbit   float64 `json:"mbit_per_s"`
	Frames float64 `json:"frames_per_s"` // over the last second
	Age    float64 `json:"age_s"`        // of the shown frame
	PSNR   float64 `json:"psnr_db"`      // of the shown frame when it appeared
}

// Phase is a part of the run.
type Phase struct {
	Name      string  `json:"name"`
	From      float64 `json:"from_s"`
	To        float64 `json:"to_s"`
	Age50     float64 `json:"age_median_s"`
	Age95     float64 `json:"age_95th_s"`
	Frames    float64 `json:"frames_per_s"`
	PSNR      float64 `json:"psnr_db"` // median over time
	Megabytes float64 `json:"megabytes"`
	Echo50    float64 `json:"box_median_s"` // age of the box's number when it appears
}

// show is when a number was shown first, since the recording began.
type show struct {
	at, drawn time.Duration
	number    int
	psnr      float64 // of the picture then
}

// traffic is what had come over the line at a time.
type traffic struct {
	at    time.Duration
	bytes int64
}

// Journal is what was noted during a run.
type Journal struct {
	frames, box []show
	traffic     []traffic
}

// moment is how far apart a display's pictures are taken to be.
const moment = 10 * time.Millisecond

// seconds rounds to milliseconds.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// shown is the frame on the screen; false before the first one.
func (j *Journal) shown(at time.Duration) (show, bool) {
	i := sort.Search(len(j.frames), func(i int) bool { return j.frames[i].at > at })
	if i == 0 {
		return show{}, false
	}
	return j.frames[i-1], true
}

// Phase sums up a part of the run.
func (j *Journal) Phase(name string, from, to time.Duration) Phase {
	p := Phase{Name: name, From: seconds(from), To: seconds(to)}
	var ages, psnr, echo []float64
	for at := from; at < to; at += moment {
		if s, ok := j.shown(at); ok {
			ages, psnr = append(ages, seconds(at-s.drawn)), append(psnr, s.psnr)
		}
	}
	for _, s := range j.box {
		if s.at >= from && s.at < to {
			echo = append(echo, seconds(s.at-s.drawn))
		}
	}
	p.Age50, p.Age95, p.PSNR, p.Echo50 = quantile(ages, .5), quantile(ages, .95), quantile(psnr, .5), quantile(echo, .5)
	p.Frames = float64(j.count(from, to)) / (to - from).Seconds()
	p.Megabytes = float64(j.bytes(to)-j.bytes(from)) / 1e6
	return p
}

// Points are the states at regular intervals.
func (j *Journal) Points(from, to, step time.Duration) []Point {
	var ps []Point
	for at := from; at < to; at += step {
		p := Point{At: seconds(at), Frames: float64(j.count(at-time.Second, at))}
		window := 5 * step
		p.Mbit = float64(j.bytes(at)-j.bytes(at-window)) * 8 / 1e6 / window.Seconds()
		if s, ok := j.shown(at); ok {
			p.Age, p.PSNR = seconds(at-s.drawn), s.psnr
		}
		ps = append(ps, p)
	}
	return ps
}

// count is how many frames appeared.
func (j *Journal) count(from, to time.Duration) (n int) {
	for _, s := range j.frames {
		if s.at >= from && s.at < to {
			n++
		}
	}
	return n
}

// bytes is what had come over the line.
func (j *Journal) bytes(at time.Duration) int64 {
	i := sort.Search(len(j.traffic), func(i int) bool { return j.traffic[i].at > at })
	if i == 0 {
		return 0
	}
	return j.traffic[i-1].bytes
}

// quantile is the value below which a part of all lies; 0 if there is none.
func quantile(v []float64, part float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return v[int(math.Ceil(part*float64(len(v))))-1]
}
