//go:build linux && (amd64 || arm64) && !purejpeg

package jpeg

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/spiceecs/spiceecs/net/codec/internal/lines"
)

// turboLibrary is the TurboJPEG API of libjpeg-turbo 1.5 to 3: the functions
// used, all of which take and return integers and pointers only.
type turboLibrary struct {
	initCompress, compress, bufSize, initDecompress, decompress, destroy, errorText uintptr
}

// turbo loads the library once. It is nil if the system has none.
var turbo = sync.OnceValue(func() *turboLibrary {
	handle, err := purego.Dlopen("libturbojpeg.so.0", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil
	}
	l := &turboLibrary{}
	for name, fn := range map[string]*uintptr{
		"tjInitCompress": &l.initCompress, "tjCompress2": &l.compress, "tjBufSize": &l.bufSize,
		"tjInitDecompress": &l.initDecompress, "tjDecompress2": &l.decompress,
		"tjDestroy": &l.destroy, "tjGetErrorStr2": &l.errorText,
	} {
		if *fn, err = purego.Dlsym(handle, name); err != nil {
			return nil
		}
	}
	return l
})

// Constants of the API.
const (
	tjBGR, tjBGRX     = 1, 3 // pixel formats
	tj420             = 2    // sampling
	tjBottomUp        = 2    // flags
	tjNoRealloc       = 1024
	tjAccurateDCT     = 4096
	tjStopOnWarning   = 8192
	turboErrorTextMax = 200
)

// turboHandle is a compressor or decompressor of the library, which goes when
// the garbage collector finds that it is not used any more.
type turboHandle struct {
	lib    *turboLibrary
	handle uintptr
}

func newTurboHandle(init func(*turboLibrary) uintptr) *turboHandle {
	lib := turbo()
	if lib == nil {
		return nil
	}
	handle, _, _ := purego.SyscallN(init(lib))
	if handle == 0 {
		return nil
	}
	t := &turboHandle{lib, handle}
	runtime.AddCleanup(t, func(handle uintptr) { purego.SyscallN(lib.destroy, handle) }, handle)
	return t
}

// failure is the library's own word on what went wrong.
func (t *turboHandle) failure() string {
	text, _, _ := purego.SyscallN(t.lib.errorText, t.handle)
	var b []byte
	for p := text; p != 0 && len(b) < turboErrorTextMax; p++ {
		c := **(**byte)(unsafe.Pointer(&p)) // C memory, unknown to the garbage collector
		if c == 0 {
			break
		}
		b = append(b, c)
	}
	return string(b)
}

// turboEncoder owns a compressor and its buffers.
type turboEncoder struct {
	*turboHandle
	pixels  []byte // of images that do not lie in one chunk
	scratch []byte
	buf     []byte
	file    unsafe.Pointer // what the library is told of buf
	size    uint64
	input   unsafe.Pointer // the pixels, see turboDecoder
	args    [11]uintptr    // of the calls; a list of their own would be allocated
}

func newTurboEncoder() *turboEncoder {
	t := newTurboHandle(func(l *turboLibrary) uintptr { return l.initCompress })
	if t == nil {
		return nil
	}
	return &turboEncoder{turboHandle: t}
}

