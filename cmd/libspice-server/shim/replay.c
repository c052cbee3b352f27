/*
 * spice_replay_*: the engine reads the recording and lays its commands out in
 * an arena. A command that is freed, on any thread, waits on a stack for the
 * thread that asks for the next one.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA ((uint64_t)2 << 30) /* reserved, not used until written */
#define PATIENCE 30000            /* ms without anything being freed */
#define AHEAD 16                  /* commands laid out in one call of the engine */

struct command {
    QXLCommandExt ext; /* first: the VMM sees only this */
    uint64_t block;
    struct command *next;
};

struct SpiceReplay {
    uint64_t handle;
    FILE *file;
    uint8_t *arena;
    bool primary; /* there is one */
    struct se_replayed ahead[AHEAD];
    int at, n; /* ahead[at..n-1] is still to be handed out */
    _Atomic(struct command *) freed;
};

size_t replay_read(void *file, void *buf, size_t size);

size_t replay_read(void *file, void *buf, size_t size)
{
    return fread(buf, 1, size, file);
}

SpiceReplay *spice_replay_new(FILE *file, int nsurfaces)
{
    SpiceReplay *r = engine_open() ? calloc(1, sizeof *r) : NULL;
    if (!r) {
        return NULL;
    }
    r->file = file;
    r->arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r->arena != MAP_FAILED) {
        madvise(r->arena, ARENA, MADV_HUGEPAGE);
        r->handle = ENGINE(se_replay_new, file, nsurfaces, r->arena, ARENA);
    }
    if (r->handle) {
        return r;
    }
    if (r->arena != MAP_FAILED) {
        munmap(r->arena, ARENA);
    }
    free(r);
    return NULL;
}

/* Gives the memory of freed commands back; reports whether there were any. */
static bool collect(SpiceReplay *replay)
{
    struct command *c = atomic_exchange(&replay->freed, NULL);
    if (!c) {
        return false;
    }
    while (c) {
        uint64_t blocks[64];
        int n = 0;
        while (c && n < 64) {
            struct command *next = c->next;
            blocks[n++] = c->block;
            free(c);
            c = next;
        }
        ENGINE(se_replay_free_blocks, replay->handle, blocks, n);
    }
    return true;
}

/* Waits for the device to give something back, telling it that it should. */
static bool wait_for_release(SpiceReplay *replay, QXLInstance *instance)
{
    for (int waited = 0; waited < PATIENCE; waited += 10) {
        if (collect(replay)) {
            return true;
        }
        usleep(10000);
        if (collect(replay)) {
            return true;
        }
        spice_qxl_oom(instance);
    }
    return false;
}

static void create_primary(SpiceReplay *replay, QXLInstance *instance, const struct se_primary *p)
{
    QXLDevSurfaceCreate create = { .width = p->width, .height = p->height, .stride = p->stride, .format = p->format,
                                   .position = p->position, .mouse_mode = p->mouse_mode, .flags = p->flags,
                                   .type = p->type, .mem = p->mem, .group_id = 0 };
    if (replay->primary) {
        spice_qxl_destroy_primary_surface(instance, 0);
    }
    replay->primary = true;
    spice_qxl_create_primary_surface(instance, 0, &create);
}

static QXLCommandExt *hand_out(const struct se_replayed *next)
{
    struct command *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    memcpy(&c->ext, &next->command, sizeof c->ext);
    c->block = next->block;
    ((QXLReleaseInfo *)(uintptr_t)c->ext.cmd.data)->id = (uintptr_t)c;
    return &c->ext;
}

/* The next entry of the recording, or NULL where nothing is freed any more. */
static const struct se_replayed *fetch(SpiceReplay *replay, QXLInstance *instance)
{
    while (replay->at == replay->n) {
        collect(replay);
        int n = ENGINE(se_replay_next, replay->handle, replay->ahead, AHEAD);
        if (n < 0 && !wait_for_release(replay, instance)) {
            return NULL;
        }
        replay->at = 0;
        replay->n = n < 0 ? 0 : n;
    }
    return &replay->ahead[replay->at++];
}

QXLCommandExt *spice_replay_next_cmd(SpiceReplay *replay, QXLInstance *instance)
{
    for (;;) {
        const struct se_replayed *next = fetch(replay, instance);
        if (!next) {
            return NULL;
        }
        switch (next->kind) {
        case SE_REPLAY_COMMAND:
            return hand_out(next);
        case SE_REPLAY_PRIMARY:
            create_primary(replay, instance, &next->primary);
            break;
        case SE_REPLAY_NO_PRIMARY:
            if (replay->primary) {
                spice_qxl_destroy_primary_surface(instance, 0);
            }
            replay->primary = false;
            break;
        case SE_REPLAY_NO_SURFACES:
            spice_qxl_destroy_surfaces(instance);
            replay->primary = false;
            break;
        default:
            return NULL;
        }
    }
}

void spice_replay_free_cmd(SpiceReplay *replay, QXLCommandExt *cmd)
{
    if (!cmd) {
        return;
    }
    void *first = cmd;
    struct command *c = first;
    c->next = atomic_load_explicit(&replay->freed, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&replay->freed, &c->next, c, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

void spice_replay_free(SpiceReplay *replay)
{
    collect(replay);
    ENGINE(se_replay_free, replay->handle);
    munmap(replay->arena, ARENA);
    fclose(replay->file);
    free(replay);
}
