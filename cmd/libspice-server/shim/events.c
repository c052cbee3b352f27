/*
 * What clients do, on its way home: the engine queues events on threads of its
 * own, the VMM's main loop sees an eventfd readable and runs them.
 */
#include "shim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A VMM whose main loop stands still does not make the queue grow forever:
 * pointer motion is left out from here on, everything from twice as much on. */
#define MANY 16384

bool events_init(SpiceServer *s)
{
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s->wake >= 0;
}

static bool expendable(uint32_t kind)
{
    return kind == SE_MOUSE_MOTION || kind == SE_TABLET_POSITION;
}

void events_post(void *server, const struct se_event *e)
{
    SpiceServer *s = server;
    struct event *ev = malloc(sizeof *ev);
    if (!ev) {
        return;
    }
    ev->e = *e;
    ev->next = NULL;
    pthread_mutex_lock(&s->lock);
    bool first = !s->first, full = s->waiting >= 2 * MANY || (s->waiting >= MANY && expendable(e->kind));
    bool channel = e->kind <= SE_CHANNEL_DOWN;
    if (full && !channel) {
        free(ev);
    } else {
        *s->last = ev;
        s->last = &ev->next;
        s->waiting++;
    }
    pthread_mutex_unlock(&s->lock);
    if (first) {
        /* It can only fail when the descriptor is readable already. */
        eventfd_write(s->wake, 1);
    }
}

