package fuzz_test

import (
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/systems/display/displaytest"
)

// FuzzTree lets the fuzzer choose what a device and its clients do: bytes are the
// decisions of the program generator. Whatever they come to, the device's and
// the clients' pixels have to be a naive painter's, and nothing may be lost.
// Inputs are long: -fuzzminimizetime 10x keeps the fuzzer from polishing them.
func FuzzTree(f *testing.F) {
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		b := make([]byte, 200+100*seed)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 4 << 10
		p := displaytest.Generate(&displaytest.Bytes{Data: data[:min(len(data), most)]}, 200)
		if err := displaytest.Run(p, 4); err != nil {
			t.Fatalf("%v\n%s", err, p.Text())
		}
	})
}
