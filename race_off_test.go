//go:build !race

package spiceecs_test

// Sizes of tests that the race detector makes ten times as long.
const (
	filmFrames   = 100     // pictures of a film
	manyVisits   = 200     // clients that come and go
	recordedPart = 1 << 20 // bytes that are read of a compressed recording
)

var everyFilm = 1 // of those that are listed