static struct event *take(SpiceServer *s)
{
    pthread_mutex_lock(&s->lock);
    struct event *ev = s->first;
    if (ev) {
        s->first = ev->next;
        s->waiting--;
        if (!s->first) {
            s->last = &s->first;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return ev;
}

static void tell(SpiceServer *s, int event, SpiceChannelEventInfo *info)
{
    if (s->core && s->core->base.minor_version >= 3 && s->core->channel_event) {
        s->core->channel_event(event, info);
    }
}

/* The old fields hold what fits into a sockaddr. */
static void addresses(SpiceChannelEventInfo *info, const struct se_event *e)
{
    memcpy(&info->laddr_ext, e->local.bytes, sizeof info->laddr_ext);
    memcpy(&info->paddr_ext, e->peer.bytes, sizeof info->paddr_ext);
    info->llen_ext = e->local.size;
    info->plen_ext = e->peer.size;
    memcpy(&info->laddr, e->local.bytes, sizeof info->laddr);
    memcpy(&info->paddr, e->peer.bytes, sizeof info->paddr);
    info->llen = e->local.size < sizeof info->laddr ? e->local.size : sizeof info->laddr;
    info->plen = e->peer.size < sizeof info->paddr ? e->peer.size : sizeof info->paddr;
}

static void channel_opened(SpiceServer *s, const struct se_event *e)
{
    struct channel *c = calloc(1, sizeof *c);
    if (!c) {
        return;
    }
    c->serial = e->serial;
    c->next = s->channels;
    s->channels = c;
    addresses(&c->info, e);
    c->info.flags = SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT;
    tell(s, SPICE_CHANNEL_EVENT_CONNECTED, &c->info);
}

/* The place in the list of the channel that e is about, which may be its end. */
static struct channel **find(SpiceServer *s, const struct se_event *e)
{
    struct channel **at = &s->channels;
    for (; *at; at = &(*at)->next) {
        const SpiceChannelEventInfo *i = &(*at)->info;
        if (e->kind == SE_CHANNEL_DOWN ? i->connection_id == (int)e->connection && i->type == (int)e->type &&
                                             i->id == (int)e->id
                                       : (*at)->serial == e->serial) {
            break;
        }
    }
    return at;
}

static void channel_up(SpiceServer *s, const struct se_event *e)
{
    struct channel *c = *find(s, e);
    if (!c) {
        return;
    }
    c->info.connection_id = (int)e->connection;
    c->info.type = (int)e->type;
    c->info.id = (int)e->id;
    c->info.flags |= e->tls ? SPICE_CHANNEL_EVENT_FLAG_TLS : 0;
    tell(s, SPICE_CHANNEL_EVENT_INITIALIZED, &c->info);
}

/* A channel that was linked, or a connection that was refused, has ended. */
static void channel_gone(SpiceServer *s, const struct se_event *e)
{
    struct channel **at = find(s, e), *c = *at;
    if (!c) {
        return;
    }
    *at = c->next;
    tell(s, SPICE_CHANNEL_EVENT_DISCONNECTED, &c->info);
    bool main = c->info.type == SPICE_CHANNEL_MAIN;
    free(c);
    if (main && s->exit_on_disconnect) {
        exit(0);
    }
}

static void scancode(SpiceServer *s, uint8_t code)
{
    if (!s->keyboard) {
        return;
    }
    SpiceKbdInterface *sif = SHIM_CONTAINER_OF(s->keyboard->base.sif, SpiceKbdInterface, base);
    if (sif->push_scan_freg) {
        sif->push_scan_freg(s->keyboard, code);
    }
}

static void mouse(SpiceServer *s, const struct se_event *e)
{
    if (!s->mouse) {
        return;
    }
    SpiceMouseInterface *sif = SHIM_CONTAINER_OF(s->mouse->base.sif, SpiceMouseInterface, base);
    if (e->kind == SE_MOUSE_MOTION) {
        sif->motion(s->mouse, e->a, e->b, e->c, e->buttons);
    } else {
        sif->buttons(s->mouse, e->buttons);
    }
}

static void tablet(SpiceServer *s, const struct se_event *e)
{
    if (!s->tablet) {
        return;
    }
    SpiceTabletInterface *sif = SHIM_CONTAINER_OF(s->tablet->base.sif, SpiceTabletInterface, base);
    switch (e->kind) {
    case SE_TABLET_SIZE:
        sif->set_logical_size(s->tablet, e->a, e->b);
        break;
    case SE_TABLET_POSITION:
        sif->position(s->tablet, e->a, e->b, e->buttons);
        break;
    case SE_TABLET_WHEEL:
        sif->wheel(s->tablet, e->a, e->buttons);
        break;
    default:
        sif->buttons(s->tablet, e->buttons);
    }
}

static void run(SpiceServer *s, const struct se_event *e)
{
    switch (e->kind) {
    case SE_CHANNEL_OPENED:
        channel_opened(s, e);
        break;
    case SE_CHANNEL_UP:
        channel_up(s, e);
        break;
    case SE_CHANNEL_REFUSED:
    case SE_CHANNEL_DOWN:
        channel_gone(s, e);
        break;
    case SE_SCANCODE:
        scancode(s, (uint8_t)e->a);
        break;
    case SE_MOUSE_MOTION:
    case SE_MOUSE_BUTTONS:
        mouse(s, e);
        break;
    default:
        tablet(s, e);
    }
}

void events_run(SpiceServer *s)
{
    eventfd_t n;
    struct event *ev;
    eventfd_read(s->wake, &n);
    while ((ev = take(s))) {
        run(s, &ev->e);
        free(ev);
    }
}

/* Clients get in from the main loop's first turn on: before, the VMM is not ready
 * for what they cause. */
static void readable(int fd, int event, void *opaque)
{
    (void)fd, (void)event;
    SpiceServer *s = opaque;
    engine_tame_signals();
    if (!s->accepting) {
        s->accepting = true;
        ENGINE(se_server_accept, s->handle);
    }
    events_run(s);
}

bool events_attach(SpiceServer *s)
{
    s->watch = s->core->watch_add(s->wake, SPICE_WATCH_EVENT_READ, readable, s);
    eventfd_write(s->wake, 1);
    return s->watch;
}

/* The engine is done with s. What is left in the queue is about channels. */
void events_free(SpiceServer *s)
{
    if (s->watch) {
        events_run(s);
        s->core->watch_remove(s->watch);
    }
    struct event *ev;
    while ((ev = take(s))) {
        free(ev);
    }
    while (s->channels) {
        struct channel *c = s->channels;
        s->channels = c->next;
        free(c);
    }
    close(s->wake);
    pthread_mutex_destroy(&s->lock);
}
