package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// modelDCT is the definition of the transform, of samples less 128.
func modelDCT(samples *[64]float64) (out [64]float64) {
	norm := func(k int) float64 {
		if k == 0 {
			return math.Sqrt(1.0 / 8)
		}
		return 0.5
	}
	for v := range 8 {
		for u := range 8 {
			sum := 0.0
			for y := range 8 {
				for x := range 8 {
					sum += (samples[8*y+x] - 128) *
						math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*y+1)*float64(v)*math.Pi/16)
				}
			}
			out[8*v+u] = sum * norm(u) * norm(v)
		}
	}
	return out
}

// TestTransform holds both lanes of quantised blocks to the definition, for
// samples that bring each coefficient to its extremes, and random ones.
func TestTransform(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	pattern := func(n int) (s [64]float64) {
		for i := range s {
			u, v := n%8, n/8%8
			s[i] = 255
			switch wave := math.Cos(float64(2*(i%8)+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*(i/8)+1)*float64(v)*math.Pi/16); {
			case n >= 128:
				s[i] = float64(rng.IntN(256))
			case (wave < 0) == (n < 64):
				s[i] = 0
			}
		}
		return s
	}
	for _, quality := range []int{100, 85, 20, 1} {
		for component := range baseQuant {
			var q quantiser
			q.set(&baseQuant[component], quality)
			for n := range 400 {
				a, b := pattern(n), pattern((n*37+11)%400)
				var (
					both   block
					lo, hi coefficients
				)
				for i := range both {
					both[i] = uint64(a[i]) | uint64(b[i])<<32
				}
				both.transform()
				q.quantise(&both, &lo, &hi)
				compareBlock(t, &q, &lo, modelDCT(&a))
				compareBlock(t, &q, &hi, modelDCT(&b))
			}
		}
	}
}

func compareBlock(t *testing.T, q *quantiser, got *coefficients, want [64]float64) {
	t.Helper()
	largest := 0.0
	for _, v := range want[1:] {
		largest = max(largest, math.Abs(v))
	}
	for k, i := range zigzag {
		v := 0.0
		if got.nonzero>>k&1 == 1 {
			v = float64(got.v[k])
		}
		// Half a step of rounding, and the error of the constants, which makes
		// coefficients leak into one another.
		exact := want[i] / float64(q.table[i])
		if math.Abs(v-exact) > 0.5+(0.002*largest+0.01)/float64(q.table[i]) {
			t.Fatalf("coefficient %d: %v, want %v", i, v, exact)
		}
	}
}

// TestConvert holds luma and chroma to JFIF's definition.
func TestConvert(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	near := func(got uint64, want float64) bool { return math.Abs(float64(got)-math.Min(want, 255)) <= 0.502 }
	for range 100_000 {
		p := rng.Uint64()
		if rng.IntN(4) == 0 { // extremes are where things overflow
			p = p >> 7 & 0x0101010101010101 * 0xff
		}
		y := luminance(p)
		r, g, b := p>>16&byteLanes, p>>8&byteLanes, p&byteLanes
		cb, cr := chrominance(4*r, 4*g, 4*b)
		for range 2 {
			r, g, b := float64(p>>16&0xff), float64(p>>8&0xff), float64(p&0xff)
			if !near(y&0xff, 0.299*r+0.587*g+0.114*b) ||
				!near(cb&0xff, 128-0.168736*r-0.331264*g+0.5*b) || !near(cr&0xff, 128+0.5*r-0.418688*g-0.081312*b) {
				t.Fatalf("%v %v %v: %d %d %d", r, g, b, y&0xff, cb&0xff, cr&0xff)
			}
			p, y, cb, cr = p>>32, y>>32, cb>>32, cr>>32
		}
	}
}
