package gst

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is the functions of GStreamer that are used, all of which take and
// return integers and pointers only.
type library struct {
	init, find, launch, child, state, setArg, unref            uintptr
	newBuffer, fill, bufferSize, extract, sampleBuffer, unmini uintptr
	sampleCaps, structure, structInt                           uintptr
	push, pull                                                 uintptr
}

// loaded is what Load has found.
var loaded atomic.Pointer[library]

// load loads the library once.
var load = sync.OnceValue(func() error {
	l := &library{}
	for file, names := range map[string]map[string]*uintptr{
		"libgstreamer-1.0.so.0": {
			"gst_init_check": &l.init, "gst_element_factory_find": &l.find, "gst_parse_launch": &l.launch,
			"gst_bin_get_by_name": &l.child, "gst_element_set_state": &l.state,
			"gst_util_set_object_arg": &l.setArg, "gst_object_unref": &l.unref,
			"gst_buffer_new_allocate": &l.newBuffer, "gst_buffer_fill": &l.fill, "gst_buffer_get_size": &l.bufferSize,
			"gst_buffer_extract": &l.extract, "gst_sample_get_buffer": &l.sampleBuffer, "gst_mini_object_unref": &l.unmini,
			"gst_sample_get_caps": &l.sampleCaps, "gst_caps_get_structure": &l.structure, "gst_structure_get_int": &l.structInt,
		},
		"libgstapp-1.0.so.0": {"gst_app_src_push_buffer": &l.push, "gst_app_sink_try_pull_sample": &l.pull},
	} {
		handle, err := purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			return fmt.Errorf("GStreamer: %w: %w", ErrMissing, err)
		}
		for name, fn := range names {
			if *fn, err = purego.Dlsym(handle, name); err != nil {
				return fmt.Errorf("GStreamer: %w: %w", ErrMissing, err)
			}
		}
	}
	if ok, _, _ := purego.SyscallN(l.init, 0, 0, 0); uint32(ok) == 0 {
		return fmt.Errorf("GStreamer: %w: it does not start", ErrMissing)
	}
	loaded.Store(l)
	return nil
})

// Load loads GStreamer, which can take a second the first time.
func Load() error { return load() }

// Loaded reports whether Load has been successful.
func Loaded() bool { return loaded.Load() != nil }

// find returns nil if GStreamer has been loaded and has an element.
func find(factory string) error {
	l := loaded.Load()
	if l == nil {
		return fmt.Errorf("GStreamer: %w", ErrMissing)
	}
	f, _, _ := purego.SyscallN(l.find, cString(factory))
	if f == 0 {
		return fmt.Errorf("GStreamer's %s: %w", factory, ErrMissing)
	}
	purego.SyscallN(l.unref, f)
	return nil
}

// strings that C has been given; there are few different ones.
var (
	stringsMu sync.Mutex
	cStrings  = map[string][]byte{}
)

// cString is the address of a string's copy with a zero behind it, which stays.
func cString(s string) uintptr {
	stringsMu.Lock()
	defer stringsMu.Unlock()
	b := cStrings[s]
	if b == nil {
		b = append([]byte(s), 0)
		cStrings[s] = b
	}
	return uintptr(unsafe.Pointer(&b[0]))
}

// pipeline is a running pipeline: what is pushed into its source comes, some way
// or other, out of its sink.
type pipeline struct {
	lib                   *library
	bin, src, coder, sink uintptr
}

const (
	statePlaying = 4
	stateNull    = 1
	frameWait    = 2e9     // nanoseconds that a frame may take
	maxFrame     = 1 << 28 // bytes of one
)

