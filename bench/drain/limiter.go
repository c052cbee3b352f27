package drain

import "time"

// limiter makes a reader take so many bytes a second.
type limiter struct {
	rate  int           // bytes per second; 0: no limit
	burst time.Duration // of silence that is made up for; 0: of all
	due   time.Time     // when what has been read should have come
}

func (l *limiter) begin(now time.Time) { l.due = now }

// wait is how long the reader has to pause after so many bytes.
func (l *limiter) wait(now time.Time, bytes int) time.Duration {
	if l.rate == 0 {
		return 0
	}
	if earliest := now.Add(-l.burst); l.burst > 0 && l.due.Before(earliest) {
		l.due = earliest
	}
	l.due = l.due.Add(time.Duration(float64(bytes) / float64(l.rate) * float64(time.Second)))
	return l.due.Sub(now)
}
