package ecs

import (
	"reflect"
	"slices"
	"testing"
)

type place struct {
	X, Y int32
	In   Handle
	Link Link
}

type tag struct{ N [4]uint16 }

func TestStore(t *testing.T) {
	w := NewWorld()
	s := NewStore[place](w)
	two := NewStore2[place, tag](w)
	e, p := s.New()
	p.X = 5
	f, q, g := two.New()
	q.Y, g.N[3] = 6, 7
	if s.Get(e).X != 5 || s.Get(f).Y != 6 {
		t.Error("a component is lost")
	}
	if a, b := two.Get(f); a.Y != 6 || b.N[3] != 7 {
		t.Error("a component is lost")
	}
	if e == f || !w.Alive(e) || !w.Alive(f) || w.Alive(Entity{}) {
		t.Error("entities are mixed up")
	}
	w.Remove(e)
	if w.Alive(e) || s.Get(f).Y != 6 {
		t.Error("Remove hit the wrong entity")
	}
	h, p := s.New()
	if *p != (place{}) || w.Alive(e) || !w.Alive(h) {
		t.Errorf("a recycled entity has %+v", *p)
	}
	w.Remove(f)
	if _, a, b := two.New(); *a != (place{}) || *b != (tag{}) {
		t.Errorf("a recycled entity has %+v, %+v", *a, *b)
	}
}

func TestPointersAreRefused(t *testing.T) {
	for _, new := range []func(*World){
		func(w *World) { NewStore[struct{ P *int }](w) },
		func(w *World) { NewStore2[place, []byte](w) },
		func(w *World) { NewStore2[string, place](w) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a component with a pointer was accepted")
				}
			}()
			new(NewWorld())
		}()
	}
}

func TestPointerIn(t *testing.T) {
	type inner struct{ M map[int]int }
	for _, tc := range []struct {
		v    any
		want string
	}{
		{place{}, ""}, {tag{}, ""}, {Entity{}, ""}, {List{}, ""}, {uintptr(0), ""}, {1.5, ""}, {struct{}{}, ""},
		{struct{ A [2]struct{ B *int } }{}, "A.B.*int"},
		{struct {
			N int
			I inner
		}{}, "I.M.map[int]int"},
		{"", "string"}, {[]int{}, "[]int"}, {[0]chan int{}, "chan int"}, {func() {}, "func()"},
		{struct{ E any }{}, "E.interface {}"},
	} {
		if got := PointerIn(reflect.TypeOf(tc.v)); got != tc.want {
			t.Errorf("%T: %q, want %q", tc.v, got, tc.want)
		}
	}
}

// TestLinks holds lists against slices, for random events.
func TestLinks(t *testing.T) {
	rnd := newRand(t)
	w := NewWorld()
	s := NewStore[place](w)
	links := NewLinks(&s, func(p *place) *Link { return &p.Link })
	var lists [3]List
	var models [3][]Entity
	for step := range 5000 {
		k := rnd.IntN(len(lists))
		list, model := &lists[k], models[k]
		op := rnd.IntN(5)
		if len(model) == 0 && op > 1 {
			continue
		}
		switch op {
		case 0, 1, 2:
			e, _ := s.New()
			at := 0
			switch op {
			case 0:
				links.PushFront(list, e)
			case 1:
				links.PushBack(list, e)
				at = len(model)
			case 2:
				at = rnd.IntN(len(model))
				links.InsertBefore(list, e, model[at])
			}
			model = slices.Insert(model, at, e)
		default:
			at := rnd.IntN(len(model))
			links.Remove(list, model[at])
			w.Remove(model[at])
			model = slices.Delete(model, at, at+1)
		}
		models[k] = model
		if got := walk(links, list); !slices.Equal(got, model) || int(list.Len) != len(model) {
			t.Fatalf("step %d: %d entities %v, want %v", step, list.Len, got, model)
		}
		if n := len(model); n > 0 && list.Last != model[n-1] || n == 0 && *list != (List{}) {
			t.Fatalf("step %d: ends %+v", step, *list)
		}
	}
}

func walk[A any](l Links[A], list *List) (all []Entity) {
	for e := list.First; !e.IsZero(); e = l.Next(e) {
		all = append(all, e)
	}
	return all
}
