//go:build race

package canvas

// raceDetector tells that pools lose things on purpose.
const raceDetector = true
