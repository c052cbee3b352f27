//go:build !race

package qxl

const raceEnabled = false
