package qxl

// Ring is what a VMM implements to give the engine a QXL device's command
// rings. All methods are called from the device's worker goroutine only, never
// concurrently, and must not block: a method that waits for the engine, or for
// a lock held while calling into it, stops the device.
//
// The worker takes commands until Get… answers false, asks again after a short
// while, and then calls Request…Notification. If that answers true the VMM has
// to call the device's Wakeup (from any goroutine) when a new command arrives;
// false means that a command is there already.
type Ring interface {
	// GetCommand stores the next display command and reports whether there was one.
	GetCommand(*Command) bool
	// RequestCommandNotification arms a wake-up for the display ring; false
	// means that it is not empty.
	RequestCommandNotification() bool
	// GetCursorCommand stores the next cursor command and reports whether there was one.
	GetCursorCommand(*Command) bool
	// RequestCursorNotification arms a wake-up for the cursor ring; false
	// means that it is not empty.
	RequestCursorNotification() bool
	// Release gives a command's memory back to the guest. It is called exactly
	// once for every command whose top-level structure could be read, in any order.
	Release(Resource)
	// NotifyUpdate tells that the area of an update command has been drawn.
	NotifyUpdate(updateID uint32)
	// FlushResources asks the guest to hand over resources it waits for, when
	// it is out of memory; it reports whether any was freed.
	FlushResources() bool
}
