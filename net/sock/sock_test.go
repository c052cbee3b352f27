package sock

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

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

// accept returns both ends of a connection through a listener.
func accept(t testing.TB, network, addr string) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, server
}

// readAll reads a non-blocking descriptor to its end.
func readAll(fd int) ([]byte, error) {
	var all []byte
	var b [4096]byte
	for {
		n, err := Read(fd, b[:])
		all = append(all, b[:n]...)
		switch {
		case errors.Is(err, ErrAgain):
			runtime.Gosched()
		case err == io.EOF:
			return all, nil
		case err != nil:
			return all, err
		}
	}
}

func writeAll(t testing.TB, fd int, p []byte) {
	t.Helper()
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if err == unix.EAGAIN {
			runtime.Gosched()
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
}

func TestRead(t *testing.T) {
	a, b := pair(t)
	p := make([]byte, 8)
	if n, err := Read(a, p); n != 0 || !errors.Is(err, ErrAgain) {
		t.Errorf("nothing there: %d, %v", n, err)
	}
	writeAll(t, b, []byte("abc"))
	if n, err := Read(a, p); n != 3 || err != nil || string(p[:3]) != "abc" {
		t.Errorf("Read: %d, %v, %q", n, err, p)
	}
	_ = unix.Shutdown(b, unix.SHUT_WR)
	if n, err := Read(a, p); n != 0 || err != io.EOF {
		t.Errorf("peer closed: %d, %v", n, err)
	}
	if _, err := Read(-1, p); err == nil || errors.Is(err, ErrAgain) {
		t.Errorf("no descriptor: %v", err)
	}
}

// TestVector writes random pieces from every kind of place in them on, through
// a socket that takes only some at a time.
func TestVector(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		a, b := pair(t)
		_ = unix.SetsockoptInt(a, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
		var bufs [][]byte
		var want []byte
		for range rnd.IntN(3000) {
			p := make([]byte, rnd.IntN(40)) // also empty ones
			for i := range p {
				p[i] = byte(rnd.Uint32())
			}
			bufs, want = append(bufs, p), append(want, p...)
		}
		var v Vector
		var got []byte
		buf := make([]byte, 1<<16)
		for sent := 0; sent < len(want); {
			n, err := v.Write(a, bufs, sent)
			if errors.Is(err, ErrAgain) {
				m, _ := Read(b, buf[:1+rnd.IntN(len(buf))])
				got = append(got, buf[:m]...)
				continue
			}
			if err != nil || n == 0 {
				t.Fatalf("Write: %d, %v", n, err)
			}
			sent += n
		}
		_ = unix.Shutdown(a, unix.SHUT_WR)
		rest, err := readAll(b)
		if got = append(got, rest...); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes arrived of %d, %v", len(got), len(want), err)
		}
		if n, err := v.Write(a, bufs, len(want)); n != 0 || err != nil {
			t.Errorf("nothing left: %d, %v", n, err)
		}
	}
}

// TestVectorPeerGone: an error, not a signal that ends the process.
func TestVectorPeerGone(t *testing.T) {
	a, b := pair(t)
	_ = unix.Shutdown(b, unix.SHUT_RDWR)
	var v Vector
	if _, err := v.Write(a, [][]byte{{1}}, 0); !errors.Is(err, unix.EPIPE) {
		t.Errorf("Write: %v", err)
	}
}

