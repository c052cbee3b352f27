package main

// #cgo LDFLAGS: -lturbojpeg
// #include <stdlib.h>
// #include <time.h>
// #include <turbojpeg.h>
import "C"

import (
	"fmt"
	"time"
	"unsafe"
)

// compressor is libjpeg-turbo called by way of cgo.
type compressor struct {
	handle C.tjhandle
	file   *C.uchar // C memory, size bytes
	room   C.ulong
}

// newCompressor prepares for pictures of one size. The caller closes it.
func newCompressor(width, height int) (*compressor, error) {
	c := &compressor{handle: C.tjInitCompress()}
	if c.handle == nil {
		return nil, fmt.Errorf("starting libjpeg-turbo: %s", C.GoString(C.tjGetErrorStr2(nil)))
	}
	c.room = C.tjBufSize(C.int(width), C.int(height), C.TJSAMP_420)
	c.file = (*C.uchar)(C.malloc(C.size_t(c.room)))
	return c, nil
}

func (c *compressor) close() {
	C.tjDestroy(c.handle)
	C.free(unsafe.Pointer(c.file))
}

// encode encodes 32-bit pixels, top line first, and returns the size of the file.
func (c *compressor) encode(pix []byte, width, height, quality int) (int, error) {
	size := c.room
	if C.tjCompress2(c.handle, (*C.uchar)(&pix[0]), C.int(width), C.int(4*width), C.int(height), C.TJPF_BGRX,
		&c.file, &size, C.TJSAMP_420, C.int(quality), C.TJFLAG_NOREALLOC|C.TJFLAG_ACCURATEDCT) != 0 {
		return 0, fmt.Errorf("libjpeg-turbo: %s", C.GoString(C.tjGetErrorStr2(c.handle)))
	}
	return int(size), nil
}

// cpuTime is that of the calling thread.
func cpuTime() time.Duration {
	var t C.struct_timespec
	C.clock_gettime(C.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.tv_sec)*time.Second + time.Duration(t.tv_nsec)
}
