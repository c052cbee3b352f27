package regions

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// model is the plain truth: a grid of cells, each in or out. Cell (i,j) stands
// for the pixels [xs[i],xs[i+1]) x [ys[j],ys[j+1]).
type model struct {
	xs, ys []int32
	cell   []bool
}

const gridSize = 16

// unitGrid has cells of one pixel; sparseGrid spans the whole plane.
var (
	unitGrid   = cuts(func(i int) int32 { return int32(i) - 3 })
	sparseGrid = cuts(func(i int) int32 {
		return []int32{MinCoord, -32767, -20000, -4096, -65, -64, -1, 0, 1, 63, 64, 1000, 4097, 20000, 32000, 32766, MaxCoord}[i]
	})
)

func cuts(f func(int) int32) (c []int32) {
	for i := range gridSize + 1 {
		c = append(c, f(i))
	}
	return c
}

func newModel(xs, ys []int32) *model {
	return &model{xs, ys, make([]bool, gridSize*gridSize)}
}

// rect is the rectangle from grid line (i0,j0) to (i1,j1).
func (m *model) rect(i0, j0, i1, j1 int) Rect {
	return Rect{m.xs[i0], m.ys[j0], m.xs[i1], m.ys[j1]}
}

// of is the model of one rectangle that lies on grid lines.
func (m *model) of(rc Rect) *model {
	o := newModel(m.xs, m.ys)
	for k := range o.cell {
		x, y := o.xs[k%gridSize], o.ys[k/gridSize]
		o.cell[k] = rc.Left <= x && x < rc.Right && rc.Top <= y && y < rc.Bottom
	}
	return o
}

func (m *model) apply(o *model, f func(a, b bool) bool) {
	for k := range m.cell {
		m.cell[k] = f(m.cell[k], o.cell[k])
	}
}

// become makes m what f makes of two others, which may be m itself.
func (m *model) become(a, b *model, f func(a, b bool) bool) {
	first := a.clone()
	first.apply(b, f)
	m.cell = first.cell
}

func (m *model) clone() *model { return &model{m.xs, m.ys, slices.Clone(m.cell)} }

// rects is the canonical banding, made the naive way.
func (m *model) rects() (out []Rect) {
	var last []Rect // the band above
	for j := range gridSize {
		var band []Rect
		for i := range gridSize {
			if !m.cell[j*gridSize+i] {
				continue
			}
			if n := len(band); n > 0 && band[n-1].Right == m.xs[i] {
				band[n-1].Right = m.xs[i+1]
			} else {
				band = append(band, m.rect(i, j, i+1, j+1))
			}
		}
		same := len(band) > 0 && slices.EqualFunc(last, band, func(p, q Rect) bool {
			return p.Left == q.Left && p.Right == q.Right && p.Bottom == q.Top
		})
		if same {
			for k := len(out) - len(band); k < len(out); k++ {
				out[k].Bottom = m.ys[j+1]
			}
		} else {
			out = append(out, band...)
		}
		last = slices.Clone(out[len(out)-len(band):])
	}
	return out
}

func (m *model) test(o *model) (t Test) {
	for k, a := range m.cell {
		switch b := o.cell[k]; {
		case a && b:
			t |= Shared
		case a:
			t |= LeftExclusive
		case b:
			t |= RightExclusive
		}
	}
	return t
}

// verify compares everything that can be asked of r with m.
func (m *model) verify(r *Region) error {
	want, got := m.rects(), r.AppendRects(nil)
	if !slices.Equal(want, got) {
		return fmt.Errorf("rectangles\n got %v\nwant %v", got, want)
	}
	var ext Rect
	var area int64
	for _, rc := range want {
		ext = ext.Union(rc)
		area += rc.Area()
	}
	switch {
	case r.Extents() != ext:
		return fmt.Errorf("extents %v, want %v", r.Extents(), ext)
	case r.Area() != area:
		return fmt.Errorf("area %d, want %d", r.Area(), area)
	case r.NumRects() != len(want):
		return fmt.Errorf("%d rectangles, want %d", r.NumRects(), len(want))
	case r.Empty() != (len(want) == 0), r.IsRect() != (len(want) == 1):
		return fmt.Errorf("Empty %v, IsRect %v with %d rectangles", r.Empty(), r.IsRect(), len(want))
	}
	for k, in := range m.cell {
		i, j := k%gridSize, k/gridSize
		if r.ContainsPoint(m.xs[i], m.ys[j]) != in || r.ContainsPoint(m.xs[i+1]-1, m.ys[j+1]-1) != in {
			return fmt.Errorf("ContainsPoint is wrong in cell %v", m.rect(i, j, i+1, j+1))
		}
	}
	return nil
}

// machine runs byte programs on three regions and their models.
type machine struct {
	reg [3]Region
	mod [3]*model
}

func newMachine(xs, ys []int32) *machine {
	m := new(machine)
	for i := range m.mod {
		m.mod[i] = newModel(xs, ys)
	}
	return m
}

