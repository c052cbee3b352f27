package websocket

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
)

// ErrFrame reports a violation of the framing.
var ErrFrame = errors.New("malformed WebSocket frame")

// Opcodes.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10

	controlBit = 8
	finBit     = 0x80
	maskBit    = 0x80
	maxControl = 125
)

// Conn is the byte stream inside a WebSocket. One goroutine may read while
// another writes.
type Conn struct {
	net.Conn
	in      *bufio.Reader
	left    uint64 // of the current data frame
	mask    [4]byte
	maskPos int
	masked  bool
	partial bool // a fragmented message is not finished

	mu     sync.Mutex // orders frames
	out    []byte
	closed bool // a close frame has been answered
}

func newConn(c net.Conn) *Conn { return &Conn{Conn: c, in: bufio.NewReader(c)} }

// Read reads payload. It answers pings, and a close frame, which is io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.left == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	n, err := c.in.Read(p[:min(uint64(len(p)), c.left)])
	c.left -= uint64(n)
	c.unmask(p[:n])
	return n, err
}

// unmask decodes the next bytes of the frame in place.
func (c *Conn) unmask(p []byte) {
	if !c.masked {
		return
	}
	for i := range p {
		p[i] ^= c.mask[c.maskPos&3]
		c.maskPos++
	}
}

// nextFrame reads a frame's header, and all of a control frame.
func (c *Conn) nextFrame() error {
	var b [8]byte
	if _, err := io.ReadFull(c.in, b[:2]); err != nil {
		return err
	}
	fin, op := b[0]&finBit != 0, b[0]&0xf
	control := op&controlBit != 0
	switch {
	case b[0]&0x70 != 0:
		return fmt.Errorf("%w: reserved bits", ErrFrame)
	case op&7 > opBinary:
		return fmt.Errorf("%w: opcode %d", ErrFrame, op)
	case control && !fin:
		return fmt.Errorf("%w: fragmented control frame", ErrFrame)
	case !control && (op == opContinuation) != c.partial:
		return fmt.Errorf("%w: opcode %d out of turn", ErrFrame, op)
	}
	size, err := c.size(b[1] &^ maskBit)
	if err != nil {
		return err
	}
	c.masked, c.maskPos = b[1]&maskBit != 0, 0
	if c.masked {
		if _, err := io.ReadFull(c.in, c.mask[:]); err != nil {
			return err
		}
	}
	if control {
		return c.control(op, size)
	}
	c.partial, c.left = !fin, size
	return nil
}

// size reads the extended forms of a payload's length.
func (c *Conn) size(short byte) (uint64, error) {
	var b [8]byte
	switch short {
	case 126:
		_, err := io.ReadFull(c.in, b[:2])
		return uint64(binary.BigEndian.Uint16(b[:])), err
	case 127:
		_, err := io.ReadFull(c.in, b[:])
		return binary.BigEndian.Uint64(b[:]), err
	}
	return uint64(short), nil
}

// control handles a control frame of the given payload size.
func (c *Conn) control(op byte, size uint64) error {
	if size > maxControl {
		return fmt.Errorf("%w: control frame of %d bytes", ErrFrame, size)
	}
	var b [maxControl]byte
	if _, err := io.ReadFull(c.in, b[:size]); err != nil {
		return err
	}
	c.unmask(b[:size])
	switch op {
	case opPing:
		return c.frame(opPong, b[:size], false)
	case opClose:
		_ = c.frame(opClose, nil, true) // whether the peer still listens does not matter
		return io.EOF
	}
	return nil
}

// Write sends p as one unmasked binary frame.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.frame(opBinary, p, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// frame sends one whole frame; last forbids any further one.
func (c *Conn) frame(op byte, p []byte, last bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("writing to a closed WebSocket: %w", syscall.EPIPE)
	}
	c.closed = last
	c.out = append(c.out[:0], finBit|op)
	switch n := len(p); {
	case n <= maxControl:
		c.out = append(c.out, byte(n))
	case n <= 0xffff:
		c.out = binary.BigEndian.AppendUint16(append(c.out, 126), uint16(n))
	default:
		c.out = binary.BigEndian.AppendUint64(append(c.out, 127), uint64(n))
	}
	c.out = append(c.out, p...)
	_, err := c.Conn.Write(c.out)
	return err
}
