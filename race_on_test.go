//go:build race

package spiceecs_test

// filmFrames is how many pictures a film has: fewer, as the race detector takes ten
// times as long for each.
const filmFrames = 60
