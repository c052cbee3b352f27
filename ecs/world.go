package ecs

import (
	"fmt"
	"reflect"

	arche "github.com/mlange-42/arche/ecs"
	"github.com/mlange-42/arche/generic"
)

// Entity names a thing in a World. The zero Entity names nothing.
type Entity = arche.Entity

// World holds entities and their components. It belongs to one goroutine.
type World struct{ world arche.World }

// NewWorld returns an empty world.
func NewWorld() *World {
	return &World{world: arche.NewWorld(1024)}
}

// Alive reports whether e exists.
func (w *World) Alive(e Entity) bool { return !e.IsZero() && w.world.Alive(e) }

// Remove deletes e with all its components.
func (w *World) Remove(e Entity) { w.world.RemoveEntity(e) }

// Store creates entities that have a component of type A, and gives access to it.
type Store[A any] struct{ m generic.Map1[A] }

// NewStore registers A in w. It panics if A holds pointers, which is a mistake
// in the program.
func NewStore[A any](w *World) Store[A] {
	mustBePlain[A]()
	return Store[A]{generic.NewMap1[A](&w.world)}
}

// New creates an entity with a zero component. The pointer is valid until the
// next entity is created or removed.
func (s *Store[A]) New() (Entity, *A) {
	e := s.m.New()
	a := s.m.Get(e)
	*a = *new(A)
	return e, a
}

// Get returns the component of e, which must be alive and have it, as the invariants
// build checks. It is valid until the next entity is created or removed.
func (s *Store[A]) Get(e Entity) *A {
	if Invariants {
		return s.m.Get(e)
	}
	return s.m.GetUnchecked(e)
}

// Store2 creates entities that have components of types A and B.
type Store2[A, B any] struct{ m generic.Map2[A, B] }

// NewStore2 registers A and B in w, as NewStore does.
func NewStore2[A, B any](w *World) Store2[A, B] {
	mustBePlain[A]()
	mustBePlain[B]()
	return Store2[A, B]{generic.NewMap2[A, B](&w.world)}
}

// New creates an entity with zero components. The pointers are valid until the
// next entity is created or removed.
func (s *Store2[A, B]) New() (Entity, *A, *B) {
	e := s.m.New()
	a, b := s.m.Get(e)
	*a, *b = *new(A), *new(B)
	return e, a, b
}

// Get returns the components of e, which must be alive and have them, as the invariants
// build checks. They are valid until the next entity is created or removed.
func (s *Store2[A, B]) Get(e Entity) (*A, *B) {
	if Invariants {
		return s.m.Get(e)
	}
	return s.m.GetUnchecked(e)
}

func mustBePlain[T any]() {
	t := reflect.TypeFor[T]()
	if path := PointerIn(t); path != "" {
		panic(fmt.Sprintf("component %s holds a pointer at %s", t, path))
	}
}

// PointerIn returns the path of the first thing inside a type that the garbage
// collector would have to see, or "" if there is none.
func PointerIn(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer, reflect.Slice, reflect.String, reflect.Map,
		reflect.Interface, reflect.Func, reflect.Chan:
		return t.String()
	case reflect.Array:
		return PointerIn(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if p := PointerIn(t.Field(i).Type); p != "" {
				return t.Field(i).Name + "." + p
			}
		}
	}
	return ""
}
