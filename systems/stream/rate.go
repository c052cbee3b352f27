package stream

import "time"

// Qualities of pictures, of 100, and how many bytes one takes compared with one of
// the best. The latter is a rule of thumb, put right by every frame that is sent.
var qualities = [...]struct {
	quality int
	size    float64
}{{20, .36}, {30, .46}, {40, .54}, {50, .62}, {60, .71}, {70, .83}, {80, 1}}

// steps are what a stream gives up as the line gets worse: the quality down to
// that in qualities which leaves so many frames a second, and then frames.
var steps = [...]struct {
	frames float64
	lowest int
}{{20, 3}, {12, 2}, {8, 0}, {5, 0}, {3, 0}}

// leastFrames is what remains of a stream on the worst line, a second.
const leastFrames = 0.5

// Rate is how one stream is sent to one client: how good the pictures are and how
// many there are. It follows what the line was found to carry, and how large the
// pictures turn out.
type Rate struct {
	full     float64       // bytes of a picture of the best quality; 0: unknown
	level    int           // in qualities
	interval time.Duration // between pictures
	last     time.Time     // when the newest one was sent
}

// Quality of the next picture, of 100.
func (r *Rate) Quality() int { return qualities[r.level].quality }

// Interval between pictures; 0: as they come.
func (r *Rate) Interval() time.Duration { return r.interval }

// Plan decides about the next picture. bandwidth is the bytes a second that the
// stream may take, 0 if nothing is known to limit it; guest is the frames a second
// that there are. It returns how long the next picture has to wait.
func (r *Rate) Plan(now time.Time, bandwidth float64, guest float32) time.Duration {
	return r.Pace(now, r.choose(bandwidth, float64(guest)), guest)
}

// Pace is Plan for pictures of which so many a second are to be sent, and whose
// quality is somebody else's business.
func (r *Rate) Pace(now time.Time, fps float64, guest float32) time.Duration {
	if r.interval = 0; fps < float64(guest) {
		r.interval = time.Duration(float64(time.Second) / fps)
	}
	return max(0, r.last.Add(r.interval).Sub(now))
}

// choose picks the best quality that leaves enough frames, and returns how many.
func (r *Rate) choose(bandwidth, guest float64) float64 {
	best := len(qualities) - 1
	if bandwidth == 0 || r.full == 0 {
		if r.level = best; bandwidth != 0 {
			r.level = best / 2 // until the first picture has shown its size
		}
		return guest
	}
	for _, step := range steps {
		goal := min(step.frames, guest)
		for l := best; l >= step.lowest; l-- {
			if fps := bandwidth / (r.full * qualities[l].size); fps >= goal {
				r.level = l
				return min(fps, guest)
			}
		}
	}
	r.level = 0
	return max(bandwidth/(r.full*qualities[0].size), leastFrames)
}

// Expected is how many bytes the next picture is thought to have.
func (r *Rate) Expected() int { return int(r.full * qualities[r.level].size) }

// Sent notes a picture of the planned quality.
func (r *Rate) Sent(now time.Time, bytes int) {
	r.last = now
	full := float64(bytes) / qualities[r.level].size
	if r.full == 0 {
		r.full = full
	}
	r.full += (full - r.full) / 2
}
