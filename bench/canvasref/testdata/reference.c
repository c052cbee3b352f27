/* Renders a recording with libspice-server and prints what it drew.
 *
 * stdin:  a recording of surface, drawing and update commands, no primary.
 * stdout: for every update command its id and the size in bytes of the
 *         surface's memory, both as 32-bit words, then the memory.
 *
 * The device's worker thread pulls the commands straight from stdin, so what
 * an update prints is the surface as of that command. */
#include <pthread.h>
#include <spice.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SURFACES 1024

static SpiceReplay *replay;
static QXLInstance display;
static struct { const uint8_t *mem; uint32_t size; } surfaces[SURFACES];
static uint32_t updated;

/* No client ever connects, so timers and watches never have to fire. */
struct SpiceTimer { int unused; };
struct SpiceWatch { int unused; };
static SpiceTimer *timer_add(SpiceTimerFunc f, void *o) { (void)f; (void)o; return calloc(1, sizeof(SpiceTimer)); }
static void timer_start(SpiceTimer *t, uint32_t ms) { (void)t; (void)ms; }
static void timer_cancel(SpiceTimer *t) { (void)t; }
static void timer_remove(SpiceTimer *t) { free(t); }
static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc f, void *o) { (void)fd; (void)mask; (void)f; (void)o; return calloc(1, sizeof(SpiceWatch)); }
static void watch_update(SpiceWatch *w, int mask) { (void)w; (void)mask; }
static void watch_remove(SpiceWatch *w) { free(w); }

static SpiceCoreInterface core = {
    .base = { .major_version = SPICE_INTERFACE_CORE_MAJOR, .minor_version = SPICE_INTERFACE_CORE_MINOR },
    .timer_add = timer_add, .timer_start = timer_start, .timer_cancel = timer_cancel, .timer_remove = timer_remove,
    .watch_add = watch_add, .watch_update_mask = watch_update, .watch_remove = watch_remove,
};

static void attached(QXLInstance *q)
{
    static QXLDevMemSlot slot = { .virt_end = ~0ul, .qxl_ram_size = ~0u };
    static int once;
    if (!once++) spice_qxl_add_memslot(q, &slot);
}

static void set_level(QXLInstance *q, int level) { (void)q; (void)level; }

static void init_info(QXLInstance *q, QXLDevInitInfo *info)
{
    (void)q;
    memset(info, 0, sizeof *info);
    info->num_memslots = info->num_memslots_groups = info->memslot_id_bits = info->memslot_gen_bits = 1;
    info->n_surfaces = SURFACES;
}

static void note(const QXLCommand *cmd)
{
    if (cmd->type == QXL_CMD_SURFACE) {
        const QXLSurfaceCmd *s = (const QXLSurfaceCmd *)(uintptr_t)cmd->data;
        if (s->type == QXL_SURFACE_CMD_CREATE && s->surface_id < SURFACES) {
            surfaces[s->surface_id].mem = (const uint8_t *)(uintptr_t)s->u.surface_create.data;
            surfaces[s->surface_id].size = abs(s->u.surface_create.stride) * s->u.surface_create.height;
        }
    } else if (cmd->type == QXL_CMD_UPDATE) {
        updated = ((const QXLUpdateCmd *)(uintptr_t)cmd->data)->surface_id;
    }
}

static int get_command(QXLInstance *q, QXLCommandExt *ext)
{
    QXLCommandExt *cmd = spice_replay_next_cmd(replay, q);
    if (!cmd) {
        fflush(stdout);
        _exit(0);
    }
    note(&cmd->cmd);
    *ext = *cmd;
    return 1;
}

static int no_command(QXLInstance *q, QXLCommandExt *ext) { (void)q; (void)ext; return 0; }
static int request(QXLInstance *q) { (void)q; return 0; }
static int request_cursor(QXLInstance *q) { (void)q; return 1; }
static void release(QXLInstance *q, struct QXLReleaseInfoExt r) { (void)q; spice_replay_free_cmd(replay, (QXLCommandExt *)(uintptr_t)r.info->id); }
static int flush_resources(QXLInstance *q) { (void)q; return 1; }

static void notify_update(QXLInstance *q, uint32_t id)
{
    (void)q;
    uint32_t head[2] = { id, updated < SURFACES ? surfaces[updated].size : 0 };
    fwrite(head, sizeof head, 1, stdout);
    if (head[1]) fwrite(surfaces[updated].mem, head[1], 1, stdout);
    fflush(stdout);
}

static QXLInterface interface = {
    .base = { .type = SPICE_INTERFACE_QXL, .description = "canvasref", .major_version = SPICE_INTERFACE_QXL_MAJOR, .minor_version = SPICE_INTERFACE_QXL_MINOR },
    .attached_worker = attached, .set_compression_level = set_level, .get_init_info = init_info,
    .get_command = get_command, .req_cmd_notification = request, .release_resource = release,
    .get_cursor_command = no_command, .req_cursor_notification = request_cursor,
    .notify_update = notify_update, .flush_resources = flush_resources,
};

int main(void)
{
    replay = spice_replay_new(stdin, SURFACES);
    if (!replay) {
        fprintf(stderr, "canvasref: stdin is not a recording\n");
        return 2;
    }
    SpiceServer *server = spice_server_new();
    spice_server_set_noauth(server);
    if (spice_server_init(server, &core)) {
        fprintf(stderr, "canvasref: no server\n");
        return 2;
    }
    display.base.sif = &interface.base;
    spice_server_add_interface(server, &display.base);
    spice_server_vm_start(server);
    for (;;) pause();
}
