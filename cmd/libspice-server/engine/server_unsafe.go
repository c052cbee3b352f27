//go:build cgo && libspice

package main

// #include "host.h"
import "C"

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"runtime/cgo"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/display"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/stream"
)

// server is a SpiceServer.
type server struct {
	*spiceecs.Server
	shim   unsafe.Pointer
	tls    *tls.Config
	leds   atomic.Uint32 // what the VMM's keyboard shows
	client atomic.Bool   // clients move the pointer
	record *recording    // nil: none

	accept  func() // lets clients in
	open    <-chan struct{}
	serving sync.WaitGroup

	mu          sync.Mutex
	devices     map[uint8]*device
	caps        map[link2]wire.Caps // of linked display channels
	compression encode.Compression
	jpeg, zlib  encode.WAN
	streaming   stream.Mode
	codecs      string // as stream.ParseCodecs takes it
}

// link2 is a client's channel of a device.
type link2 struct {
	client uint32
	id     uint8
}

//export se_server_new
func se_server_new(shim unsafe.Pointer) C.uint64_t {
	s := &server{
		shim: shim, devices: map[uint8]*device{}, caps: map[link2]wire.Caps{},
		compression: encode.AutoGLZ, jpeg: encode.Auto, zlib: encode.Auto,
		streaming: stream.Filter, codecs: stream.DefaultCodecs,
	}
	open := make(chan struct{})
	s.open, s.accept = open, sync.OnceFunc(func() { close(open) })
	var err error
	s.Server, err = spiceecs.New(spiceecs.Options{
		Logger: logger, Exclusive: os.Getenv("SPICE_DEBUG_ALLOW_MC") == "",
		OnLink: s.linked, OnMouseMode: func(server bool) { s.client.Store(!server) },
	})
	if status("starting a server", err) != 0 {
		return 0
	}
	// A VMM without its recording is better than none.
	s.record, err = openRecording()
	status("opening the recording", err)
	return handle(s)
}

//export se_server_free
func se_server_free(h C.uint64_t) {
	s := of[*server](h)
	cgo.Handle(h).Delete()
	_ = s.Close() // it is not closed yet
	s.accept()
	s.serving.Wait()
	if s.record != nil {
		status("closing the recording", s.record.close())
	}
}

// Flags of a listening address, as of spice_server_set_addr.
const (
	addrIPv4 = 1 << iota
	addrIPv6
	addrUnix
)

//export se_server_listen
func se_server_listen(h C.uint64_t, addr *C.char, port, flags, secure C.int) C.int {
	s := of[*server](h)
	network, address := "tcp", net.JoinHostPort(C.GoString(addr), strconv.Itoa(int(port)))
	switch {
	case flags&addrUnix != 0:
		network, address = "unix", C.GoString(addr)
		forget(address)
	case flags&addrIPv4 != 0:
		network = "tcp4"
	case flags&addrIPv6 != 0:
		network = "tcp6"
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return status("listening", err)
	}
	s.serve(l, secure != 0)
	return 0
}

// forget removes a socket that an earlier process has left behind.
func forget(path string) {
	if st, err := os.Lstat(path); err == nil && st.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path) // listening will tell
	}
}

//export se_server_listen_fd
func se_server_listen_fd(h C.uint64_t, fd C.int) C.int {
	f := os.NewFile(uintptr(fd), "listener")
	l, err := net.FileListener(f)
	f.Close()
	if err != nil {
		return status("listening", err)
	}
	of[*server](h).serve(l, false)
	return 0
}

// serve returns when clients may come; they are let in by accept.
func (s *server) serve(l net.Listener, secure bool) {
	s.Prepare()
	s.serving.Go(func() {
		<-s.open
		var err error
		if secure {
			err = s.ServeTLS(l, s.tls)
		} else {
			err = s.Serve(l)
		}
		if err != nil && !errors.Is(err, spiceecs.ErrClosed) {
			logger.Error("listener failed", "err", err)
		}
	})
}

