package ecs

// Link is an entity's place in a doubly linked list.
type Link struct{ Prev, Next Entity }

// List is the two ends of a list of entities, and its length. Lists are data:
// the links live in the entities' components.
type List struct {
	First, Last Entity
	Len         int32
}

// Links operates on lists whose links are part of component A.
type Links[A any] struct {
	store *Store[A]
	link  func(*A) *Link
}

// NewLinks returns the operations on the links that link picks from A.
func NewLinks[A any](store *Store[A], link func(*A) *Link) Links[A] {
	return Links[A]{store, link}
}

func (l Links[A]) of(e Entity) *Link { return l.link(l.store.Get(e)) }

// Next is the entity after e, zero at the end.
func (l Links[A]) Next(e Entity) Entity { return l.of(e).Next }

// PushBack puts e, which is in no list by this link, at the end.
func (l Links[A]) PushBack(list *List, e Entity) {
	*l.of(e) = Link{Prev: list.Last}
	if list.Last.IsZero() {
		list.First = e
	} else {
		l.of(list.Last).Next = e
	}
	list.Last = e
	list.Len++
}

// PushFront puts e, which is in no list by this link, at the front.
func (l Links[A]) PushFront(list *List, e Entity) {
	*l.of(e) = Link{Next: list.First}
	if list.First.IsZero() {
		list.Last = e
	} else {
		l.of(list.First).Prev = e
	}
	list.First = e
	list.Len++
}

// InsertBefore puts e, which is in no list by this link, in front of at.
func (l Links[A]) InsertBefore(list *List, e, at Entity) {
	prev := l.of(at).Prev
	if prev.IsZero() {
		l.PushFront(list, e)
		return
	}
	*l.of(e) = Link{Prev: prev, Next: at}
	l.of(prev).Next, l.of(at).Prev = e, e
	list.Len++
}

// Remove takes e out of the list it is in.
func (l Links[A]) Remove(list *List, e Entity) {
	n := *l.of(e)
	if n.Prev.IsZero() {
		list.First = n.Next
	} else {
		l.of(n.Prev).Next = n.Next
	}
	if n.Next.IsZero() {
		list.Last = n.Prev
	} else {
		l.of(n.Next).Prev = n.Prev
	}
	*l.of(e) = Link{}
	list.Len--
}
