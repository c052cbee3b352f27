//go:build !race

package spiceecs_test

// filmFrames is how many pictures a film has.
const filmFrames = 100
