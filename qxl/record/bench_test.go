package record

import (
	"bytes"
	"io"
	"os"
	"testing"
)

// BenchmarkReader reads the recording that SPICEECS_RECORDING names, plain or
// compressed, or the one kept here.
func BenchmarkReader(b *testing.B) {
	name := os.Getenv("SPICEECS_RECORDING")
	if name == "" {
		name = "testdata/cut.rec.zst"
	}
	file, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	var events, raw int64
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		var ev Event
		for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
			events++
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		raw += r.s.offset()
		r.Close()
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(raw)/1e6/b.Elapsed().Seconds(), "MB/s")
}
