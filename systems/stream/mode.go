package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode says what counts as a video. The values are the protocol's.
type Mode uint8

// Modes.
const (
	Off    Mode = 1 // nothing
	All    Mode = 2 // whatever is painted again and again in the same place
	Filter Mode = 3 // of that, what is large enough and looks like photos
)

// ModeNames are the names of all modes, in settings.
var ModeNames = []string{"off", "all", "filter"}

// ErrMode reports a mode that does not exist.
var ErrMode = errors.New("unknown video streaming mode")

// ParseMode returns the mode with this name.
func ParseMode(name string) (Mode, error) {
	if i := slices.Index(ModeNames, name); i >= 0 {
		return Mode(i + 1), nil
	}
	return 0, fmt.Errorf("%w %q: want one of %s", ErrMode, name, strings.Join(ModeNames, ", "))
}

// Valid reports whether m is a mode.
func (m Mode) Valid() bool { return m >= Off && m <= Filter }

// String is the name in settings.
func (m Mode) String() string {
	if !m.Valid() {
		return "invalid"
	}
	return ModeNames[m-1]
}
