package display_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/systems/display/displaytest"
)

// programs is where programs that failed once are kept.
var programs = filepath.Join("testdata", "programs")

// TestMetamorphic runs random programs. SPICEECS_META_SEED runs the one with
// that number only; SPICEECS_META_TIME says for how long to go on, such as 5m.
// A program that fails is shrunk and kept, to be run by TestPrograms.
func TestMetamorphic(t *testing.T) {
	seed, limit, only := uint64(time.Now().UnixNano()), 3*time.Second, false
	if os.Getenv("CI") != "" {
		seed = 1 // a change is judged by the same programs each time
	}
	if s := os.Getenv("SPICEECS_META_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed, only = n, true
	}
	if s := os.Getenv("SPICEECS_META_TIME"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		limit = d
	}
	t.Logf("seed %d", seed)
	n, steps := 0, 0
	for start := time.Now(); time.Since(start) < limit; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := displaytest.Generate(rnd, 20+rnd.IntN(200))
		if err := displaytest.Run(p, 1+rnd.IntN(5)); err != nil {
			keep(t, p, fmt.Sprintf("seed-%d", seed), err)
		}
		n++
		steps += len(p)
		if only {
			break
		}
	}
	t.Logf("%d programs, %d steps", n, steps)
}

// TestReach checks that random programs get everywhere: to each codec, lossy
// areas, full lines and caches.
func TestReach(t *testing.T) {
	missing, reached := displaytest.Reachable(), map[string]int{}
	for seed := uint64(1); len(missing) > 0 && seed < 1000; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 2))
		p := displaytest.Generate(rnd, 200)
		if err := displaytest.RunCounting(p, 10, reached); err != nil {
			keep(t, p, fmt.Sprintf("reach-%d", seed), err)
		}
		missing = slices.DeleteFunc(missing, func(what string) bool { return reached[what] > 0 })
	}
	t.Logf("%v", reached)
	if len(missing) > 0 {
		t.Errorf("not reached: %q", missing)
	}
}

// keep shrinks a program that failed, and ends the test.
func keep(t *testing.T, p displaytest.Program, name string, err error) {
	p = displaytest.Shrink(p, 3000, func(q displaytest.Program) bool { return displaytest.Run(q, 1) != nil })
	least := displaytest.Run(p, 1)
	path := filepath.Join(programs, name+".txt")
	text := append(fmt.Appendf(nil, "# %v\n", least), p.Text()...)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Error(err)
	}
	t.Fatalf("%s: %v\nshrunk to %d steps, in %s: %v\n%s", name, err, len(p), path, least, text)
}

// TestPrograms runs every program that failed once.
func TestPrograms(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(programs, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := displaytest.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := displaytest.Run(p, 1); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestShrink checks that a failure is brought down to the steps that make it,
// by a device that is said to fail at the second join after an update.
func TestShrink(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	p := displaytest.Generate(rnd, 400)
	fails := func(p displaytest.Program) bool {
		want := []displaytest.Verb{displaytest.Update, displaytest.Join, displaytest.Join}
		for _, s := range p {
			if len(want) > 0 && s.Do == want[0] {
				want = want[1:]
			}
		}
		return len(want) == 0
	}
	if !fails(p) {
		t.Fatal("the program does not have what is looked for")
	}
	least := displaytest.Shrink(p, 10000, fails)
	if len(least) != 3 || !fails(least) {
		t.Errorf("shrunk to %d steps:\n%s", len(least), least.Text())
	}
	again, err := displaytest.Parse(p.Text())
	if err != nil || string(again.Text()) != string(p.Text()) {
		t.Errorf("a program is not read as it was written: %v", err)
	}
}
