//go:build race

package qxl

const raceEnabled = true
