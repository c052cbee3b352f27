package ecs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newLoop(t testing.TB) (*Loop, *ManualClock) {
	t.Helper()
	clock := NewManualClock(epoch)
	l, err := NewLoop(clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, clock
}

func poll(t testing.TB, l *Loop, timeout time.Duration) {
	t.Helper()
	if err := l.Poll(timeout); err != nil {
		t.Fatal(err)
	}
}

// pair is two connected non-blocking sockets.
func pair(t testing.TB) (int, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

func write(t testing.TB, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, []byte{1}); err != nil {
		t.Fatal(err)
	}
}

// TestSignal: who adds to an eventfd has the loop call a function, once for all that was
// added since.
func TestSignal(t *testing.T) {
	l, _ := newLoop(t)
	calls := [2]int{}
	var fds [2]int
	for i := range fds {
		var err error
		if fds[i], err = l.Signal(func() { calls[i]++ }); err != nil {
			t.Fatal(err)
		}
	}
	add := func(fd int) {
		if _, err := unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
	}
	poll(t, l, 0)
	add(fds[0])
	add(fds[0])
	poll(t, l, time.Hour)
	poll(t, l, 0)
	if calls != [2]int{1, 0} {
		t.Errorf("calls %v", calls)
	}
	add(fds[1])
	poll(t, l, time.Hour)
	if calls != [2]int{1, 1} {
		t.Errorf("calls %v", calls)
	}
	l.Close()
	if _, err := unix.Write(fds[0], make([]byte, 8)); err != unix.EBADF {
		t.Errorf("the eventfd of a closed loop: %v", err)
	}
}

func TestPostOrder(t *testing.T) {
	l, _ := newLoop(t)
	var got []int
	for i := range 10 {
		l.Post(func() {
			got = append(got, i)
			if i == 3 { // for the next Poll
				l.Post(func() { got = append(got, 100) })
			}
		})
	}
	poll(t, l, Idle)
	if want := "[0 1 2 3 4 5 6 7 8 9]"; fmt.Sprint(got) != want {
		t.Errorf("ran %v, want %v", got, want)
	}
	poll(t, l, Idle)
	if len(got) != 11 || got[10] != 100 {
		t.Errorf("ran %v", got)
	}
	poll(t, l, 0)
	if len(got) != 11 {
		t.Errorf("ran again: %v", got)
	}
}

// TestPostFromManyGoroutines: none is lost, and each goroutine's stay in order.
func TestPostFromManyGoroutines(t *testing.T) {
	l, _ := newLoop(t)
	const senders, each = 8, 2000
	next := [senders]int{}
	total := 0
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				l.Post(func() {
					if next[s] != i {
						t.Errorf("sender %d: post %d after %d", s, i, next[s])
					}
					next[s] = i + 1
					total++
				})
			}
		})
	}
	for total < senders*each {
		poll(t, l, Idle) // would hang if a wake-up were lost
	}
	wg.Wait()
}

// TestWakeCoalesces: many wake-ups are one write and end one wait.
func TestWakeCoalesces(t *testing.T) {
	l, _ := newLoop(t)
	for range 100 {
		l.Wake()
	}
	var b [8]byte
	if _, err := unix.Read(l.wakefd, b[:]); err != nil || b != [8]byte{1} {
		t.Fatalf("the eventfd holds %v, %v", b, err)
	}
	l.woken.Store(false)
	l.Wake()
	poll(t, l, Idle)
	if _, err := unix.Read(l.wakefd, b[:]); err != unix.EAGAIN {
		t.Errorf("the eventfd still holds %v, %v", b, err)
	}
}

func TestTimers(t *testing.T) {
	l, clock := newLoop(t)
	var got []string
	timer := func(name string) *Timer {
		return l.NewTimer(func() { got = append(got, name) })
	}
	a, b, c := timer("a"), timer("b"), timer("c")
	a.Reset(3 * time.Second)
	b.Reset(1 * time.Second)
	c.Reset(2 * time.Second)
	a.Reset(1500 * time.Millisecond)
	c.Stop()
	c.Stop()
	if !a.Active() || c.Active() {
		t.Error("Active is wrong")
	}
	poll(t, l, 0)
	clock.Advance(999 * time.Millisecond)
	poll(t, l, 0)
	if len(got) != 0 {
		t.Errorf("early: %v", got)
	}
	clock.Advance(10 * time.Second)
	poll(t, l, 0)
	poll(t, l, 0)
	if fmt.Sprint(got) != "[b a]" || a.Active() {
		t.Errorf("fired %v", got)
	}
}

