//go:build cgo && libspice

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/spiceecs/spiceecs"
)

// recording is the file that SPICE_WORKER_RECORD_FILENAME names, written through
// the command in SPICE_WORKER_RECORD_FILTER, if there is one.
type recording struct {
	*spiceecs.Recording
	w      io.WriteCloser
	filter *exec.Cmd
	failed sync.Once
}

// openRecording answers nil where no recording is asked for.
func openRecording() (*recording, error) {
	name := os.Getenv("SPICE_WORKER_RECORD_FILENAME")
	if name == "" {
		return nil, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	r := &recording{w: f}
	if command := os.Getenv("SPICE_WORKER_RECORD_FILTER"); command != "" {
		if err := r.pipe(command, f); err != nil {
			return nil, fmt.Errorf("filter %q: %w", command, err)
		}
	}
	r.Recording, err = spiceecs.NewRecording(r)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// pipe starts the filter, which gets f as its own.
func (r *recording) pipe(command string, f *os.File) (err error) {
	defer f.Close()
	r.filter = exec.Command("/bin/sh", "-c", "exec "+command)
	r.filter.Stdout, r.filter.Stderr = f, os.Stderr
	if r.w, err = r.filter.StdinPipe(); err != nil {
		return err
	}
	return r.filter.Start()
}

func (r *recording) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil {
		r.failed.Do(func() { logger.Error("the recording ends here", "err", err) })
	}
	return n, err
}

// close waits for the filter. A VMM that collects its children itself may have
// been first.
func (r *recording) close() error {
	err := r.w.Close()
	if r.filter != nil {
		_ = r.filter.Wait()
	}
	return err
}