func TestVectorAllocatesNothing(t *testing.T) {
	a, b := pair(t)
	var v Vector
	bufs := [][]byte{make([]byte, 10), make([]byte, 100)}
	p := make([]byte, 200)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = v.Write(a, bufs, 5)
		_, _ = Read(b, p)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAdopt(t *testing.T) {
	client, server := accept(t, "tcp", "127.0.0.1:0")
	fd, err := Adopt(server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte{1}); err == nil {
		t.Error("the adopted connection still works")
	}
	if _, err := Read(fd, make([]byte, 1)); !errors.Is(err, ErrAgain) {
		t.Errorf("Read: %v", err)
	}
	SetNoDelay(fd)
	writeAll(t, fd, []byte("hello"))
	got := make([]byte, 5)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "hello" {
		t.Errorf("client got %q, %v", got, err)
	}
	unix.Close(fd)
	if n, err := client.Read(got); err != io.EOF {
		t.Errorf("client reads %d, %v", n, err)
	}
}

func TestAdoptFailure(t *testing.T) {
	_, server := accept(t, "tcp", "127.0.0.1:0")
	server.Close()
	if fd, err := Adopt(server); err == nil {
		t.Errorf("adopted a closed connection as %d", fd)
	}
}

// TestBridge copies both ways through a connection that is no bare socket.
func TestBridge(t *testing.T) {
	before := runtime.NumGoroutine()
	far, c := net.Pipe()
	fd, err := Adopt(c)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("0123456789"), 50000)
	go func() {
		_, _ = far.Write(data)
		got, _ := io.ReadAll(io.LimitReader(far, int64(len(data))))
		_, _ = far.Write(got)
		far.Close()
	}()
	read := func(n int) []byte {
		var all []byte
		b := make([]byte, 1<<16)
		for len(all) < n {
			m, err := Read(fd, b[:min(len(b), n-len(all))])
			if all = append(all, b[:m]...); err != nil && !errors.Is(err, ErrAgain) {
				t.Fatal(err)
			}
			runtime.Gosched()
		}
		return all
	}
	if got := read(len(data)); !bytes.Equal(got, data) {
		t.Fatal("inward copy differs")
	}
	writeAll(t, fd, data)
	if got := read(len(data)); !bytes.Equal(got, data) {
		t.Fatal("outward copy differs")
	}
	if rest, err := readAll(fd); err != nil || len(rest) > 0 {
		t.Errorf("%d bytes behind the end, %v", len(rest), err)
	}
	unix.Close(fd)
	awaitGoroutines(before)
}

// TestBridgeDeliversTheRest: what was written before closing arrives.
func TestBridgeDeliversTheRest(t *testing.T) {
	before := runtime.NumGoroutine()
	far, c := net.Pipe()
	fd, err := Adopt(c)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("x"), 10000)
	writeAll(t, fd, data)
	unix.Close(fd)
	if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes arrived, %v", len(got), len(data), err)
	}
	awaitGoroutines(before)
}

// TestBridgeToAStuckPeer: one that does not read holds nothing for ever.
func TestBridgeToAStuckPeer(t *testing.T) {
	before := runtime.NumGoroutine()
	far, c := net.Pipe()
	defer far.Close()
	fd, err := Adopt(c)
	if err != nil {
		t.Fatal(err)
	}
	writeAll(t, fd, make([]byte, 100000))
	unix.Close(fd)
	awaitGoroutines(before)
}

// awaitGoroutines returns when no more than n goroutines are left.
func awaitGoroutines(n int) {
	for runtime.NumGoroutine() > n {
		runtime.Gosched()
	}
}

func TestIsUnix(t *testing.T) {
	_, tcp := accept(t, "tcp", "127.0.0.1:0")
	client, named := accept(t, "unix", filepath.Join(t.TempDir(), "s"))
	near, far := net.Pipe()
	defer near.Close()
	for name, tc := range map[string]struct {
		conn net.Conn
		want bool
	}{
		"TCP": {tcp, false}, "local server": {named, true}, "local client": {client, true}, "bridge": {far, false},
	} {
		fd, err := Adopt(tc.conn)
		if err != nil {
			t.Fatal(err)
		}
		if got := IsUnix(fd); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
		if n := Unsent(fd); n != 0 {
			t.Errorf("%s: %d bytes unsent", name, n)
		}
		unix.Close(fd)
	}
	if IsUnix(-1) || Unsent(-1) != 0 {
		t.Error("no descriptor, but answers")
	}
}

func TestUnsent(t *testing.T) {
	a, _ := pair(t)
	writeAll(t, a, make([]byte, 1000))
	if n := Unsent(a); n < 1000 {
		t.Errorf("%d bytes unsent", n)
	}
}
