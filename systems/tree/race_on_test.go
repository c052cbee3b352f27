//go:build race

package tree_test

// raceEnabled is true: sync.Pool then throws away some of what it is given, so
// counts of allocations mean nothing.
const raceEnabled = true
