package ecs

import (
	"container/heap"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Events of a file descriptor.
type Events uint32

// Readable also stands for a hang-up or an error, which a read will report.
const (
	Readable Events = 1 << iota
	Writable
)

// maxWait bounds one wait, so that its length in milliseconds fits an int32.
const maxWait = time.Hour

// Loop waits for file descriptors, timers and calls from other goroutines, and
// delivers them on the goroutine that calls Poll. All methods but Post and Wake
// belong to that goroutine.
type Loop struct {
	clock   Clock
	epfd    int
	wakefd  int
	watches map[int32]*Watch
	serial  int32 // of the last watch
	events  [64]unix.EpollEvent
	timers  timerHeap
	signals []int // eventfds

	woken atomic.Bool
	mu    sync.Mutex
	posts []func()
	run   []func()
	shut  bool
}

// Watch is the interest in one descriptor's events.
type Watch struct {
	loop   *Loop
	fd     int
	serial int32 // tells events of this watch from those of an earlier one of fd
	events Events
	fn     func(Events)
}

// NewLoop returns a loop with nothing to wait for.
func NewLoop(clock Clock) (*Loop, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating an epoll descriptor: %w", err)
	}
	wakefd, err := newEventfd()
	if err != nil {
		unix.Close(epfd)
		return nil, err
	}
	l := &Loop{clock: clock, epfd: epfd, wakefd: wakefd, watches: map[int32]*Watch{}}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wakefd)}
	if err := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, wakefd, &ev); err != nil {
		unix.Close(epfd)
		unix.Close(wakefd)
		return nil, fmt.Errorf("watching the eventfd: %w", err)
	}
	return l, nil
}

// Close frees the loop's descriptors and drops what was posted. Descriptors
// being watched stay open.
func (l *Loop) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return
	}
	l.shut, l.posts = true, nil
	unix.Close(l.epfd)
	unix.Close(l.wakefd)
	for _, fd := range l.signals {
		unix.Close(fd)
	}
}

// Clock is the clock the timers follow.
func (l *Loop) Clock() Clock { return l.clock }

// Watch calls fn with what happened whenever fd has one of the events.
func (l *Loop) Watch(fd int, events Events, fn func(Events)) (*Watch, error) {
	l.serial++
	w := &Watch{loop: l, fd: fd, serial: l.serial, events: events, fn: fn}
	ev := w.epollEvent()
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return nil, fmt.Errorf("watching descriptor %d: %w", fd, err)
	}
	l.watches[int32(fd)] = w
	return w, nil
}

// Set changes the events waited for.
func (w *Watch) Set(events Events) {
	if w.events == events || w.fn == nil {
		return
	}
	w.events = events
	ev := w.epollEvent()
	// It cannot fail for a descriptor that is being watched.
	_ = unix.EpollCtl(w.loop.epfd, unix.EPOLL_CTL_MOD, w.fd, &ev)
}

// Remove ends the watch; events already collected for it are not delivered.
// It must come before the descriptor is closed.
func (w *Watch) Remove() {
	if w.fn == nil {
		return
	}
	w.fn = nil
	delete(w.loop.watches, int32(w.fd))
	_ = unix.EpollCtl(w.loop.epfd, unix.EPOLL_CTL_DEL, w.fd, nil)
}

// epollEvent is what the kernel is told about the watch.
func (w *Watch) epollEvent() unix.EpollEvent {
	ev := unix.EpollEvent{Fd: int32(w.fd), Pad: w.serial}
	if w.events&Readable != 0 {
		ev.Events |= unix.EPOLLIN
	}
	if w.events&Writable != 0 {
		ev.Events |= unix.EPOLLOUT
	}
	return ev
}

// Post runs f on the loop's goroutine, in the order of the calls, and wakes it.
// It reports false if the loop is closed. Safe from any goroutine.
func (l *Loop) Post(f func()) bool {
	l.mu.Lock()
	if l.shut {
		l.mu.Unlock()
		return false
	}
	l.posts = append(l.posts, f)
	l.mu.Unlock()
	l.Wake()
	return true
}

