package websocket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// memConn is a connection whose peer has sent all it ever will.
type memConn struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (c *memConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *memConn) Write(p []byte) (int, error) { return c.out.Write(p) }

// The key and the answer to it are the example of RFC 6455, section 1.3.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func TestUpgrade(t *testing.T) {
	const plain = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + sampleAccept + "\r\n"
	cases := []struct {
		name, request, want string // without the first four bytes; "" for a refusal
	}{
		{"bare", "/ HTTP/1.1\r\nSec-WebSocket-Key: " + sampleKey + "\r\n\r\n", plain + "\r\n"},
		{"any case", "/x?y HTTP/1.0\r\nHost: a\r\nsec-websocket-KEY:" + sampleKey + "  \r\n\r\n", plain + "\r\n"},
		{"binary", "/ HTTP/1.1\r\nSec-WebSocket-Protocol: binary\r\nSec-WebSocket-Key: " + sampleKey + "\r\n\r\n", plain + "Sec-WebSocket-Protocol: binary\r\n\r\n"},
		{"binary first", "/ HTTP/1.1\r\nSec-WebSocket-Protocol:\tbinary, base64\r\nSec-WebSocket-Key: " + sampleKey + "\r\n\r\n", plain + "Sec-WebSocket-Protocol: binary\r\n\r\n"},
		{"binary second", "/ HTTP/1.1\r\nSec-WebSocket-Protocol: base64, binary\r\nSec-WebSocket-Key: " + sampleKey + "\r\n\r\n", ""},
		{"no key", "/ HTTP/1.1\r\nHost: a\r\n\r\n", ""},
		{"key in the request line", "/Sec-WebSocket-Key: x HTTP/1.1\r\n\r\n", ""},
		{"data behind", "/ HTTP/1.1\r\nSec-WebSocket-Key: " + sampleKey + "\r\n\r\nx", ""},
		{"incomplete", "/ HTTP/1.1\r\nSec-WebSocket-Key: " + sampleKey + "\r\n", ""},
		{"too long", "/ HTTP/1.1\r\nSec-WebSocket-Key: " + sampleKey + "\r\nX: " + strings.Repeat("y", 5000) + "\r\n\r\n", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := &memConn{in: strings.NewReader(tc.request)}
			_, err := Upgrade(c)
			if got := c.out.String(); got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("answer %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

// TestRead checks what a peer's frames say, and what is answered.
func TestRead(t *testing.T) {
	masked := "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" // "Hello", from RFC 6455, section 5.7
	long := strings.Repeat("z", 126)
	huge := strings.Repeat("z", 65536)
	cases := []struct {
		name, in, want, answer string
		err                    error // nil: the peer just goes
	}{
		{"masked", masked, "Hello", "", nil},
		{"unmasked text", "\x81\x02hi", "hi", "", nil},
		{"fragments", "\x02\x01a\x00\x01b\x80\x01c\x82\x01d", "abcd", "", nil},
		{"empty frames", "\x82\x00\x02\x00\x80\x01x", "x", "", nil},
		{"16-bit length", "\x82\x7e\x00\x7e" + long, long, "", nil},
		{"64-bit length", "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + huge, huge, "", nil},
		{"ping between fragments", "\x02\x01a\x89\x03xyz\x80\x01b", "ab", "\x8a\x03xyz", nil},
		{"masked ping", "\x89\x81\x01\x02\x03\x04y\x82\x01a", "a", "\x8a\x01x", nil},
		{"pong", "\x8a\x01x\x82\x01a", "a", "", nil},
		{"close", "\x82\x01a\x88\x02\x03\xe8\x82\x01b", "a", "\x88\x00", nil},
		{"reserved bit", "\xc2\x01a", "", "", ErrFrame},
		{"opcode 3", "\x83\x01a", "", "", ErrFrame},
		{"opcode 11", "\x8b\x01a", "", "", ErrFrame},
		{"fragmented ping", "\x09\x01a", "", "", ErrFrame},
		{"long ping", "\x89\x7e\x00\x7e" + long, "", "", ErrFrame},
		{"continuation of nothing", "\x80\x01a", "", "", ErrFrame},
		{"data inside fragments", "\x02\x01a\x82\x01b", "a", "", ErrFrame},
		{"cut", "\x82\x05abc", "abc", "", nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			m := &memConn{in: strings.NewReader(tc.in)}
			got, err := io.ReadAll(newConn(m))
			if string(got) != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("read %.20q, %v, want %.20q, %v", got, err, tc.want, tc.err)
			}
			if m.out.String() != tc.answer {
				t.Errorf("answered %x, want %x", m.out.String(), tc.answer)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	for n, head := range map[int]string{
		0: "\x82\x00", 125: "\x82\x7d", 126: "\x82\x7e\x00\x7e", 65535: "\x82\x7e\xff\xff",
		65536: "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
	} {
		m := &memConn{}
		p := bytes.Repeat([]byte{7}, n)
		if got, err := newConn(m).Write(p); got != n || err != nil {
			t.Errorf("Write of %d bytes: %d, %v", n, got, err)
		}
		if want := head + string(p); m.out.String() != want {
			t.Errorf("%d bytes went out as %.20x", n, m.out.Bytes())
		}
	}
}

func TestWriteAfterClose(t *testing.T) {
	c := newConn(&memConn{in: strings.NewReader("\x88\x00")})
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read: %v", err)
	}
	if _, err := c.Write([]byte{1}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write: %v", err)
	}
}

// FuzzRead holds Read against a decoder of whole buffers.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x02\x01a\x89\x03xyz\x80\x01b"), 1)
	f.Add([]byte("\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), 3)
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		c := newConn(&memConn{in: bytes.NewReader(in)})
		buf := make([]byte, max(1, step&0xff))
		var got []byte
		for {
			n, err := c.Read(buf)
			if got = append(got, buf[:n]...); err != nil {
				break
			}
		}
		if want := payload(in); !bytes.Equal(got, want) {
			t.Fatalf("read %x, want %x", got, want)
		}
	})
}

// payload is the data in a buffer of frames, up to the first fault.
func payload(in []byte) (out []byte) {
	for open := false; len(in) >= 2; {
		fin, rsv, op, masked, size := in[0]>>7 == 1, in[0]>>4&7, in[0]&15, in[1]>>7 == 1, uint64(in[1]&127)
		if rsv != 0 || op > 10 || op > 2 && op < 8 || op >= 8 && (!fin || size > 125) ||
			op == 0 && !open || (op == 1 || op == 2) && open {
			return out
		}
		in = in[2:]
		if ext := map[uint64]int{126: 2, 127: 8}[size]; ext > 0 {
			if len(in) < ext {
				return out
			}
			size = 0
			for _, b := range in[:ext] {
				size = size<<8 | uint64(b)
			}
			in = in[ext:]
		}
		var mask [4]byte
		if masked {
			if len(in) < 4 {
				return out
			}
			copy(mask[:], in)
			in = in[4:]
		}
		n := min(size, uint64(len(in)))
		if op < 8 {
			for i, b := range in[:n] {
				out = append(out, b^mask[i&3])
			}
			open = !fin
		}
		if n < size || op == 8 {
			return out
		}
		in = in[n:]
	}
	return out
}