// encode appends the coded data of lines top to bottom of im, which are in source
// and chunks. top is that of an MCU.
func (t *turboEncoder) encode(dst []byte, im Image, chunks [][]byte, source *lines.Source, quality, top, bottom int) ([]byte, error) {
	pixels, stride, format, flags := t.load(im, chunks, source, top, bottom)
	worst, _, _ := purego.SyscallN(t.lib.bufSize, append(t.args[:0], uintptr(im.Width), uintptr(bottom-top), tj420)...)
	if int(worst) <= 0 {
		return dst, fmt.Errorf("libjpeg-turbo: %w: %s", ErrImage, t.failure())
	}
	if len(t.buf) < int(worst) {
		t.buf = make([]byte, worst)
	}
	t.file, t.size = unsafe.Pointer(&t.buf[0]), uint64(len(t.buf))
	t.input = unsafe.Pointer(&pixels[0])
	args := append(t.args[:0], t.handle, uintptr(t.input),
		uintptr(im.Width), uintptr(stride), uintptr(bottom-top), format,
		uintptr(unsafe.Pointer(&t.file)), uintptr(unsafe.Pointer(&t.size)),
		tj420, uintptr(quality), flags|tjNoRealloc|tjAccurateDCT)
	status, _, _ := purego.SyscallN(t.lib.compress, args...)
	t.input = nil
	runtime.KeepAlive(t)
	if int32(status) != 0 || t.size > uint64(len(t.buf)) {
		return dst, fmt.Errorf("libjpeg-turbo: %w: %s", ErrImage, t.failure())
	}
	data, ok := scan(t.buf[:t.size])
	if !ok {
		return dst, fmt.Errorf("libjpeg-turbo: %w: no scan in its file", ErrImage)
	}
	return append(dst, data...), nil
}

// scan is the coded data of a file with one scan: what lies between the header of
// the scan and the end marker.
func scan(file []byte) ([]byte, bool) {
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker := file[at+1]
		at += 2 + int(file[at+2])<<8 + int(file[at+3])
		if marker == mSOS && at <= len(file)-2 {
			return file[at : len(file)-2], true
		}
	}
	return nil, false
}

// load returns the pixels of lines top to bottom for the library: in place if
// they lie in one chunk and have a format it knows, else in a copy, top line first.
func (t *turboEncoder) load(im Image, chunks [][]byte, source *lines.Source, top, bottom int) (pixels []byte, stride int, format, flags uintptr) {
	size := im.Width * im.Format.size()
	for len(chunks) > 0 && len(chunks[0]) == 0 {
		chunks = chunks[1:]
	}
	if im.Format != RGB16 && len(chunks[0]) >= (im.Height-1)*im.Stride+size {
		format = tjBGRX
		if im.Format == BGR {
			format = tjBGR
		}
		if !im.TopDown {
			return chunks[0][(im.Height-bottom)*im.Stride:], im.Stride, format, tjBottomUp
		}
		return chunks[0][top*im.Stride:], im.Stride, format, 0
	}
	stride = 4 * im.Width
	if len(t.pixels) < stride*(bottom-top) {
		t.pixels = make([]byte, stride*(bottom-top))
	}
	if len(t.scratch) < size {
		t.scratch = make([]byte, size)
	}
	for y := top; y < bottom; y++ {
		widen(t.pixels[(y-top)*stride:(y-top+1)*stride], source.Line(y, t.scratch), im.Format)
	}
	return t.pixels, stride, tjBGRX, 0
}

// turboDecoder owns a decompressor. What a call points at is kept in fields while
// it runs: numbers do not keep small slices off a goroutine's stack, which moves.
type turboDecoder struct {
	*turboHandle
	input, output unsafe.Pointer
	args          [9]uintptr // of the calls; a list of their own would be allocated
}

func newTurboDecoder() *turboDecoder {
	t := newTurboHandle(func(l *turboLibrary) uintptr { return l.initDecompress })
	if t == nil {
		return nil
	}
	return &turboDecoder{turboHandle: t}
}

// decode decodes a file whose header has been held to im, which dst holds.
func (t *turboDecoder) decode(dst []byte, im Image, file []byte) error {
	flags := uintptr(tjStopOnWarning)
	if !im.TopDown {
		flags |= tjBottomUp
	}
	t.input, t.output = unsafe.Pointer(&file[0]), unsafe.Pointer(&dst[0])
	args := append(t.args[:0], t.handle, uintptr(t.input), uintptr(len(file)), uintptr(t.output),
		uintptr(im.Width), uintptr(im.Stride), uintptr(im.Height), tjBGRX, flags)
	status, _, _ := purego.SyscallN(t.lib.decompress, args...)
	t.input, t.output = nil, nil
	runtime.KeepAlive(t)
	if int32(status) != 0 {
		return fmt.Errorf("libjpeg-turbo: %w: %s", ErrCorrupt, t.failure())
	}
	return nil
}
