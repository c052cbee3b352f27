//go:build cgo && libspice

// Command engine is the Go part of the drop-in library, built with
// -buildmode=c-shared. The shim, libspice-server.so.1, opens it at the first
// spice_server_new and calls what is exported here.
//
//	VMM's threads  -> shim -> se_*      -> spiceecs.Server, spiceecs.Device
//	device workers -> ring -> se_host   -> shim -> QXLInterface
//	server core    -> post -> se_host   -> shim's queue -> VMM's main thread
//
// Handles that the shim holds are cgo.Handles; it does not use one after it has
// freed it. Memory of the VMM is only ever named by its address.
package main

// #include "host.h"
import "C"

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/cgo"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// host is the shim's side, static memory there.
var host *C.struct_se_host

// logger writes to standard error. What a healthy server has to say stays
// unsaid unless SPICEECS_LOG names a level.
var logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: logLevel()}))

func logLevel() slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(os.Getenv("SPICEECS_LOG"))) != nil {
		return slog.LevelWarn
	}
	return l
}

func main() {}

//export se_open
func se_open(abi C.uint32_t, h *C.struct_se_host) C.int {
	if abi != C.SE_ABI {
		return -1
	}
	host = h
	spareFirst()
	return 0
}

// spareFirst puts the first collection off until there is something to collect:
// a heap that begins would be collected at each doubling of next to nothing.
func spareFirst() {
	const late = 1200 // percent: a first collection at 48 MiB, of which 25 are a client's GLZ window
	usual := debug.SetGCPercent(late)
	runtime.AddCleanup(new([16]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// of is what a handle of the shim stands for.
func of[T any](h C.uint64_t) T { return cgo.Handle(h).Value().(T) }

func handle(v any) C.uint64_t { return C.uint64_t(cgo.NewHandle(v)) }

// refusals counts and limits what is logged about requests: guests can cause
// failures as fast as they like.
var refusals struct {
	count, logged atomic.Int64 // logged: when, in nanoseconds
}

// refused is the result of a request, whose failure is logged, once a second at most.
func refused(err error) C.int {
	if err == nil {
		return 0
	}
	n, now, last := refusals.count.Add(1), time.Now().UnixNano(), refusals.logged.Load()
	if now-last >= int64(time.Second) && refusals.logged.CompareAndSwap(last, now) {
		logger.Warn("request of the VMM failed", "err", err, "failed", n)
	}
	return -1
}

// status is a result for the shim; the error is logged.
func status(doing string, err error) C.int {
	if err != nil {
		logger.Error(doing, "err", err)
		return -1
	}
	return 0
}
