package displaytest

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// settle sends everything to everybody, and lets lossy areas be refined. Then
// all clients show exactly what the device's surfaces are.
func (b *bench) settle() error {
	const rounds = 3000
	for i := 0; ; i++ {
		settled, err := b.settled()
		if err != nil {
			return err
		}
		if settled {
			break
		}
		if i == rounds {
			return errors.New("the clients do not get everything")
		}
		b.clock.Advance(refineStep)
		if err := b.pump(); err != nil {
			return err
		}
		for n, v := range b.clients {
			if err := b.serve(v); err != nil {
				return fmt.Errorf("client %d: %w", n, err)
			}
		}
	}
	for n, v := range b.clients {
		for _, cs := range v.all {
			if err := b.compare(&views{all: []canvases{cs}}, v.pads(), b.knows(v), nowhere); err != nil {
				return fmt.Errorf("client %d, settled: %w", n, err)
			}
		}
		v.all = v.all[:1] // they are all the same
		if v.Monitors && b.heads != nil && v.surface(0) != nil && !slices.Equal(v.monitors, b.heads) {
			return fmt.Errorf("client %d has monitors %v, want %v", n, v.monitors, b.heads)
		}
	}
	return nil
}

// settled reports whether no client is left to be sent anything.
func (b *bench) settled() (bool, error) {
	all := true
	for n, v := range b.clients {
		if err := b.catchUp(v); err != nil {
			return false, fmt.Errorf("client %d: %w", n, err)
		}
		all = all && b.sim.Settled(v.slot) && len(v.ahead) == 0
	}
	return all, nil
}

// refineStep is a time after which lossy areas of an idle line are refined.
const refineStep = 400 * time.Millisecond

// serve has a client take all that is on its way, and more, if it has no line.
func (b *bench) serve(v *viewer) error {
	if !v.Line {
		if err := b.sim.Send(v.slot, 100); err != nil {
			return err
		}
	}
	if err := b.catchUp(v); err != nil || len(v.ahead) == 0 {
		return err
	}
	if v.Line {
		return b.read(v, len(v.ahead))
	}
	v.ahead = v.ahead[:0]
	return b.sim.Sent(v.slot)
}
