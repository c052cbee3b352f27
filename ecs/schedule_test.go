package ecs

import (
	"fmt"
	"testing"
	"time"
)

// stage is a System that notes when it runs.
type stage struct {
	name string
	next time.Duration
	log  *[]string
}

func (s stage) Name() string { return s.name }
func (s stage) Run(now time.Time) time.Duration {
	*s.log = append(*s.log, fmt.Sprint(s.name, now.Sub(epoch)))
	return s.next
}

func TestSchedule(t *testing.T) {
	var log []string
	s := NewSchedule(stage{"a", Idle, &log}, stage{"b", time.Minute, &log}, stage{"c", time.Second, &log})
	if next := s.Tick(epoch.Add(5)); next != time.Second {
		t.Errorf("next in %v", next)
	}
	if want := "[a5ns b5ns c5ns]"; fmt.Sprint(log) != want {
		t.Errorf("ran %v, want %v", log, want)
	}
	if next := NewSchedule(stage{"a", Idle, &log}).Tick(epoch); next != Idle {
		t.Errorf("next in %v", next)
	}
	if next := NewSchedule().Tick(epoch); next != Idle {
		t.Errorf("next in %v", next)
	}
}
