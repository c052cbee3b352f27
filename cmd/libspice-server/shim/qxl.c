/*
 * QXLInstance: the VMM's requests go to the engine, the worker's calls to the
 * QXLInterface.
 */
#include "shim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(sizeof(struct se_command) == sizeof(QXLCommandExt), "ring entries");
_Static_assert(offsetof(struct se_command, group) == offsetof(QXLCommandExt, group_id), "ring entries");
_Static_assert(sizeof(struct se_rect) == sizeof(QXLRect), "rectangles");
_Static_assert(offsetof(struct se_rect, bottom) == offsetof(QXLRect, bottom), "rectangles");

/* Calls of the worker. */

static int commands(void *dev, struct se_command *out, int max, int cursor)
{
    QXLState *st = dev;
    if (!atomic_load_explicit(&st->ready, memory_order_acquire)) {
        return 0;
    }
    atomic_store(&st->woken, false);
    const QXLInterface *sif = qxl_interface(st->instance);
    int (*get)(QXLInstance *, QXLCommandExt *) = cursor ? sif->get_cursor_command : sif->get_command;
    int n = 0;
    while (n < max && get(st->instance, (QXLCommandExt *)(void *)&out[n])) {
        n++;
    }
    return n;
}

/* Until the VMM knows the worker, nobody but qxl_add wakes it. */
static int await(void *dev, int cursor)
{
    QXLState *st = dev;
    if (!atomic_load_explicit(&st->ready, memory_order_acquire)) {
        return 1;
    }
    const QXLInterface *sif = qxl_interface(st->instance);
    return cursor ? sif->req_cursor_notification(st->instance) : sif->req_cmd_notification(st->instance);
}

static void release(void *dev, uint64_t info, uint32_t group)
{
    QXLState *st = dev;
    struct QXLReleaseInfoExt ext = { .info = (QXLReleaseInfo *)(uintptr_t)info, .group_id = group };
    qxl_interface(st->instance)->release_resource(st->instance, ext);
}

static void notify_update(void *dev, uint32_t id)
{
    QXLState *st = dev;
    qxl_interface(st->instance)->notify_update(st->instance, id);
}

static int flush(void *dev)
{
    QXLState *st = dev;
    return qxl_interface(st->instance)->flush_resources(st->instance);
}

static void complete(void *dev, uint64_t cookie)
{
    QXLState *st = dev;
    const QXLInterface *sif = qxl_interface(st->instance);
    if (sif->async_complete) {
        sif->async_complete(st->instance, cookie);
    }
}

static void updated(void *dev, uint32_t surface, struct se_rect *rects, uint32_t n)
{
    QXLState *st = dev;
    const QXLInterface *sif = qxl_interface(st->instance);
    if (sif->update_area_complete) {
        sif->update_area_complete(st->instance, surface, (QXLRect *)(void *)rects, n);
    }
}

static void client_caps(void *dev, int present, uint8_t *caps)
{
    QXLState *st = dev;
    const QXLInterface *sif = qxl_interface(st->instance);
    if (sif->base.minor_version >= 2 && sif->set_client_capabilities) {
        sif->set_client_capabilities(st->instance, (uint8_t)present, caps);
    }
}

size_t replay_read(void *file, void *buf, size_t size);

struct se_host host = {
    .commands = commands,
    .await = await,
    .release = release,
    .notify_update = notify_update,
    .flush = flush,
    .complete = complete,
    .updated = updated,
    .client_caps = client_caps,
    .post = events_post,
    .read = replay_read,
};

/* Coming and going. */

int qxl_add(SpiceServer *s, QXLInstance *instance)
{
    const QXLInterface *sif = qxl_interface(instance);
    if (instance->id < 0 || instance->id > 255) {
        return -1;
    }
    QXLState *st = calloc(1, sizeof *st);
    if (!st) {
        return -1;
    }
    QXLDevInitInfo info = { 0 };
    st->instance = instance;
    st->server = s;
    sif->get_init_info(instance, &info);
    struct se_device_info dev = {
        .id = (uint32_t)instance->id,
        .groups = info.num_memslots_groups,
        .slots = info.num_memslots,
        .gen_bits = info.memslot_gen_bits,
        .id_bits = info.memslot_id_bits,
        .surfaces = info.n_surfaces,
        .ram = info.qxl_ram_size,
    };
    st->handle = ENGINE(se_device_new, s->handle, st, &dev);
    if (!st->handle) {
        free(st);
        return -1;
    }
    st->wake = ENGINE(se_device_wake_fd, st->handle);
    instance->st = st;
    st->next = s->devices;
    s->devices = st;
    if (sif->attached_worker) {
        sif->attached_worker(instance);
    }
    qxl_level(st);
    qxl_simple(st, s->running ? SE_START : SE_STOP);
    atomic_store_explicit(&st->ready, true, memory_order_release);
    spice_qxl_wakeup(instance);
    return 0;
}

