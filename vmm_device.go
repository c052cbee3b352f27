package spiceecs

import "github.com/spiceecs/spiceecs/systems/display"

// Request is something that a VMM written in C asks of a device, see package
// display.
type Request = display.Request

// Carry carries a request out and waits for it.
func (d *Device) Carry(r Request) error { return d.worker.Carry(r) }

// CarryAsync has done called, on the device's goroutine, when a request has been
// carried out. It reports false, and does not call done, if the device is closed.
func (d *Device) CarryAsync(r Request, done func(error)) bool {
	return d.worker.CarryAsync(r, done)
}
