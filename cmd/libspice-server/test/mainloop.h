/* A VMM's main loop: what a SpiceCoreInterface asks for. */
#ifndef MAINLOOP_H
#define MAINLOOP_H

#include <poll.h>
#include <spice.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define WATCHES 64
#define TIMERS 64

struct SpiceWatch {
    int fd, mask;
    SpiceWatchFunc func;
    void *opaque;
};
struct SpiceTimer {
    SpiceTimerFunc func;
    void *opaque;
    int64_t due; /* ms, 0: not started */
};
static struct SpiceWatch watches[WATCHES];
static struct SpiceTimer timers[TIMERS];

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    for (int i = 0; i < WATCHES; i++) {
        if (!watches[i].func) {
            watches[i] = (struct SpiceWatch){ fd, mask, func, opaque };
            return &watches[i];
        }
    }
    abort();
}

static void watch_update_mask(SpiceWatch *w, int mask) { w->mask = mask; }
static void watch_remove(SpiceWatch *w) { w->func = NULL; }

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    for (int i = 0; i < TIMERS; i++) {
        if (!timers[i].func) {
            timers[i] = (struct SpiceTimer){ func, opaque, 0 };
            return &timers[i];
        }
    }
    abort();
}

static void timer_start(SpiceTimer *t, uint32_t ms) { t->due = now_ms() + ms + 1; }
static void timer_cancel(SpiceTimer *t) { t->due = 0; }
static void timer_remove(SpiceTimer *t) { t->func = NULL; }
/* Of who includes this. */
static void channel_event(int event, SpiceChannelEventInfo *info);

static SpiceCoreInterface core = {
    .base = { .type = SPICE_INTERFACE_CORE, .major_version = SPICE_INTERFACE_CORE_MAJOR,
              .minor_version = SPICE_INTERFACE_CORE_MINOR },
    .timer_add = timer_add, .timer_start = timer_start, .timer_cancel = timer_cancel, .timer_remove = timer_remove,
    .watch_add = watch_add, .watch_update_mask = watch_update_mask, .watch_remove = watch_remove,
    .channel_event = channel_event,
};

/* Runs what is due, waiting for it for up to ms. */
static void spin(int ms)
{
    struct pollfd p[WATCHES];
    int64_t now = now_ms();
    for (int i = 0; i < WATCHES; i++) {
        bool in = watches[i].func && watches[i].mask & SPICE_WATCH_EVENT_READ;
        bool out = watches[i].func && watches[i].mask & SPICE_WATCH_EVENT_WRITE;
        p[i] = (struct pollfd){ in || out ? watches[i].fd : -1, (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)), 0 };
    }
    for (int i = 0; i < TIMERS; i++) {
        if (timers[i].func && timers[i].due && timers[i].due - now < ms) {
            ms = timers[i].due > now ? (int)(timers[i].due - now) : 0;
        }
    }
    int n = poll(p, WATCHES, ms);
    now = now_ms();
    for (int i = 0; i < TIMERS; i++) {
        if (timers[i].func && timers[i].due && timers[i].due <= now) {
            timers[i].due = 0;
            timers[i].func(timers[i].opaque);
        }
    }
    for (int i = 0; n > 0 && i < WATCHES; i++) {
        if (p[i].revents && watches[i].func && watches[i].fd == p[i].fd) {
            watches[i].func(p[i].fd, p[i].revents & POLLOUT ? SPICE_WATCH_EVENT_WRITE : SPICE_WATCH_EVENT_READ,
                            watches[i].opaque);
        }
    }
}

#endif