void qxl_level(QXLState *st)
{
    const QXLInterface *sif = qxl_interface(st->instance);
    if (sif->set_compression_level) {
        sif->set_compression_level(st->instance, st->server->streaming == SPICE_STREAM_VIDEO_OFF &&
                                                     st->server->compression == SPICE_IMAGE_COMPRESSION_QUIC);
    }
}

int qxl_remove(QXLInstance *instance)
{
    QXLState *st = instance->st;
    if (!st) {
        return -1;
    }
    for (QXLState **at = &st->server->devices; *at; at = &(*at)->next) {
        if (*at == st) {
            *at = st->next;
            break;
        }
    }
    ENGINE(se_device_free, st->handle);
    instance->st = NULL;
    free(st);
    return 0;
}

/* Requests of the VMM. */

static int request(QXLState *st, struct se_request *rq)
{
    return ENGINE(se_device_request, st->handle, rq, NULL, 0);
}

static void request_async(QXLInstance *instance, struct se_request *rq, uint64_t cookie)
{
    rq->async = 1;
    rq->cookie = cookie;
    request(instance->st, rq);
}

int qxl_simple(QXLState *st, uint32_t op)
{
    return request(st, &(struct se_request){ .op = op });
}

/* Wake-ups that the worker has not noticed yet are one. */
void spice_qxl_wakeup(QXLInstance *instance)
{
    QXLState *st = instance->st;
    if (!atomic_exchange(&st->woken, true)) {
        eventfd_write(st->wake, 1);
    }
}

void spice_qxl_oom(QXLInstance *instance)
{
    ENGINE(se_device_oom, instance->st->handle);
}

void spice_qxl_start(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_START);
}

void spice_qxl_stop(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_STOP);
}

static struct se_request update(uint32_t surface, const QXLRect *area, uint32_t clear)
{
    return (struct se_request){ .op = SE_UPDATE_AREA,
                                .surface = surface,
                                .clear = clear,
                                .area = { area->top, area->left, area->bottom, area->right } };
}

void spice_qxl_update_area(QXLInstance *instance, uint32_t surface_id, struct QXLRect *area,
                           struct QXLRect *dirty_rects, uint32_t num_dirty_rects, uint32_t clear_dirty_region)
{
    struct se_request rq = update(surface_id, area, clear_dirty_region);
    void *dirty = dirty_rects;
    ENGINE(se_device_request, instance->st->handle, &rq, dirty, dirty ? num_dirty_rects : 0);
}

void spice_qxl_update_area_async(QXLInstance *instance, uint32_t surface_id, QXLRect *qxl_area,
                                 uint32_t clear_dirty_region, uint64_t cookie)
{
    struct se_request rq = update(surface_id, qxl_area, clear_dirty_region);
    request_async(instance, &rq, cookie);
}

static struct se_request slot(const QXLDevMemSlot *m)
{
    return (struct se_request){ .op = SE_ADD_SLOT,
                                .slot = { m->slot_group_id, m->slot_id, m->generation, m->virt_start, m->virt_end,
                                          m->addr_delta } };
}

void spice_qxl_add_memslot(QXLInstance *instance, QXLDevMemSlot *mem)
{
    struct se_request rq = slot(mem);
    request(instance->st, &rq);
}

void spice_qxl_add_memslot_async(QXLInstance *instance, QXLDevMemSlot *mem, uint64_t cookie)
{
    struct se_request rq = slot(mem);
    request_async(instance, &rq, cookie);
}

void spice_qxl_del_memslot(QXLInstance *instance, uint32_t slot_group_id, uint32_t slot_id)
{
    request(instance->st, &(struct se_request){ .op = SE_DEL_SLOT, .slot = { .group = slot_group_id, .id = slot_id } });
}

void spice_qxl_reset_memslots(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_RESET_SLOTS);
}

void spice_qxl_destroy_surfaces(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_DESTROY_SURFACES);
}

