/*
 * libspice-server.so.1 in front of the engine: what its files share.
 *
 *   server.c    SpiceServer: settings, listening, clients
 *   interface.c add_interface, remove_interface, input devices
 *   qxl.c       QXLInstance: requests of the VMM, callbacks of the worker
 *   events.c    what clients do, brought home to the VMM's main loop
 *   replay.c    spice_replay_*
 *   absent.c    functions whose channels the engine does not have
 *   engine.c    opens the engine
 *
 * SpiceServer belongs to the VMM's main thread. Other threads touch its queue
 * of events, behind a lock, and QXLState, whose fields are set before the
 * engine knows of it.
 */
#ifndef SHIM_H
#define SHIM_H

#include <pthread.h>
#include <signal.h>
#include <spice.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../engine.h"

#define SHIM_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* The engine's functions. They may be used once engine_open has answered true. */
struct engine {
#define SE_MEMBER(result, name, params) result(*name) params;
    SE_FUNCTIONS(SE_MEMBER)
#undef SE_MEMBER
};

extern struct engine engine;
extern struct se_host host;

bool engine_open(void);
/*
 * A call of the engine. Go code runs on small stacks of its own, also on the
 * VMM's threads: meanwhile the VMM's signal handlers have to wait.
 */
#define ENGINE(name, ...)                                                                          \
    ({                                                                                             \
        sigset_t shim_mask __attribute__((cleanup(engine_leave)));                                 \
        engine_enter(&shim_mask);                                                                  \
        engine.name(__VA_ARGS__);                                                                  \
    })

void engine_enter(sigset_t *before);
void engine_leave(sigset_t *before);

/* Has to be called when the VMM may have installed handlers. */
void engine_tame_signals(void);

struct channel {
    SpiceChannelEventInfo info;
    uint64_t serial;
    struct channel *next;
};

struct event {
    struct se_event e;
    struct event *next;
};

struct RedsState {
    uint64_t handle;
    SpiceCoreInterface *core;
    QXLState *devices;
    bool running;

    char *addr;
    int addr_flags, port, tls_port, listen_fd;
    bool tls_unusable, exit_on_disconnect;
    SpiceImageCompression compression;
    int streaming;
    char *codecs;

    SpiceKbdInstance *keyboard;
    SpiceMouseInstance *mouse;
    SpiceTabletInstance *tablet;
    SpiceMigrateInstance *migration;

    struct channel *channels;
    SpiceWatch *watch;
    int wake; /* an eventfd that the main loop watches */
    bool accepting; /* clients are let in */
    pthread_mutex_t lock;
    struct event *first, **last; /* behind lock */
    unsigned waiting;            /* likewise */
};

struct QXLState {
    uint64_t handle;
    QXLInstance *instance;
    SpiceServer *server;
    QXLState *next;
    int wake; /* an eventfd of the worker */
    _Atomic bool woken; /* the worker will look at the rings */
    _Atomic bool ready; /* the VMM has been told of the worker */
    _Atomic unsigned max_monitors;
};

struct SpiceKbdState {
    SpiceServer *server;
};
struct SpiceMouseState {
    SpiceServer *server;
};
struct SpiceTabletState {
    SpiceServer *server;
};
struct SpiceMigrateState {
    SpiceServer *server;
};

static inline const QXLInterface *qxl_interface(const QXLInstance *instance)
{
    return SHIM_CONTAINER_OF(instance->base.sif, QXLInterface, base);
}

/* absent.c: says once that something is missing. */
void shim_absent(_Atomic bool *said, const char *what);

/* events.c */
bool events_init(SpiceServer *s);
bool events_attach(SpiceServer *s);
void events_run(SpiceServer *s); /* those that are waiting, on the VMM's main thread */
void events_free(SpiceServer *s);
void events_post(void *server, const struct se_event *e);

/* qxl.c */
int qxl_add(SpiceServer *s, QXLInstance *instance);
int qxl_remove(QXLInstance *instance);
void qxl_level(QXLState *st); /* tells the driver how it had better compress */
int qxl_simple(QXLState *st, uint32_t op);

/* interface.c */
void interfaces_forget(SpiceServer *s);

#endif
