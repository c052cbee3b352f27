// Package websocket is the server's side of WebSocket (RFC 6455) as far as
// SPICE needs it: the upgrade of a connection whose first bytes have been read,
// and a byte stream inside frames, whose boundaries mean nothing.
//
// It is lenient where SPICE clients and servers are: frames need not be masked,
// may be text, and headers that do not concern the byte stream are not looked
// at. A Conn has a read buffer of 4 KiB, and a write buffer as large as the
// largest write.
package websocket

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
)

// Prefix is how a request starts.
const Prefix = "GET "

const (
	maxRequest = 4095
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// ErrRequest reports an HTTP request that is no acceptable upgrade.
var ErrRequest = errors.New("not a WebSocket upgrade request")

var (
	headEnd = []byte("\r\n\r\n")
	lineEnd = []byte("\r\n")
)

// Upgrade reads the rest of a request whose Prefix has been read, answers it,
// and returns the byte stream inside. The request, which ends with an empty
// line, has at most 4095 bytes, and nothing may follow it before the answer.
func Upgrade(c net.Conn) (*Conn, error) {
	head, err := readHead(c)
	if err != nil {
		return nil, err
	}
	key, ok := header(head, "Sec-WebSocket-Key")
	if !ok {
		return nil, fmt.Errorf("%w: no key", ErrRequest)
	}
	protocol, named := header(head, "Sec-WebSocket-Protocol")
	if named && !bytes.HasPrefix(protocol, []byte("binary")) {
		return nil, fmt.Errorf("%w: protocol %q", ErrRequest, protocol)
	}
	if _, err := c.Write(response(key, named)); err != nil {
		return nil, fmt.Errorf("answering an upgrade request: %w", err)
	}
	return newConn(c), nil
}

// readHead reads up to and with the empty line.
func readHead(c net.Conn) ([]byte, error) {
	buf := append(make([]byte, 0, maxRequest), Prefix...)
	for len(buf) < maxRequest {
		n, err := c.Read(buf[len(buf):maxRequest])
		buf = buf[:len(buf)+n]
		if end := bytes.Index(buf, headEnd); end >= 0 {
			if end+len(headEnd) < len(buf) {
				return nil, fmt.Errorf("%w: data behind it", ErrRequest)
			}
			return buf, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading an upgrade request: %w", err)
		}
	}
	return nil, fmt.Errorf("%w: longer than %d bytes", ErrRequest, maxRequest)
}

// header returns the value of the first header line with that name.
func header(head []byte, name string) ([]byte, bool) {
	_, rest, _ := bytes.Cut(head, lineEnd)
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, lineEnd)
		field, value, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(field, []byte(name)) {
			return bytes.TrimSpace(value), true
		}
	}
	return nil, false
}

func response(key []byte, named bool) []byte {
	sum := sha1.Sum(append(key[:len(key):len(key)], acceptGUID...))
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	b = base64.StdEncoding.AppendEncode(b, sum[:])
	if named {
		b = append(b, "\r\nSec-WebSocket-Protocol: binary"...)
	}
	return append(b, headEnd...)
}