void spice_qxl_destroy_surfaces_async(QXLInstance *instance, uint64_t cookie)
{
    request_async(instance, &(struct se_request){ .op = SE_DESTROY_SURFACES }, cookie);
}

/* The primary surface is surface 0. */
void spice_qxl_destroy_primary_surface(QXLInstance *instance, uint32_t surface_id)
{
    (void)surface_id;
    qxl_simple(instance->st, SE_DESTROY_PRIMARY);
}

void spice_qxl_destroy_primary_surface_async(QXLInstance *instance, uint32_t surface_id, uint64_t cookie)
{
    (void)surface_id;
    request_async(instance, &(struct se_request){ .op = SE_DESTROY_PRIMARY }, cookie);
}

static struct se_request primary(const QXLDevSurfaceCreate *c)
{
    return (struct se_request){ .op = SE_CREATE_PRIMARY,
                                .primary = { c->width, c->height, c->stride, c->format, c->position, c->mouse_mode,
                                             c->flags, c->type, c->group_id, c->mem } };
}

void spice_qxl_create_primary_surface(QXLInstance *instance, uint32_t surface_id, QXLDevSurfaceCreate *surface)
{
    (void)surface_id;
    struct se_request rq = primary(surface);
    request(instance->st, &rq);
}

void spice_qxl_create_primary_surface_async(QXLInstance *instance, uint32_t surface_id, QXLDevSurfaceCreate *surface,
                                            uint64_t cookie)
{
    (void)surface_id;
    struct se_request rq = primary(surface);
    request_async(instance, &rq, cookie);
}

void spice_qxl_reset_image_cache(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_RESET_IMAGE_CACHE);
}

void spice_qxl_reset_cursor(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_RESET_CURSOR);
}

void spice_qxl_destroy_surface_wait(QXLInstance *instance, uint32_t surface_id)
{
    request(instance->st, &(struct se_request){ .op = SE_DESTROY_SURFACE, .surface = surface_id });
}

void spice_qxl_destroy_surface_async(QXLInstance *instance, uint32_t surface_id, uint64_t cookie)
{
    request_async(instance, &(struct se_request){ .op = SE_DESTROY_SURFACE, .surface = surface_id }, cookie);
}

void spice_qxl_flush_surfaces_async(QXLInstance *instance, uint64_t cookie)
{
    request_async(instance, &(struct se_request){ .op = SE_FLUSH_SURFACES }, cookie);
}

void spice_qxl_loadvm_commands(QXLInstance *instance, struct QXLCommandExt *ext, uint32_t count)
{
    void *commands = ext;
    request(instance->st, &(struct se_request){ .op = SE_LOADVM, .commands = commands, .count = count });
}

void spice_qxl_monitors_config_async(QXLInstance *instance, QXLPHYSICAL monitors_config, int group_id, uint64_t cookie)
{
    struct se_request rq = { .op = SE_MONITORS,
                             .addr = monitors_config,
                             .group = (uint32_t)group_id,
                             .limit = atomic_load(&instance->st->max_monitors) };
    request_async(instance, &rq, cookie);
}

void spice_qxl_driver_unload(QXLInstance *instance)
{
    qxl_simple(instance->st, SE_DRIVER_UNLOAD);
}

void spice_qxl_set_max_monitors(QXLInstance *instance, unsigned int max_monitors)
{
    if (max_monitors > 0) {
        atomic_store(&instance->st->max_monitors, max_monitors);
    }
}

/* The address is for the agent, which maps displays to the guest's devices. */
void spice_qxl_set_device_info(QXLInstance *instance, const char *device_address, uint32_t device_display_id_start,
                               uint32_t device_display_id_count)
{
    (void)device_display_id_start;
    if (!device_address || strlen(device_address) >= 256 || device_display_id_count > 16) {
        return;
    }
    spice_qxl_set_max_monitors(instance, device_display_id_count);
}

/* The engine shows no GL scanouts; the VMM goes on as if it had. */
void spice_qxl_gl_scanout(QXLInstance *instance, int fd, uint32_t width, uint32_t height, uint32_t stride,
                          uint32_t format, int y_0_top)
{
    static _Atomic bool said;
    (void)instance, (void)width, (void)height, (void)stride, (void)format, (void)y_0_top;
    shim_absent(&said, "GL scanouts");
    if (fd >= 0) {
        close(fd);
    }
}

void spice_qxl_gl_draw_async(QXLInstance *instance, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint64_t cookie)
{
    (void)x, (void)y, (void)w, (void)h;
    complete(instance->st, cookie);
}