// TestTimersRandom holds the heap against a plain list.
func TestTimersRandom(t *testing.T) {
	rnd := newRand(t)
	l, clock := newLoop(t)
	const n = 50
	var due [n]time.Time // zero: not set
	var timers [n]*Timer
	last := time.Time{}
	for i := range timers {
		timers[i] = l.NewTimer(func() {
			if due[i].IsZero() || due[i].After(clock.Now()) || due[i].Before(last) {
				t.Errorf("timer %d fired at %v, due %v, after one of %v", i, clock.Now(), due[i], last)
			}
			last, due[i] = due[i], time.Time{}
		})
	}
	for range 5000 {
		switch i := rnd.IntN(n); rnd.IntN(4) {
		case 0:
			timers[i].Stop()
			due[i] = time.Time{}
		case 1:
			clock.Advance(time.Duration(rnd.IntN(20)) * time.Millisecond)
			last = time.Time{}
			poll(t, l, 0)
			for i, at := range due {
				if !at.IsZero() && !at.After(clock.Now()) {
					t.Fatalf("timer %d is overdue", i)
				}
			}
		default:
			d := time.Duration(rnd.IntN(200)) * time.Millisecond
			timers[i].Reset(d)
			due[i] = clock.Now().Add(d)
		}
	}
}

// TestTimerThatResetsItself to now fires once a Poll.
func TestTimerThatResetsItself(t *testing.T) {
	l, _ := newLoop(t)
	n := 0
	var timer *Timer
	timer = l.NewTimer(func() {
		n++
		timer.Reset(0)
	})
	timer.Reset(0)
	for want := 1; want < 4; want++ {
		if poll(t, l, Idle); n != want {
			t.Errorf("fired %d times, want %d", n, want)
		}
	}
}

// TestTimerStopsAnother that is due at the same time.
func TestTimerStopsAnother(t *testing.T) {
	l, clock := newLoop(t)
	var second *Timer
	l.NewTimer(func() { second.Stop() }).Reset(1)
	second = l.NewTimer(func() { t.Error("fired although it was stopped") })
	second.Reset(2)
	clock.Advance(time.Second)
	poll(t, l, 0)
}

func TestWaitMillis(t *testing.T) {
	l, clock := newLoop(t)
	for d, want := range map[time.Duration]int{
		0: 0, -5: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, Idle: 3600000,
	} {
		if got := l.waitMillis(d); got != want {
			t.Errorf("%v: %d ms, want %d", d, got, want)
		}
	}
	timer := l.NewTimer(func() {})
	timer.Reset(10 * time.Millisecond)
	if got := l.waitMillis(Idle); got != 10 {
		t.Errorf("%d ms to the timer", got)
	}
	if got := l.waitMillis(time.Millisecond); got != 1 {
		t.Errorf("%d ms with a shorter timeout", got)
	}
	clock.Advance(time.Second)
	if got := l.waitMillis(Idle); got != 0 {
		t.Errorf("%d ms to an overdue timer", got)
	}
}

func TestWatch(t *testing.T) {
	l, _ := newLoop(t)
	a, b := pair(t)
	var got []Events
	w, err := l.Watch(a, Readable, func(e Events) { got = append(got, e) })
	if err != nil {
		t.Fatal(err)
	}
	poll(t, l, 0)
	write(t, b)
	poll(t, l, Idle)
	poll(t, l, Idle) // level-triggered
	w.Set(Readable | Writable)
	w.Set(Readable | Writable)
	poll(t, l, Idle)
	w.Set(Writable)
	poll(t, l, Idle)
	if want := "[1 1 3 2]"; fmt.Sprint(got) != want {
		t.Errorf("events %v, want %v", got, want)
	}
	got = nil
	_ = unix.Shutdown(b, unix.SHUT_RDWR)
	poll(t, l, Idle)
	if len(got) != 1 || got[0]&Readable == 0 {
		t.Errorf("hang-up gave %v", got)
	}
	w.Remove()
	w.Remove()
	w.Set(Readable)
	poll(t, l, 0)
	if len(got) != 1 {
		t.Errorf("events after Remove: %v", got)
	}
	if _, err := l.Watch(-1, Readable, func(Events) {}); err == nil {
		t.Error("watched no descriptor")
	}
}

