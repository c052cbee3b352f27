package ecs

import "time"

// System is one stage of a tick: it looks at what changed and acts on it.
type System interface {
	// Name appears in profiles and traces.
	Name() string
	// Run does the stage's work. It returns how soon the stage must run again
	// even if nothing happens, or Idle.
	Run(now time.Time) time.Duration
}

// Idle is what a System returns when it waits for an event.
const Idle = time.Duration(1<<63 - 1)

// Schedule runs systems in the order in which data flows through them.
type Schedule struct{ systems []System }

// NewSchedule fixes the order.
func NewSchedule(systems ...System) *Schedule { return &Schedule{systems} }

// Tick runs every system once and returns the shortest of the times after
// which one wants to run again.
func (s *Schedule) Tick(now time.Time) time.Duration {
	next := Idle
	for _, sys := range s.systems {
		next = min(next, sys.Run(now))
	}
	return next
}
