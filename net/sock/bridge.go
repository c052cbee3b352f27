package sock

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// flushTime is how long a bridge goes on writing to a peer that does not read
// once the near side has closed.
const flushTime = time.Second

// bridge copies between a connection and one end of a socket pair. It ends when
// either side closes; what the near side had written is still delivered, for
// flushTime at most.
type bridge struct {
	far  net.Conn
	near *net.UnixConn
	hold *os.File // the same socket as near, to notice that its peer has gone
}

// newBridge returns the socket pair's other end, non-blocking.
func newBridge(far net.Conn) (int, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("creating a socket pair: %w", err)
	}
	hold := os.NewFile(uintptr(fds[1]), "bridge")
	near, err := net.FileConn(hold)
	if err != nil {
		hold.Close()
		unix.Close(fds[0])
		return -1, fmt.Errorf("creating a socket pair: %w", err)
	}
	b := &bridge{far: far, near: near.(*net.UnixConn), hold: hold}
	go b.outward()
	go b.inward()
	go b.awaitHangup()
	return fds[0], nil
}

// outward copies what the near side writes, and ends the bridge.
func (b *bridge) outward() {
	_, _ = io.Copy(b.far, b.near)
	b.far.Close()
	b.near.Close()
	b.hold.Close()
}

// inward copies what the far side writes. Shutting the socket down lets outward
// read what is left, and then end.
func (b *bridge) inward() {
	_, _ = io.Copy(b.near, b.far)
	_ = b.far.SetWriteDeadline(time.Now().Add(flushTime))
	_ = b.near.CloseWrite()
	_ = b.near.CloseRead()
}

// awaitHangup bounds how long outward can wait for the far side after the near
// side has closed: blocked in a write, it does not notice by itself.
func (b *bridge) awaitHangup() {
	raw, err := b.hold.SyscallConn()
	if err != nil {
		return
	}
	gone := false
	_ = raw.Read(func(fd uintptr) bool {
		p := [1]unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(p[:], 0)
		gone = n > 0 && err == nil
		return gone
	})
	if gone {
		_ = b.far.SetWriteDeadline(time.Now().Add(flushTime))
	}
}
