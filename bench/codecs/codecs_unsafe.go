// Package codecs compares the Go codecs with the C libraries that other SPICE
// servers and clients use: liblz4 and zlib. It is a module of its own because
// it needs cgo and those libraries; nothing else in the project does.
//
// The functions here are the C side, working on image streams as the Go side
// does. The tests let each side decode what the other encoded.
package codecs

/*
#cgo LDFLAGS: -l:liblz4.so.1 -lz
#include <string.h>
#include <time.h>
#include <zlib.h>

// The part of lz4.h that is needed, so that the header is not.
typedef union LZ4_stream_u LZ4_stream_t;
typedef union LZ4_streamDecode_u LZ4_streamDecode_t;
LZ4_stream_t *LZ4_createStream(void);
int LZ4_freeStream(LZ4_stream_t *);
void LZ4_resetStream_fast(LZ4_stream_t *);
int LZ4_compress_fast_continue(LZ4_stream_t *, const char *, char *, int, int, int);
LZ4_streamDecode_t *LZ4_createStreamDecode(void);
int LZ4_freeStreamDecode(LZ4_streamDecode_t *);
int LZ4_setStreamDecode(LZ4_streamDecode_t *, const char *, int);
int LZ4_decompress_safe_continue(LZ4_streamDecode_t *, const char *, char *, int, int);
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"time"
	"unsafe"
)

var errC = errors.New("the C library failed")

func ptr(b []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))) }

// LZ4 is a liblz4 stream: blocks that refer to those before them.
type LZ4 struct {
	enc *C.LZ4_stream_t
	dec *C.LZ4_streamDecode_t
}

// NewLZ4 makes both states. Close frees them.
func NewLZ4() *LZ4 { return &LZ4{C.LZ4_createStream(), C.LZ4_createStreamDecode()} }

// Close frees the states.
func (l *LZ4) Close() {
	C.LZ4_freeStream(l.enc)
	C.LZ4_freeStreamDecode(l.dec)
}

// Encode writes header and blocks, one for each block bytes of the pixels, to dst.
func (l *LZ4) Encode(dst []byte, topDown, format byte, pixels []byte, block int) ([]byte, error) {
	dst[0], dst[1] = topDown, format
	at := 2
	C.LZ4_resetStream_fast(l.enc)
	for len(pixels) > 0 {
		n := min(block, len(pixels))
		size := C.LZ4_compress_fast_continue(l.enc, ptr(pixels), ptr(dst[at+4:]), C.int(n), C.int(len(dst)-at-4), 1)
		if size <= 0 {
			return nil, errC
		}
		binary.BigEndian.PutUint32(dst[at:], uint32(size))
		at += 4 + int(size)
		pixels = pixels[n:]
	}
	return dst[:at], nil
}

// Decode decodes the blocks of a stream, as clients do.
func (l *LZ4) Decode(dst, stream []byte) error {
	C.LZ4_setStreamDecode(l.dec, nil, 0)
	for stream = stream[2:]; len(stream) > 0; {
		size := int(binary.BigEndian.Uint32(stream))
		n := C.LZ4_decompress_safe_continue(l.dec, ptr(stream[4:]), ptr(dst), C.int(size), C.int(len(dst)))
		if n <= 0 {
			return errC
		}
		stream, dst = stream[4+size:], dst[n:]
	}
	if len(dst) > 0 {
		return errC
	}
	return nil
}

// Deflate compresses src into dst with zlib in one call.
func Deflate(dst, src []byte, level int) ([]byte, error) {
	n := C.uLongf(len(dst))
	if C.compress2((*C.Bytef)(ptr2(dst)), &n, (*C.Bytef)(ptr2(src)), C.uLong(len(src)), C.int(level)) != C.Z_OK {
		return nil, errC
	}
	return dst[:n], nil
}

// Inflate fills dst from a zlib stream in one call.
func Inflate(dst, src []byte) error {
	n := C.uLongf(len(dst))
	if C.uncompress((*C.Bytef)(ptr2(dst)), &n, (*C.Bytef)(ptr2(src)), C.uLong(len(src))) != C.Z_OK || int(n) != len(dst) {
		return errC
	}
	return nil
}

func ptr2(b []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))) }

// CPUTime is that of the calling thread.
func CPUTime() time.Duration {
	var t C.struct_timespec
	C.clock_gettime(C.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.tv_sec)*time.Second + time.Duration(t.tv_nsec)
}

// Copy is memcpy, of as much as fits.
func Copy(dst, src []byte) int {
	n := min(len(dst), len(src))
	C.memcpy(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), C.size_t(n))
	return n
}