// TestRemoveWhilePending: of two descriptors that are ready at once, whichever
// comes first removes the other, and puts a new watch on its number.
func TestRemoveWhilePending(t *testing.T) {
	l, _ := newLoop(t)
	var watches [2]*Watch
	var fds [2]int
	calls, fresh := 0, 0
	spare, _ := pair(t)
	for i := range fds {
		a, b := pair(t)
		fds[i] = a
		var err error
		watches[i], err = l.Watch(a, Readable, func(Events) {
			calls++
			watches[i].Remove()
			other := 1 - i
			watches[other].Remove()
			if err := unix.Dup2(spare, fds[other]); err != nil {
				t.Error(err)
			}
			if _, err := l.Watch(fds[other], Readable, func(Events) { fresh++ }); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		write(t, b)
	}
	poll(t, l, Idle)
	poll(t, l, 0)
	if calls != 1 || fresh != 0 {
		t.Errorf("%d calls, %d of a new watch for an old event", calls, fresh)
	}
}

// TestDeliveryOrder: posts, then timers, then descriptors.
func TestDeliveryOrder(t *testing.T) {
	l, clock := newLoop(t)
	var got []string
	note := func(s string) { got = append(got, s) }
	a, b := pair(t)
	if _, err := l.Watch(a, Readable, func(Events) { note("event") }); err != nil {
		t.Fatal(err)
	}
	write(t, b)
	l.NewTimer(func() { note("timer") }).Reset(1)
	clock.Advance(1)
	l.Post(func() { note("post") })
	poll(t, l, Idle)
	if want := "[post timer event]"; fmt.Sprint(got) != want {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestLoopClose(t *testing.T) {
	count := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(d)
	}
	before := count()
	l, _ := newLoop(t)
	l.Post(func() { t.Error("ran after Close") })
	l.Close()
	l.Close()
	if l.Post(func() {}) {
		t.Error("a closed loop takes posts")
	}
	l.Wake()
	if n := count(); n != before {
		t.Errorf("%d descriptors, %d before", n, before)
	}
	if err := l.Poll(0); err == nil {
		t.Error("a closed loop polls")
	}
}

func TestLoopAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l, clock := newLoop(t)
	a, b := pair(t)
	buf := make([]byte, 1)
	w, err := l.Watch(a, Readable, func(Events) { _, _ = unix.Read(a, buf) })
	if err != nil {
		t.Fatal(err)
	}
	timer := l.NewTimer(func() {})
	post := func() {}
	timer.Reset(1)
	one := []byte{1}
	if n := testing.AllocsPerRun(100, func() {
		_, _ = unix.Write(b, one)
		l.Post(post)
		timer.Reset(1)
		w.Set(Readable | Writable)
		w.Set(Readable)
		clock.Advance(1)
		_ = l.Poll(0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkPost is the way of one call from another goroutine.
func BenchmarkPost(b *testing.B) {
	l, err := NewLoop(SystemClock{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	answer := make(chan struct{})
	done := make(chan struct{})
	stop := false
	go func() {
		defer close(done)
		for !stop {
			_ = l.Poll(Idle)
		}
	}()
	for b.Loop() {
		l.Post(func() { answer <- struct{}{} })
		<-answer
	}
	l.Post(func() { stop = true })
	<-done
}

func BenchmarkTimerReset(b *testing.B) {
	l, err := NewLoop(SystemClock{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	timers := make([]*Timer, 100)
	for i := range timers {
		timers[i] = l.NewTimer(func() {})
		timers[i].Reset(time.Hour)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		timers[rnd.IntN(len(timers))].Reset(time.Duration(rnd.Int64N(int64(time.Hour))))
	}
}
