package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Space is a network namespace with loopback and one TUN device, the end of a
// line. It has no name and lasts as long as its thread and who was started in it.
type Space struct {
	Addr  net.IP
	Tun   *os.File
	calls chan func()
}

const (
	device  = "line"
	packets = 1500 // bytes of a packet at most
)

// NewSpace makes a namespace, whose TCP sockets use a congestion control. Its end of
// the line has the address, all other addresses are at the other end.
func NewSpace(addr net.IP, congestion string) (*Space, error) {
	s := &Space{Addr: addr, calls: make(chan func())}
	failed := make(chan error)
	go func() {
		// The thread is never unlocked: it ends with the goroutine, and so does
		// the namespace.
		runtime.LockOSThread()
		err := s.setUp(congestion)
		if failed <- err; err != nil {
			return
		}
		for f := range s.calls {
			f()
		}
	}()
	if err := <-failed; err != nil {
		return nil, fmt.Errorf("network namespace for %v: %w", addr, err)
	}
	return s, nil
}

// Do calls f on the thread that is in the namespace: sockets and processes that
// it makes are there, too.
func (s *Space) Do(f func() error) error {
	done := make(chan error)
	s.calls <- func() { done <- f() }
	return <-done
}

// Close takes the line's end away.
func (s *Space) Close() error {
	close(s.calls)
	return s.Tun.Close()
}

func (s *Space) setUp(congestion string) error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("a new one needs root: %w", err)
	}
	// This file is that of the namespace of the thread that opens it.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_congestion_control", []byte(congestion), 0); err != nil {
		return fmt.Errorf("congestion control %q (is it in net.ipv4.tcp_allowed_congestion_control?): %w", congestion, err)
	}
	if err := s.openTun(); err != nil {
		return fmt.Errorf("TUN device: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := up(fd, "lo"); err != nil {
		return err
	}
	if err := set(fd, device, unix.SIOCSIFADDR, s.Addr); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if err := set(fd, device, unix.SIOCSIFNETMASK, net.IPv4(255, 255, 255, 0)); err != nil {
		return fmt.Errorf("netmask: %w", err)
	}
	return up(fd, device)
}

func (s *Space) openTun() error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	ifr, err := unix.NewIfreq(device)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	s.Tun = os.NewFile(uintptr(fd), "tun")
	return nil
}

// set gives a device an address of some kind.
func set(fd int, name string, what uint, ip net.IP) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := ifr.SetInet4Addr(ip.To4()); err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, what, ifr)
}

// up switches a device on.
func up(fd int, name string) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("switching %s on: %w", name, err)
	}
	return nil
}

// Dial connects from the namespace.
func (s *Space) Dial(ip net.IP, port int) (net.Conn, error) {
	fd := -1
	err := s.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	to := &unix.SockaddrInet4{Port: port, Addr: [4]byte(ip.To4())}
	if err := unix.Connect(fd, to); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connecting to %v:%d: %w", ip, port, err)
	}
	f := os.NewFile(uintptr(fd), "tcp")
	c, err := net.FileConn(f) // a copy
	return c, errors.Join(err, f.Close())
}
