/*
 * A VMM whose guest is hostile: device 0's rings hold garbage, random and
 * crafted, in memory that changes while it is read; device 1's guest behaves.
 * At the end it must live, and device 1 must have got every command back.
 *
 *   hostile [--port N] [--secs S] [--seed N]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <spice.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "mainloop.h"

#define RAM (16u << 20)
#define SIDE 256u /* of the screens, in pixels */

static void channel_event(int event, SpiceChannelEventInfo *info) { (void)event, (void)info; }

/* Guests. */

struct guest {
    QXLInstance q;
    uint8_t *ram;
    uint64_t seed; /* of the worker's thread */
    _Atomic long taken, released, strays, completed;
    long budget; /* commands still to come; the worker's */
};
static struct guest guests[2];
static _Atomic bool over;

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    return *s ^= *s << 17;
}

static struct guest *of(QXLInstance *q) { return (struct guest *)(void *)q; }

/* An address: most of the time somewhere in the guest's memory. */
static uint64_t address(uint64_t *s)
{
    switch (next(s) % 8) {
    case 0: return next(s);
    case 1: return 0;
    case 2: return RAM - next(s) % 64;
    default: return next(s) % RAM & ~7ull;
    }
}

static void fill_drawable(uint8_t *at, uint64_t *s)
{
    QXLDrawable d;
    uint8_t *raw = (uint8_t *)&d;
    for (size_t i = 0; i < sizeof d; i++) {
        raw[i] = (uint8_t)next(s);
    }
    if (next(s) % 4) { /* plausible up to what it points at */
        d.surface_id = next(s) % 3;
        d.effect = next(s) % 8;
        d.type = next(s) % 16;
        d.self_bitmap = next(s) % 8 == 0;
        d.bbox = (QXLRect){ (int)(next(s) % 64), (int)(next(s) % 64), 64 + (int)(next(s) % 192), 64 + (int)(next(s) % 192) };
        d.clip.type = next(s) % 3;
        d.clip.data = address(s);
        for (int i = 0; i < 3; i++) {
            d.surfaces_dest[i] = next(s) % 4 ? -1 : (int)(next(s) % 4);
        }
        d.u.copy.src_bitmap = address(s);
        d.u.copy.src_area = d.bbox;
        d.u.copy.rop_descriptor = (uint16_t)(next(s) % 4 ? SPICE_ROPD_OP_PUT : next(s));
        if (next(s) % 2) {
            d.u.copy.mask.bitmap = 0;
        }
    }
    memcpy(at, &d, sizeof d);
}

/* An image of which some field is likely to be wrong, or a chunk list with a cycle. */
static void fill_indirect(uint8_t *at, uint64_t *s)
{
    QXLImage im = { 0 };
    im.descriptor.id = next(s);
    im.descriptor.type = next(s) % 4 ? SPICE_IMAGE_TYPE_BITMAP : (uint8_t)next(s);
    im.descriptor.flags = (uint8_t)next(s);
    im.descriptor.width = im.bitmap.x = next(s) % 8 ? 192 : (uint32_t)next(s);
    im.descriptor.height = im.bitmap.y = next(s) % 8 ? 192 : (uint32_t)next(s);
    im.bitmap.format = next(s) % 12;
    im.bitmap.flags = next(s) % 8;
    im.bitmap.stride = next(s) % 8 ? 192 * 4 : (uint32_t)next(s);
    im.bitmap.palette = address(s);
    im.bitmap.data = address(s);
    QXLDataChunk chunk = { .data_size = next(s) % 4 ? next(s) % 4096 : (uint32_t)next(s), .next_chunk = address(s) };
    if (next(s) % 2) {
        memcpy(at, &im, sizeof im);
    } else {
        memcpy(at, &chunk, sizeof chunk);
    }
}

static int get_bad(struct guest *g, QXLCommandExt *ext, uint32_t type)
{
    uint64_t *s = &g->seed;
    uint64_t at = next(s) % (RAM - 4096) & ~7ull;
    if (atomic_load(&over) || next(s) % 64 == 0) {
        return 0;
    }
    fill_drawable(g->ram + at, s);
    fill_indirect(g->ram + (next(s) % (RAM - 4096) & ~7ull), s);
    if (type == QXL_CMD_SURFACE || next(s) % 16 == 0) {
        type = QXL_CMD_SURFACE;
        g->ram[at + 12] = next(s) % 2;
    }
    *ext = (QXLCommandExt){ .cmd = { .data = next(s) % 16 ? at : address(s), .type = next(s) % 16 ? type : next(s) % 8 },
                            .group_id = next(s) % 64 ? 0 : (uint32_t)next(s), .flags = next(s) % 16 ? 0 : (uint32_t)next(s) % 4 };
    atomic_fetch_add(&g->taken, 1);
    return 1;
}

/* A fill of the whole screen, at a place that is not used again. */
static int get_good(struct guest *g, QXLCommandExt *ext)
{
    if (g->budget == 0) {
        return 0;
    }
    uint64_t at = (uint64_t)g->budget-- * 256;
    QXLDrawable d = { .type = QXL_DRAW_FILL, .effect = QXL_EFFECT_OPAQUE, .surfaces_dest = { -1, -1, -1 },
                      .bbox = { 0, 0, SIDE, SIDE } };
    d.u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
    d.u.fill.brush.u.color = (uint32_t)at;
    d.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
    memcpy(g->ram + at, &d, sizeof d);
    *ext = (QXLCommandExt){ .cmd = { .data = at, .type = QXL_CMD_DRAW } };
    atomic_fetch_add(&g->taken, 1);
    return 1;
}