//export se_server_accept
func se_server_accept(h C.uint64_t) { of[*server](h).accept() }

//export se_server_tls
func se_server_tls(h C.uint64_t, certs, key, passwd, ciphers *C.char) C.int {
	cfg, err := tlsConfig(C.GoString(certs), C.GoString(key), C.GoString(passwd), C.GoString(ciphers))
	if err == nil {
		of[*server](h).tls = cfg
	}
	return status("reading the TLS files", err)
}

//export se_server_add
func se_server_add(h C.uint64_t, fd, trusted, secure C.int) C.int {
	s := of[*server](h)
	conn, err := connOf(int(fd))
	if err != nil {
		return status("adding a client", err)
	}
	if secure != 0 {
		if s.tls == nil {
			conn.Close()
			return status("adding a client", errors.New("TLS is not set up"))
		}
		conn = tls.Server(conn, s.tls)
	}
	s.ServeConn(conn, trusted != 0)
	return 0
}

//export se_server_ticket
func se_server_ticket(h C.uint64_t, password *C.char, lifetime, disconnect C.int) C.int {
	s := of[*server](h)
	if disconnect != 0 {
		s.DisconnectAll()
	}
	return status("setting the password", s.SetPassword(C.GoString(password), time.Duration(lifetime)*time.Second))
}

//export se_server_open_to_all
func se_server_open_to_all(h C.uint64_t) { of[*server](h).DisablePassword() }

//export se_server_name
func se_server_name(h C.uint64_t, name *C.char) { of[*server](h).SetName(C.GoString(name)) }

//export se_server_uuid
func se_server_uuid(h C.uint64_t, uuid *C.uint8_t) {
	of[*server](h).SetUUID(*(*[16]byte)(unsafe.Pointer(uuid)))
}

// lastChannelType is the last that can be secured.
const lastChannelType = 11

//export se_server_security
func se_server_security(h C.uint64_t, kind, security C.int) {
	s := of[*server](h)
	if kind >= 0 {
		s.SetSecurity(wire.ChannelType(kind), link.Security(security))
		return
	}
	for t := wire.ChannelMain; t <= lastChannelType; t++ {
		s.SetSecurity(t, link.Security(security))
	}
}

//export se_server_images
func se_server_images(h C.uint64_t, compression, jpeg, zlib C.int) {
	s := of[*server](h)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, j, z := encode.Compression(compression), encode.WAN(jpeg), encode.WAN(zlib)
	s.compression, s.jpeg, s.zlib = cmp.Or(c, s.compression), cmp.Or(j, s.jpeg), cmp.Or(z, s.zlib)
	s.tell(display.Images(c, j, z))
}

// se_server_video changes what is sent as video, and in which codecs; 0 and NULL
// leave it as it is.
//
//export se_server_video
func se_server_video(h C.uint64_t, streaming C.int, codecs *C.char) C.int {
	s := of[*server](h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if codecs != nil {
		list := C.GoString(codecs)
		parsed, err := stream.ParseCodecs(list)
		if err != nil {
			return status("setting the video codecs", err)
		}
		s.codecs = list
		s.tell(display.VideoCodecs(parsed))
	}
	if streaming != 0 {
		s.streaming = stream.Mode(streaming)
		s.tell(display.Streaming(s.streaming))
	}
	return 0
}

// tell makes a request of all devices. s.mu is locked.
func (s *server) tell(r spiceecs.Request) {
	for _, d := range s.devices {
		d.CarryAsync(r, func(error) {})
	}
}

//export se_server_clients
func se_server_clients(h C.uint64_t) C.int { return C.int(len(of[*server](h).Clients())) }

//export se_server_mouse
func se_server_mouse(h C.uint64_t) C.int {
	if of[*server](h).client.Load() {
		return 0
	}
	return 1
}

// connOf makes a connection of a socket, which it closes unless there is an error.
func connOf(fd int) (net.Conn, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(dup), "client")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	_ = unix.Close(fd)
	return c, nil
}
