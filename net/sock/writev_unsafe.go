package sock

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Vector is the reusable message header and iovec of a connection.
type Vector struct {
	msg unix.Msghdr
	iov []unix.Iovec
}

// Write hands the pieces of bufs behind the first skip bytes to the kernel and
// returns how many bytes it took. ErrAgain means none. Unlike writev, sendmsg
// can be told not to raise SIGPIPE, which would end a VMM that embeds us.
func (v *Vector) Write(fd int, bufs [][]byte, skip int) (int, error) {
	v.iov = v.iov[:0]
	for _, b := range bufs {
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		b, skip = b[skip:], 0
		e := unix.Iovec{Base: &b[0]}
		e.SetLen(len(b))
		if v.iov = append(v.iov, e); len(v.iov) == maxIOV {
			break
		}
	}
	if len(v.iov) == 0 {
		return 0, nil
	}
	v.msg.Iov = &v.iov[0]
	v.msg.SetIovlen(len(v.iov))
	for {
		n, _, errno := syscall.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&v.msg)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch errno {
		case 0:
			clear(v.iov)
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, ErrAgain
		default:
			return 0, fmt.Errorf("writing to a client: %w", errno)
		}
	}
}