// start runs a pipeline around an element, which is called coder in it; "": it has
// no name.
func start(factory, launch, coder string) (*pipeline, error) {
	if err := find(factory); err != nil {
		return nil, err
	}
	p := &pipeline{lib: loaded.Load()}
	text := append([]byte(launch), 0)
	var failure uintptr
	p.bin, _, _ = purego.SyscallN(p.lib.launch, uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&failure)))
	runtime.KeepAlive(text)
	if p.bin == 0 || failure != 0 {
		p.Close()
		return nil, fmt.Errorf("GStreamer's %s: %w: it does not take its settings", factory, ErrMissing)
	}
	for name, child := range map[string]*uintptr{"src": &p.src, coder: &p.coder, "sink": &p.sink} {
		if name != "" {
			*child, _, _ = purego.SyscallN(p.lib.child, p.bin, cString(name))
		}
	}
	if ok, _, _ := purego.SyscallN(p.lib.state, p.bin, statePlaying); uint32(ok) == 0 {
		p.Close()
		return nil, fmt.Errorf("GStreamer's %s: %w: it does not start", factory, ErrMissing)
	}
	return p, nil
}

// set changes a number that is a property of the coder.
func (p *pipeline) set(property string, number int) {
	value := append(fmt.Append(nil, number), 0)
	purego.SyscallN(p.lib.setArg, p.coder, cString(property), uintptr(unsafe.Pointer(&value[0])))
	runtime.KeepAlive(value)
}

// push puts a copy of data, which is not empty, into the source.
func (p *pipeline) push(data []byte) error {
	buffer, _, _ := purego.SyscallN(p.lib.newBuffer, 0, uintptr(len(data)), 0)
	if buffer == 0 {
		return errors.New("no buffer")
	}
	purego.SyscallN(p.lib.fill, buffer, 0, uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
	runtime.KeepAlive(data)
	if flow, _, _ := purego.SyscallN(p.lib.push, p.src, buffer); int32(flow) != 0 {
		return fmt.Errorf("flow %d", int32(flow))
	}
	return nil
}

// size is that of a picture; zero for what is none.
type size struct{ width, height int }

// pull appends what comes next out of the sink to dst, of so many bytes at most.
func (p *pipeline) pull(dst []byte, most int) ([]byte, size, error) {
	sample, _, _ := purego.SyscallN(p.lib.pull, p.sink, frameWait)
	if sample == 0 {
		return dst, size{}, errors.New("nothing comes")
	}
	defer purego.SyscallN(p.lib.unmini, sample)
	buffer, _, _ := purego.SyscallN(p.lib.sampleBuffer, sample)
	bytes, _, _ := purego.SyscallN(p.lib.bufferSize, buffer)
	if bytes == 0 || bytes > uintptr(most) {
		return dst, size{}, fmt.Errorf("%d bytes", bytes)
	}
	n := len(dst)
	dst = slices.Grow(dst, int(bytes))[:n+int(bytes)]
	purego.SyscallN(p.lib.extract, buffer, 0, uintptr(unsafe.Pointer(&dst[n])), bytes)
	return dst, p.sizeOf(sample), nil
}

// sizeOf reads the size of a sample's picture.
func (p *pipeline) sizeOf(sample uintptr) (s size) {
	caps, _, _ := purego.SyscallN(p.lib.sampleCaps, sample)
	if caps == 0 {
		return s
	}
	first, _, _ := purego.SyscallN(p.lib.structure, caps, 0)
	var width, height int32
	purego.SyscallN(p.lib.structInt, first, cString("width"), uintptr(unsafe.Pointer(&width)))
	purego.SyscallN(p.lib.structInt, first, cString("height"), uintptr(unsafe.Pointer(&height)))
	return size{int(width), int(height)}
}

// Close ends the pipeline. It may be called twice.
func (p *pipeline) Close() {
	if p.bin != 0 {
		purego.SyscallN(p.lib.state, p.bin, stateNull)
	}
	for _, object := range []*uintptr{&p.src, &p.coder, &p.sink, &p.bin} {
		if *object != 0 {
			purego.SyscallN(p.lib.unref, *object)
			*object = 0
		}
	}
}