// Wake makes the current or the next Poll return. Safe from any goroutine;
// wake-ups that have not been noticed yet are one.
func (l *Loop) Wake() {
	if l.woken.Swap(true) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.shut {
		one := [8]byte{1}
		_, _ = unix.Write(l.wakefd, one[:])
	}
}

// Signal returns an eventfd for those who cannot call Post: whenever something is added
// to it, the loop calls fn. It is good until Close.
func (l *Loop) Signal(fn func()) (fd int, err error) {
	if fd, err = newEventfd(); err != nil {
		return 0, err
	}
	_, err = l.Watch(fd, Readable, func(Events) {
		emptyEventfd(fd)
		fn()
	})
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	l.signals = append(l.signals, fd)
	return fd, nil
}

func newEventfd() (int, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return 0, fmt.Errorf("creating an eventfd: %w", err)
	}
	return fd, nil
}

// emptyEventfd takes away all that was added.
func emptyEventfd(fd int) {
	var b [8]byte
	_, _ = unix.Read(fd, b[:])
}

// Poll waits until something happens, at most for timeout, and delivers it:
// first what was posted, then due timers, then descriptor events.
func (l *Loop) Poll(timeout time.Duration) error {
	n, err := unix.EpollWait(l.epfd, l.events[:], l.waitMillis(timeout))
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("waiting for events: %w", err)
	}
	for i := range max(n, 0) {
		if int(l.events[i].Fd) == l.wakefd {
			emptyEventfd(l.wakefd)
			l.woken.Store(false)
		}
	}
	l.runPosts()
	l.runTimers()
	for i := range max(n, 0) {
		if w := l.watches[l.events[i].Fd]; w != nil && w.serial == l.events[i].Pad {
			w.deliver(l.events[i].Events)
		}
	}
	return nil
}

func (w *Watch) deliver(bits uint32) {
	var e Events
	if bits&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		e |= Readable
	}
	if bits&unix.EPOLLOUT != 0 {
		e |= Writable
	}
	w.fn(e)
}

// waitMillis is the shorter of timeout and the time to the next timer, rounded up.
func (l *Loop) waitMillis(timeout time.Duration) int {
	d := min(timeout, maxWait)
	if len(l.timers) > 0 {
		d = min(d, l.timers[0].at.Sub(l.clock.Now()))
	}
	if d <= 0 {
		return 0
	}
	return int(math.Ceil(float64(d) / float64(time.Millisecond)))
}

func (l *Loop) runPosts() {
	l.mu.Lock()
	l.run, l.posts = l.posts, l.run[:0]
	l.mu.Unlock()
	for i, f := range l.run {
		l.run[i] = nil
		f()
	}
}

// Timer calls a function once at a set time.
type Timer struct {
	loop *Loop
	at   time.Time
	fn   func()
	pos  int // in the heap, -1 when not set
}

// NewTimer returns a timer that is not set.
func (l *Loop) NewTimer(fn func()) *Timer { return &Timer{loop: l, fn: fn, pos: -1} }

// Reset sets the timer to fire after d, whether it was set or not.
func (t *Timer) Reset(d time.Duration) {
	t.at = t.loop.clock.Now().Add(d)
	if t.pos >= 0 {
		heap.Fix(&t.loop.timers, t.pos)
		return
	}
	heap.Push(&t.loop.timers, t)
}

// Active reports whether the timer is set.
func (t *Timer) Active() bool { return t.pos >= 0 }

// Stop unsets the timer.
func (t *Timer) Stop() {
	if t.pos >= 0 {
		heap.Remove(&t.loop.timers, t.pos)
	}
}

// runTimers calls what is due, at most as many as were set: a timer that sets
// itself to now waits for the next Poll.
func (l *Loop) runTimers() {
	if len(l.timers) == 0 {
		return
	}
	now := l.clock.Now()
	for n := len(l.timers); n > 0 && len(l.timers) > 0 && !l.timers[0].at.After(now); n-- {
		heap.Pop(&l.timers).(*Timer).fn()
	}
}

type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.pos = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.pos = -1
	return t
}
