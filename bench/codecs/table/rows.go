package main

import (
	"github.com/spiceecs/spiceecs/bench/codecs"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/quic"
)

// known are speeds of the reference's code, gcc -O2, one thread of an AMD EPYC
// with two shared cores: the range over several passes, and how well its
// picture compressed. The desktop was a screenshot of terminals and a browser,
// the photo a camera's with light noise.
var known = map[string]struct {
	low, high int
	ratio     string
}{
	"quic desktop encode": {930, 1530, "9.7"}, "quic desktop decode": {815, 1140, ""},
	"quic photo encode": {246, 348, "2.08"}, "quic photo decode": {230, 334, ""},
	"quic noise encode": {380, 554, "1.33"}, "quic noise decode": {121, 140, ""},
	"lz desktop encode": {1570, 2310, "28.4"}, "lz desktop decode": {4700, 5870, ""},
	"lz photo encode": {406, 597, "1.32"}, "lz photo decode": {2930, 4030, ""},
	"lz noise encode": {436, 609, "1.32"}, "lz noise decode": {2800, 4060, ""},
	"glz desktop encode": {1250, 2320, "37.9"}, "glz desktop decode": {2590, 3780, ""},
	"glz photo encode": {46, 60, "1.32"}, "glz photo decode": {3900, 4200, ""},
	"glz noise encode": {41, 56, "1.32"}, "glz noise decode": {4000, 4360, ""},
}

// copies is memcpy: what the machine can do at the moment.
func copies(pixels []byte) ([]row, func(), error) {
	dst := make([]byte, len(pixels))
	return []row{{
		goDo: func() (int, error) { return copy(dst, pixels), nil },
		cDo:  func() (int, error) { return codecs.Copy(dst, pixels), nil },
	}}, func() {}, nil
}

func quicRows(pixels []byte) ([]row, func(), error) {
	var enc quic.Encoder
	var dec quic.Decoder
	chunks, back := [][]byte{pixels}, make([]byte, len(pixels))
	out, err := enc.Encode(nil, images, chunks)
	return []row{
		{name: "encode", goDo: func() (_ int, err error) {
			out, err = enc.Encode(out[:0], images, chunks)
			return len(out), err
		}},
		{name: "decode", goDo: func() (int, error) { return len(out), dec.Decode(back, images, out) }},
	}, func() {}, err
}

func lzRows(pixels []byte) ([]row, func(), error) {
	var enc lz.Encoder
	chunks, back := [][]byte{pixels}, make([]byte, len(pixels))
	out, err := enc.Encode(nil, frame, chunks)
	return []row{
		{name: "encode", goDo: func() (_ int, err error) {
			out, err = enc.Encode(out[:0], frame, chunks)
			return len(out), err
		}},
		{name: "decode", goDo: func() (int, error) {
			_, err := lz.Decode(back, out)
			return len(out), err
		}},
	}, func() {}, err
}

// glzRows encode one picture with an empty dictionary.
func glzRows(pixels []byte) ([]row, func(), error) {
	var enc glz.Encoder
	var dict *glz.Dictionary
	var window *glz.Window
	chunks := [][]byte{pixels}
	out := make([]byte, 0, 2*len(pixels))
	return []row{
		{name: "encode", before: func() {
			dict = glz.NewDictionary(glzWindow, 0)
			_, _, _ = enc.Encode(out[:0], dict, frame, [][]byte{make([]byte, len(pixels))}) // so that it has its memory
		}, goDo: func() (_ int, err error) {
			out, _, err = enc.Encode(out[:0], dict, frame, chunks)
			return len(out), err
		}},
		{name: "decode", before: func() {
			dict, window = glz.NewDictionary(glzWindow, 0), glz.NewWindow(glzWindow)
			out, _, _ = enc.Encode(out[:0], dict, frame, chunks)
		}, goDo: func() (int, error) {
			_, err := window.Decode(out)
			return len(out), err
		}},
	}, func() {}, nil
}

func lz4Rows(pixels []byte) ([]row, func(), error) {
	c := codecs.NewLZ4()
	var enc lz4.Encoder
	out, out2 := make([]byte, 0, 2*len(pixels)), make([]byte, 2*len(pixels))
	chunks, back := [][]byte{pixels}, make([]byte, len(pixels))
	stream, err := c.Encode(make([]byte, 2*len(pixels)), 1, byte(frame.Type), pixels, len(pixels))
	return []row{
		{name: "encode", goDo: func() (_ int, err error) {
			out, err = enc.Encode(out[:0], frame, chunks)
			return len(out), err
		}, cDo: func() (int, error) {
			s, err := c.Encode(out2, 1, byte(frame.Type), pixels, len(pixels))
			return len(s), err
		}},
		{
			name: "decode",
			goDo: func() (int, error) { return len(stream), lz4.Decode(back, stream) },
			cDo:  func() (int, error) { return len(stream), c.Decode(back, stream) },
		},
	}, c.Close, err
}