static int get_command(QXLInstance *q, QXLCommandExt *ext)
{
    struct guest *g = of(q);
    return q->id ? get_good(g, ext) : get_bad(g, ext, 1 + (uint32_t)(next(&g->seed) % 5));
}

static int get_cursor(QXLInstance *q, QXLCommandExt *ext)
{
    return q->id ? 0 : get_bad(of(q), ext, QXL_CMD_CURSOR);
}

static int want(QXLInstance *q) { return q->id || atomic_load(&over); }
static int flush(QXLInstance *q) { (void)q; return 0; }
static void notify(QXLInstance *q, uint32_t id) { (void)q, (void)id; }
static void level(QXLInstance *q, int l) { (void)q, (void)l; }
static void complete(QXLInstance *q, uint64_t cookie) { (void)cookie; atomic_fetch_add(&of(q)->completed, 1); }

static void release(QXLInstance *q, struct QXLReleaseInfoExt r)
{
    struct guest *g = of(q);
    uint8_t *at = (uint8_t *)r.info;
    bool stray = at < g->ram || at > g->ram + RAM - sizeof *r.info;
    atomic_fetch_add(stray ? &g->strays : &g->released, 1);
}

static void info(QXLInstance *q, QXLDevInitInfo *i)
{
    (void)q;
    *i = (QXLDevInitInfo){ .num_memslots_groups = 1, .num_memslots = 2, .memslot_gen_bits = 8, .memslot_id_bits = 8,
                           .n_surfaces = 16 };
}

static void attached(QXLInstance *q)
{
    struct guest *g = of(q);
    QXLDevMemSlot slot = { .virt_start = (uintptr_t)g->ram, .virt_end = (uintptr_t)g->ram + RAM,
                           .addr_delta = (uintptr_t)g->ram };
    QXLDevSurfaceCreate primary = { .width = SIDE, .height = SIDE, .stride = SIDE * 4, .format = SPICE_SURFACE_FMT_32_xRGB,
                                    .mem = RAM - SIDE * SIDE * 4 };
    spice_qxl_add_memslot(q, &slot);
    spice_qxl_create_primary_surface(q, 0, &primary);
}

static QXLInterface qxl = {
    .base = { .type = SPICE_INTERFACE_QXL, .description = "hostile", .major_version = SPICE_INTERFACE_QXL_MAJOR,
              .minor_version = SPICE_INTERFACE_QXL_MINOR },
    .attached_worker = attached, .set_compression_level = level, .get_init_info = info, .get_command = get_command,
    .req_cmd_notification = want, .release_resource = release, .get_cursor_command = get_cursor,
    .req_cursor_notification = want, .notify_update = notify, .flush_resources = flush, .async_complete = complete,
};

/* Memory that changes while it is read. */
static void *scribble(void *seed)
{
    uint64_t s = *(uint64_t *)seed ^ 0x9e3779b97f4a7c15;
    while (!atomic_load(&over)) {
        uint64_t at = next(&s) % RAM & ~7ull, v = next(&s);
        __atomic_store_n((uint64_t *)(void *)(guests[0].ram + at), v, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Requests with nonsense in them; how many will be completed. */
static long nonsense(uint64_t *s)
{
    QXLInstance *q = &guests[0].q;
    QXLRect r = { (int)next(s), (int)next(s), (int)next(s), (int)next(s) };
    switch (next(s) % 6) {
    case 0: spice_qxl_update_area_async(q, (uint32_t)next(s), &r, 1, 1); return 1;
    case 1: spice_qxl_update_area(q, next(s) % 4, &r, &r, 1, 1); return 0;
    case 2: spice_qxl_monitors_config_async(q, address(s), next(s) % 2 ? 0 : 77, 2); return 1;
    case 3: spice_qxl_destroy_surface_async(q, 1 + next(s) % 100, 3); return 1;
    case 4: spice_qxl_oom(q); return 0;
    default: spice_qxl_flush_surfaces_async(q, 4); return 1;
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    int port = 5998;
    double secs = 5;
    uint64_t seed = (uint64_t)time(NULL) * 2654435761u | 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--port")) port = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--secs")) secs = atof(argv[i + 1]);
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], NULL, 10) | 1;
    }
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    SpiceServer *server = spice_server_new();
    spice_server_set_port(server, port);
    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_noauth(server);
    if (spice_server_init(server, &core)) {
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        struct guest *g = &guests[i];
        g->ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        g->seed = seed + (uint64_t)i;
        g->budget = i ? 50000 : 0;
        g->q.base.sif = &qxl.base;
        g->q.id = i;
        if (spice_server_add_interface(server, &g->q.base)) {
            return 2;
        }
    }
    spice_server_vm_start(server);
    pthread_t t;
    pthread_create(&t, NULL, scribble, &seed);
    long asked = 0;
    uint64_t s = seed + 99;
    for (double end = now() + secs; now() < end;) {
        spin(1);
        spice_qxl_wakeup(&guests[0].q);
        asked += nonsense(&s);
    }
    atomic_store(&over, true);
    pthread_join(t, NULL);
    spice_server_destroy(server);
    struct guest *bad = &guests[0], *good = &guests[1];
    printf("bad: %ld taken, %ld released, %ld strays, %ld of %ld completed; good: %ld taken, %ld released\n", bad->taken,
           bad->released, bad->strays, bad->completed, asked, good->taken, good->released);
    return bad->strays || bad->completed != asked || bad->taken < 1000 || good->taken != 50000 || good->released != 50000;
}
