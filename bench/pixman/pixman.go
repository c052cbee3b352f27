package main

/*
#cgo pkg-config: pixman-1
#include <pixman.h>
#include <stdlib.h>

// A pair of operands, and what the left one was made from.
typedef struct {
	pixman_region32_t a, b;
	const pixman_box32_t *boxes;
	int n;
} pair;

// Pairs to take turns, and the latest result.
typedef struct {
	pair *pairs;
	int n;
	pixman_region32_t out;
} work;

static work *work_new(int n)
{
	work *w = calloc(1, sizeof *w);
	w->pairs = calloc(n, sizeof *w->pairs);
	w->n = n;
	pixman_region32_init(&w->out);
	return w;
}

static void work_set(work *w, int i, const pixman_box32_t *a, int na, const pixman_box32_t *b, int nb)
{
	pair *p = &w->pairs[i];
	pixman_region32_init_rects(&p->a, a, na);
	pixman_region32_init_rects(&p->b, b, nb);
	p->boxes = a;
	p->n = na;
}

static void work_free(work *w)
{
	for (int i = 0; i < w->n; i++) {
		pixman_region32_fini(&w->pairs[i].a);
		pixman_region32_fini(&w->pairs[i].b);
	}
	free(w->pairs);
	pixman_region32_fini(&w->out);
	free(w);
}

// Each runs n times, so that the price of calling C from Go does not count.

static void run_union(work *w, int n)
{
	for (int i = 0; i < n; i++) {
		pair *p = &w->pairs[i % w->n];
		pixman_region32_copy(&w->out, &p->a);
		pixman_region32_union(&w->out, &w->out, &p->b);
	}
}

static void run_subtract(work *w, int n)
{
	for (int i = 0; i < n; i++) {
		pair *p = &w->pairs[i % w->n];
		pixman_region32_copy(&w->out, &p->a);
		pixman_region32_subtract(&w->out, &w->out, &p->b);
	}
}

static void run_intersect(work *w, int n)
{
	for (int i = 0; i < n; i++) {
		pair *p = &w->pairs[i % w->n];
		pixman_region32_copy(&w->out, &p->a);
		pixman_region32_intersect(&w->out, &w->out, &p->b);
	}
}

static int run_overlaps(work *w, int n)
{
	int yes = 0;
	for (int i = 0; i < n; i++) {
		pair *p = &w->pairs[i % w->n];
		pixman_region32_intersect(&w->out, &p->a, &p->b);
		yes += pixman_region32_not_empty(&w->out);
	}
	return yes;
}

static int run_contains(work *w, int n)
{
	int yes = 0;
	for (int i = 0; i < n; i++) {
		pair *p = &w->pairs[i % w->n];
		pixman_region32_subtract(&w->out, &p->b, &p->a);
		yes += !pixman_region32_not_empty(&w->out);
	}
	return yes;
}

static void run_set(work *w, int n)
{
	for (int i = 0; i < n; i++) {
		pair *p = &w->pairs[i % w->n];
		pixman_region32_fini(&w->out);
		pixman_region32_init_rects(&w->out, p->boxes, p->n);
	}
}
*/
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/spiceecs/spiceecs/regions"
)

// peer holds pairs of regions, and room for a result, in pixman.
type peer struct {
	w    *C.work
	pins runtime.Pinner // for the rectangles C keeps pointers to
}

// pair is what two regions are made from.
type pair struct{ a, b []regions.Rect }

func newPeer(pairs []pair) *peer {
	p := &peer{w: C.work_new(C.int(len(pairs)))}
	for i, pr := range pairs {
		a, b := p.boxes(pr.a), p.boxes(pr.b)
		C.work_set(p.w, C.int(i), unsafe.SliceData(a), C.int(len(a)), unsafe.SliceData(b), C.int(len(b)))
	}
	return p
}

func (p *peer) boxes(rs []regions.Rect) []C.pixman_box32_t {
	out := make([]C.pixman_box32_t, len(rs))
	for i, rc := range rs {
		out[i] = C.pixman_box32_t{C.int32_t(rc.Left), C.int32_t(rc.Top), C.int32_t(rc.Right), C.int32_t(rc.Bottom)}
	}
	if len(out) > 0 {
		p.pins.Pin(&out[0])
	}
	return out
}

func (p *peer) close() {
	C.work_free(p.w)
	p.pins.Unpin()
}

func (p *peer) union(n int)     { C.run_union(p.w, C.int(n)) }
func (p *peer) subtract(n int)  { C.run_subtract(p.w, C.int(n)) }
func (p *peer) intersect(n int) { C.run_intersect(p.w, C.int(n)) }
func (p *peer) overlaps(n int)  { C.run_overlaps(p.w, C.int(n)) }
func (p *peer) contains(n int)  { C.run_contains(p.w, C.int(n)) }
func (p *peer) set(n int)       { C.run_set(p.w, C.int(n)) }

// rects are the rectangles of the latest result.
func (p *peer) rects() []regions.Rect {
	var n C.int
	first := C.pixman_region32_rectangles(&p.w.out, &n)
	out := make([]regions.Rect, n)
	for i, b := range unsafe.Slice(first, n) {
		out[i] = regions.Rect{Left: int32(b.x1), Top: int32(b.y1), Right: int32(b.x2), Bottom: int32(b.y2)}
	}
	return out
}
