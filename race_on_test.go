//go:build race

package spiceecs_test

// Sizes of tests that the race detector makes ten times as long.
const (
	filmFrames   = 60
	manyVisits   = 60
	recordedPart = 30_000
)

var everyFilm = 3
