package encode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Compression is the image compression an administrator or a client prefers.
// The values are the protocol's.
type Compression uint8

// Compressions.
const (
	Off     Compression = 1
	AutoGLZ Compression = 2 // GLZ, but QUIC for what looks like a photo
	AutoLZ  Compression = 3 // LZ, but QUIC for what looks like a photo
	QUIC    Compression = 4
	GLZ     Compression = 5
	LZ      Compression = 6
	LZ4     Compression = 7
)

// CompressionNames are the names of all compressions, in settings.
var CompressionNames = []string{"auto_glz", "auto_lz", "quic", "glz", "lz", "lz4", "off"}

var compressionNames = [...]string{Off: "off", AutoGLZ: "auto_glz", AutoLZ: "auto_lz", QUIC: "quic", GLZ: "glz", LZ: "lz", LZ4: "lz4"}

// Errors of settings.
var (
	ErrCompression = errors.New("unknown image compression")
	ErrWAN         = errors.New("unknown WAN setting")
)

// ParseCompression returns the compression with this name.
func ParseCompression(name string) (Compression, error) {
	if i := slices.Index(compressionNames[:], name); i > 0 {
		return Compression(i), nil
	}
	return 0, fmt.Errorf("%w %q: want one of %s", ErrCompression, name, strings.Join(CompressionNames, ", "))
}

// Valid reports whether c is a compression.
func (c Compression) Valid() bool { return c >= Off && c <= LZ4 }

// String is the name in settings.
func (c Compression) String() string {
	if !c.Valid() {
		return "invalid"
	}
	return compressionNames[c]
}

// WAN says when something is used that only pays on slow lines.
type WAN uint8

// WAN settings.
const (
	Auto   WAN = 1 // on slow lines
	Always WAN = 2
	Never  WAN = 3
)

// WANNames are the names of all WAN settings.
var WANNames = []string{"auto", "always", "never"}

// ParseWAN returns the setting with this name.
func ParseWAN(name string) (WAN, error) {
	if i := slices.Index(WANNames, name); i >= 0 {
		return WAN(i + 1), nil
	}
	return 0, fmt.Errorf("%w %q: want one of %s", ErrWAN, name, strings.Join(WANNames, ", "))
}

// On reports whether it is to be used on a line that is slow or not.
func (w WAN) On(slow bool) bool { return w == Always || w == Auto && slow }
