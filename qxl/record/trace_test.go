package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// compareWriter fails on the first byte that is not the one want yields.
type compareWriter struct {
	want io.Reader
	buf  []byte
	at   int64
}

func (c *compareWriter) Write(p []byte) (int, error) {
	c.buf = append(c.buf[:0], p...)
	n, err := io.ReadFull(c.want, c.buf)
	if err != nil {
		return 0, fmt.Errorf("byte %d: more was written than read: %w", c.at+int64(n), err)
	}
	if !bytes.Equal(c.buf, p) {
		for i := range p {
			if p[i] != c.buf[i] {
				lo, hi := max(0, i-80), min(len(p), i+40)
				return i, fmt.Errorf("byte %d: wrote %q, want %q", c.at+int64(i), p[lo:hi], c.buf[lo:hi])
			}
		}
	}
	c.at += int64(len(p))
	return len(p), nil
}

// traces are the recordings to test with: the one kept here, and those in the
// directory that SPICEECS_TRACES names.
func traces(t testing.TB) []string {
	files := []string{filepath.Join("testdata", "cut.rec.zst")}
	if dir := os.Getenv("SPICEECS_TRACES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.rec.zst"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no recordings in SPICEECS_TRACES=%s: %v", dir, err)
		}
		files = append(files, more...)
	}
	return files
}

func open(t testing.TB, name string) *os.File {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestTracesRewritten reads what a real server recorded and writes it again:
// every byte must come back.
func TestTracesRewritten(t *testing.T) {
	for _, name := range traces(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, err := zstd.NewReader(open(t, name), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(MaxWindow))
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			r, err := NewReader(open(t, name))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			w, err := NewWriter(&compareWriter{want: want})
			if err != nil {
				t.Fatal(err)
			}
			var ev Event
			for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
				if err := w.Event(&ev); err != nil {
					t.Fatalf("event %d: %v", ev.Counter, err)
				}
			}
			if err != io.EOF {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, want); n != 0 || err != nil {
				t.Fatalf("%d bytes were not written (%v)", n, errors.Unwrap(err))
			}
		})
	}
}
