package ecs

import (
	"fmt"
	"testing"
	"time"
)

var epoch = time.Unix(1e9, 0)

func TestManualClock(t *testing.T) {
	c := NewManualClock(epoch)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, fmt.Sprint(name, " ", c.Now().Sub(epoch))) }
	}
	c.AfterFunc(3*time.Second, note("c"))
	c.AfterFunc(1*time.Second, note("a"))
	stop := c.AfterFunc(2*time.Second, note("b"))
	c.AfterFunc(4*time.Second, func() {
		note("d")()
		c.AfterFunc(time.Second, note("e")) // due within the same advance
		c.AfterFunc(time.Hour, note("f"))
	})
	if !stop() || stop() {
		t.Error("a timer has to be stopped once")
	}
	c.Advance(time.Second - 1)
	if len(got) != 0 {
		t.Errorf("early: %q", got)
	}
	c.Advance(1)
	c.Advance(10 * time.Second)
	if want := "[a 1s c 3s d 4s e 5s]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if now := c.Now().Sub(epoch); now != 11*time.Second {
		t.Errorf("it is %v", now)
	}
}

func TestManualClockEqualTimes(t *testing.T) {
	c := NewManualClock(epoch)
	var got []int
	for i := range 5 {
		c.AfterFunc(time.Second, func() { got = append(got, i) })
	}
	c.Advance(time.Second)
	if fmt.Sprint(got) != "[0 1 2 3 4]" {
		t.Errorf("order %v", got)
	}
}

func TestSystemClock(t *testing.T) {
	var c Clock = SystemClock{}
	if c.Now().Before(epoch) {
		t.Error("it shows the past")
	}
	ran := make(chan struct{})
	stop := c.AfterFunc(0, func() { close(ran) })
	<-ran
	if stop() {
		t.Error("stopped what has run")
	}
	if !c.AfterFunc(time.Hour, func() {})() {
		t.Error("could not stop")
	}
}
