package picture

import (
	"context"
	"io"
	"os"
	"strconv"
	"testing"
)

func TestProbe(t *testing.T) {
	f := os.Getenv("REC")
	at, _ := strconv.Atoi(os.Getenv("AT"))
	p, err := Play(context.Background(), func() (io.ReadCloser, error) { return os.Open(f) }, Options{At: uint64(at), ClientEvery: 50})
	if err != nil {
		t.Fatal(err)
	}
	p.Tree.Title = "a recording"
	out, _ := os.Create(os.Getenv("OUT"))
	if err := p.Tree.WriteSVG(out); err != nil {
		t.Fatal(err)
	}
	out.Close()
}

func TestHeatProbe(t *testing.T) {
	f := os.Getenv("REC")
	at, _ := strconv.Atoi(os.Getenv("AT"))
	p, err := Play(context.Background(), func() (io.ReadCloser, error) { return os.Open(f) }, Options{At: uint64(at), ClientEvery: 50})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := os.Create(os.Getenv("OUT"))
	if err := p.Heat.WritePNG(out); err != nil {
		t.Fatal(err)
	}
	out.Close()
}
