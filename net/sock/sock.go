// Package sock is non-blocking socket I/O on bare descriptors: a connection is
// taken over from the net package once its blocking hand-shake is done, and
// from then on belongs to the goroutine whose ecs.Loop polls it.
package sock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrAgain reports that the socket can take or give nothing now.
var ErrAgain = errors.New("socket would block")

// maxIOV is how many pieces the kernel takes in one call.
const maxIOV = 1024

// Adopt returns a non-blocking descriptor for c's socket, which the caller owns,
// and closes c. A connection that is no bare socket (TLS, an in-memory pipe) is
// copied through one end of a socket pair, whose other end is returned; the
// copying ends when either side closes. After an error c is still the caller's.
func Adopt(c net.Conn) (int, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return newBridge(c)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("taking over a connection: %w", err)
	}
	fd := -1
	var dupErr error
	if err := raw.Control(func(s uintptr) {
		fd, dupErr = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil || dupErr != nil {
		return -1, fmt.Errorf("taking over a connection: %w", errors.Join(err, dupErr))
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("making a socket non-blocking: %w", err)
	}
	c.Close()
	return fd, nil
}

// Read reads what is there. It returns ErrAgain when that is nothing, and
// io.EOF when the peer has closed.
func Read(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, ErrAgain
		case err != nil:
			return 0, fmt.Errorf("reading from a client: %w", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Unsent reports how many bytes the kernel still holds for the peer.
func Unsent(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// SetNoDelay switches Nagle's algorithm off, where the socket has it.
func SetNoDelay(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
}

// SetLowWater keeps the kernel from queueing more than n bytes that it cannot send
// yet, where the socket has that option, so that what is sent is decided late.
func SetLowWater(fd, n int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, n)
}

// IsUnix reports whether the socket is a local one. That of a bridge is not: it
// stands for the connection behind it, and has no name.
func IsUnix(fd int) bool {
	local, err := unix.Getsockname(fd)
	if err != nil || named(local) {
		return err == nil
	}
	peer, err := unix.Getpeername(fd)
	return err == nil && named(peer)
}

// named reports whether a is the address of a local socket that has one: "@" is
// an abstract name that is empty, which stands for none.
func named(a unix.Sockaddr) bool {
	u, ok := a.(*unix.SockaddrUnix)
	return ok && u.Name != "" && u.Name != "@"
}

// Close closes the descriptor.
func Close(fd int) { _ = unix.Close(fd) }