// instruction is 4 bytes: operation, registers, and the corners of a rectangle.
const instruction = 4

// run executes a program and checks the registers after each instruction.
func (m *machine) run(t testing.TB, program []byte) {
	t.Helper()
	for pc := 0; pc+instruction <= len(program); pc += instruction {
		code := program[pc : pc+instruction]
		name := m.step(code)
		reform(&m.reg[int(code[1])%3], code[0]>>6)
		for i := range m.reg {
			if err := m.mod[i].verify(&m.reg[i]); err != nil {
				t.Fatalf("instruction %d (% x, %s): register %d: %v\nprogram %x", pc/instruction, code, name, i, err, program[:pc+instruction])
			}
		}
		if err := m.compare(); err != nil {
			t.Fatalf("after instruction %d (% x, %s): %v\nprogram %x", pc/instruction, code, name, err, program[:pc+instruction])
		}
	}
}

// reform brings a region into a form (1 dense, 2 sparse) it would not have chosen
// itself: small regions are sparse, but operations must not depend on that.
func reform(r *Region, form byte) {
	switch {
	case form == 1 && r.sparse != nil:
		t := new(dense)
		gridOf(r.ext).rasterize(t, r.sparse)
		r.dropSparse()
		r.dense = t
	case form == 2 && r.dense != nil:
		t := new(sparse)
		gridOf(r.ext).vectorize(t, r.dense, math.MaxInt)
		r.dropDense()
		r.sparse = t
	}
}

// step executes one instruction on both sides.
func (m *machine) step(code []byte) string {
	d, s, a := int(code[1])%3, int(code[1]>>4)%3, int(code[1]>>2)%3
	r, o, mr, mo := &m.reg[d], &m.reg[s], m.mod[d], m.mod[s]
	rc := mr.rect(int(code[2]&15), int(code[3]&15), int(code[2]>>4)+1, int(code[3]>>4)+1)
	one := mr.of(rc)
	or := func(a, b bool) bool { return a || b }
	and := func(a, b bool) bool { return a && b }
	minus := func(a, b bool) bool { return a && !b }
	second := func(a, b bool) bool { return b }
	switch code[0] % 12 {
	case 0:
		r.SetUnion(&m.reg[a], o) // which is Union if a is r
		mr.become(m.mod[a], mo, or)
		return "SetUnion"
	case 1:
		r.SetDifference(&m.reg[a], o)
		mr.become(m.mod[a], mo, minus)
		return "SetDifference"
	case 2:
		r.SetIntersection(&m.reg[a], o)
		mr.become(m.mod[a], mo, and)
		return "SetIntersection"
	case 3:
		r.Xor(o)
		mr.apply(mo.clone(), func(a, b bool) bool { return a != b })
		return "Xor"
	case 4:
		r.Copy(o)
		mr.apply(mo.clone(), second)
		return "Copy"
	case 5:
		r.SetRect(rc)
		mr.apply(one, second)
		return "SetRect"
	case 6:
		r.IntersectRect(rc)
		mr.apply(one, and)
		return "IntersectRect"
	case 7, 8:
		r.SubtractRect(rc)
		mr.apply(one, minus)
		return "SubtractRect"
	case 9:
		rs := append(o.AppendRects(nil), rc)
		slices.Reverse(rs)
		r.SetRects(rs)
		mr.apply(mo.clone(), second)
		mr.apply(one, or)
		return "SetRects"
	default:
		r.UnionRect(rc)
		mr.apply(one, or)
		return "UnionRect"
	}
}

// compare checks what asks about two regions, for each pair of registers.
func (m *machine) compare() error {
	for i := range m.reg {
		for j := range m.reg {
			r, o := &m.reg[i], &m.reg[j]
			truth := m.mod[i].test(m.mod[j])
			for query := Test(0); query < 8; query++ {
				if got := RegionTest(r, o, query); got != truth&query {
					return fmt.Errorf("RegionTest(%d, %d, %03b) = %03b, want %03b", i, j, query, got, truth&query)
				}
			}
			equal := slices.Equal(m.mod[i].cell, m.mod[j].cell)
			switch {
			case r.Equal(o) != equal:
				return fmt.Errorf("Equal(%d, %d) = %v", i, j, !equal)
			case r.Overlaps(o) != (truth&Shared != 0):
				return fmt.Errorf("Overlaps(%d, %d) is wrong", i, j)
			case r.Contains(o) != (truth&RightExclusive == 0):
				return fmt.Errorf("Contains(%d, %d) is wrong", i, j)
			}
			if !o.IsRect() {
				continue
			}
			if rc := o.Extents(); r.OverlapsRect(rc) != r.Overlaps(o) || r.ContainsRect(rc) != r.Contains(o) {
				return fmt.Errorf("OverlapsRect or ContainsRect(%d, %v) is wrong", i, rc)
			}
		}
	}
	return nil
}
