/*
 * A VMM that does as it is told: each line of standard input is a call of the
 * library, answered by one line. Channel events, and calls on a thread that they
 * do not belong on, go to standard error. One device, whose guest fills its
 * screen with a colour.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <spice.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mainloop.h"

#define SIDE 128

static SpiceServer *server;
static QXLInstance device;
static uint32_t screen[SIDE * SIDE], off_screen[SIDE * SIDE];
static _Atomic(QXLDrawable *) pending;
static _Atomic long taken, released, completed;
static pid_t main_thread;
static _Atomic pid_t worker;
static int seen;    /* channel events */
static long linked; /* channels */

static void on_main(const char *what)
{
    if (gettid() != main_thread) {
        fprintf(stderr, "%s on another thread\n", what);
    }
}

/* The device's callbacks share one thread, which is not the main one. */
static void on_worker(const char *what)
{
    pid_t none = 0, me = gettid();
    if (!atomic_compare_exchange_strong(&worker, &none, me) && none != me) {
        fprintf(stderr, "%s on another thread\n", what);
    }
    if (me == main_thread) {
        fprintf(stderr, "%s on the main thread\n", what);
    }
}

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    on_main("channel_event");
    seen++;
    if (info->type && event != SPICE_CHANNEL_EVENT_CONNECTED) {
        linked += event == SPICE_CHANNEL_EVENT_INITIALIZED ? 1 : -1;
    }
    fprintf(stderr, "event %d type %d id %d flags %d family %d\n", event, info->type, info->id, info->flags,
            info->laddr_ext.ss_family);
}

/* The guest. */

static int get_command(QXLInstance *q, QXLCommandExt *ext)
{
    (void)q;
    on_worker("get_command");
    QXLDrawable *d = atomic_exchange(&pending, NULL);
    if (!d) {
        return 0;
    }
    *ext = (QXLCommandExt){ .cmd = { .data = (uintptr_t)d, .type = QXL_CMD_DRAW } };
    taken++;
    return 1;
}

static int get_cursor(QXLInstance *q, QXLCommandExt *ext) { (void)q, (void)ext; return 0; }
static int want(QXLInstance *q) { (void)q; on_worker("req_cmd_notification"); return !pending; }
static int want_cursor(QXLInstance *q) { (void)q; return 1; }
static void level(QXLInstance *q, int l)
{
    (void)q;
    on_main("set_compression_level");
    fprintf(stderr, "level %d\n", l);
}

static void notify(QXLInstance *q, uint32_t id) { (void)q, (void)id; }
static int flush(QXLInstance *q) { (void)q; on_worker("flush_resources"); return 0; }

static void release(QXLInstance *q, struct QXLReleaseInfoExt r)
{
    (void)q;
    on_worker("release_resource");
    released++;
    if (r.info->id) {
        free((void *)(uintptr_t)r.info->id);
    }
}

static void complete(QXLInstance *q, uint64_t cookie)
{
    (void)q;
    on_worker("async_complete");
    completed = completed * 10 + (long)cookie;
}

static void updated(QXLInstance *q, uint32_t surface, QXLRect *rects, uint32_t n)
{
    (void)q, (void)surface, (void)rects;
    on_worker("update_area_complete");
    completed = completed * 10 + (n > 0);
}

static void caps(QXLInstance *q, uint8_t there, uint8_t *bits)
{
    (void)q, (void)there, (void)bits;
    on_worker("set_client_capabilities");
}

static int monitors(QXLInstance *q, VDAgentMonitorsConfig *m) { (void)q, (void)m; return 1; }

static void info(QXLInstance *q, QXLDevInitInfo *i)
{
    (void)q;
    on_main("get_init_info");
    *i = (QXLDevInitInfo){ .num_memslots_groups = 1, .num_memslots = 1, .memslot_gen_bits = 1, .memslot_id_bits = 1,
                           .n_surfaces = 16 };
}

static QXLDevMemSlot slot = { .virt_end = ~0ul };
static QXLDevSurfaceCreate primary = { .width = SIDE, .height = SIDE, .stride = 4 * SIDE,
                                       .format = SPICE_SURFACE_FMT_32_xRGB };

static void attached(QXLInstance *q)
{
    on_main("attached_worker");
    spice_qxl_add_memslot(q, &slot);
}

static QXLInterface qxl = {
    .base = { .type = SPICE_INTERFACE_QXL, .description = "vmm", .major_version = SPICE_INTERFACE_QXL_MAJOR,
              .minor_version = SPICE_INTERFACE_QXL_MINOR },
    .attached_worker = attached, .set_compression_level = level, .get_init_info = info, .get_command = get_command,
    .req_cmd_notification = want, .release_resource = release, .get_cursor_command = get_cursor,
    .req_cursor_notification = want_cursor, .notify_update = notify, .flush_resources = flush,
    .async_complete = complete, .update_area_complete = updated, .set_client_capabilities = caps,
    .client_monitors_config = monitors,
};

static void key(SpiceKbdInstance *k, uint8_t code) { (void)k, (void)code; on_main("push_scan_freg"); }
static uint8_t leds(SpiceKbdInstance *k) { (void)k; return 0; }
static SpiceKbdInterface keyboard_sif = {
    .base = { .type = SPICE_INTERFACE_KEYBOARD, .major_version = SPICE_INTERFACE_KEYBOARD_MAJOR,
              .minor_version = SPICE_INTERFACE_KEYBOARD_MINOR },
    .push_scan_freg = key, .get_leds = leds,
};
static SpiceKbdInstance keyboard;

/* Waits for up to half a minute, with the main loop running. */
static bool await(bool (*done)(long), long arg)
{
    for (int64_t end = now_ms() + 30000; now_ms() < end;) {
        if (done(arg)) {
            return true;
        }
        spin(5);
    }
    return false;
}

static bool has_taken(long n) { return taken >= n; }
static bool has_completed(long n) { return completed >= n; }
static bool has_linked(long n) { return linked == n; }
static bool has_client(long there) { return (spice_server_get_num_clients(server) > 0) == there; }

static int add_device(void)
{
    primary.mem = (uintptr_t)screen;
    device.base.sif = &qxl.base;
    worker = 0;
    int result = spice_server_add_interface(server, &device.base);
    spice_qxl_create_primary_surface(&device, 0, &primary);
    keyboard.base.sif = &keyboard_sif.base;
    return result | spice_server_add_interface(server, &keyboard.base);
}

static long fill(uint32_t colour)
{
    long before = taken;
    QXLDrawable *d = calloc(1, sizeof *d);
    d->release_info.id = (uintptr_t)d;
    d->bbox = (QXLRect){ 0, 0, SIDE, SIDE };
    d->effect = QXL_EFFECT_OPAQUE;
    d->type = QXL_DRAW_FILL;
    d->surfaces_dest[0] = d->surfaces_dest[1] = d->surfaces_dest[2] = -1;
    d->u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
    d->u.fill.brush.u.color = colour;
    d->u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
    atomic_store(&pending, d);
    spice_qxl_wakeup(&device);
    return await(has_taken, before + 1);
}

/* The colour of the screen's first pixel, which update_area has drawn. */
static long look(void)
{
    QXLRect area = { 0, 0, SIDE, SIDE }, dirty[4] = { 0 };
    spice_qxl_update_area(&device, 0, &area, dirty, 4, 1);
    return screen[0] & 0xffffff;
}

/* All asynchronous requests, the fourth with the answer of update_area before it. */
static long all_async(void)
{
    QXLRect area = { 0, 0, SIDE, SIDE };
    completed = 0;
    spice_qxl_destroy_surfaces_async(&device, 1);
    spice_qxl_add_memslot_async(&device, &slot, 2);
    spice_qxl_create_primary_surface_async(&device, 0, &primary, 3);
    spice_qxl_flush_surfaces_async(&device, 4);
    spice_qxl_update_area_async(&device, 0, &area, 1, 5);
    spice_qxl_destroy_primary_surface_async(&device, 0, 6);
    spice_qxl_create_primary_surface_async(&device, 0, &primary, 7);
    await(has_completed, 10000000);
    return completed;
}

/* What a VMM does with a device whose state it has loaded. */
static long load(void)
{
    QXLSurfaceCmd *c = calloc(1, sizeof *c);
    c->surface_id = 3;
    c->type = QXL_SURFACE_CMD_CREATE;
    c->u.surface_create = (QXLSurface){ SPICE_SURFACE_FMT_32_xRGB, SIDE, SIDE, 4 * SIDE, (uintptr_t)off_screen };
    QXLCommandExt ext = { .cmd = { .data = (uintptr_t)c, .type = QXL_CMD_SURFACE } };
    QXLRect area = { 0, 0, SIDE, SIDE };
    off_screen[0] = 0x123456;
    taken++;
    spice_qxl_loadvm_commands(&device, &ext, 1);
    spice_qxl_update_area(&device, 3, &area, NULL, 0, 0);
    return off_screen[0];
}

static int listening(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(fd, (void *)&a, sizeof a) || listen(fd, 16) ? -1 : fd;
}

/* Hands a connection over. Its first event comes before that is done. */
static void accepted(int fd, int event, void *trusted)
{
    (void)event;
    int before = seen;
    if (spice_server_add_client(server, accept(fd, NULL, NULL), trusted != NULL) || seen == before) {
        fprintf(stderr, "add_client\n");
    }
}

static int tls(int port, const char *dir)
{
    char ca[160], cert[160], private_key[160];
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(private_key, sizeof private_key, "%s/key.pem", dir);
    return spice_server_set_tls(server, port, ca, cert, private_key, NULL, NULL, NULL);
}

/* Sets the video codecs, and tells what the library makes of the list. */
static long codecs(const char *list)
{
    int result = spice_server_set_video_codecs(server, list);
    const char *now = spice_server_get_video_codecs(server);
    fprintf(stderr, "codecs %s\n", now);
    spice_server_free_video_codecs(server, now);
    return result;
}

static long obey(const char *verb, const char *text, long n)
{
#define IS(s) (!strcmp(verb, s))
    if (IS("new")) return (server = spice_server_new()) != NULL;
    if (IS("destroy")) return spice_server_destroy(server), 0;
    if (IS("port")) return spice_server_set_addr(server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY), spice_server_set_port(server, (int)n);
    if (IS("unix")) return spice_server_set_addr(server, text, SPICE_ADDR_FLAG_UNIX_ONLY), 0;
    if (IS("listen")) return spice_server_set_listen_socket_fd(server, listening((int)n));
    if (IS("tls")) return tls((int)n, text);
    if (IS("noauth")) return spice_server_set_noauth(server);
    if (IS("ticket")) return spice_server_set_ticket(server, text, (int)n, 0, 0);
    if (IS("claim")) return spice_server_set_ticket(server, text, (int)n, 1, 0);
    if (IS("evict")) return spice_server_set_ticket(server, text, (int)n, 0, 1);
    if (IS("security")) return spice_server_set_channel_security(server, text, (int)n);
    if (IS("images")) return spice_server_set_image_compression(server, (SpiceImageCompression)n);
    if (IS("streaming")) return spice_server_set_streaming_video(server, (int)n);
    if (IS("codecs")) return codecs(text);
    if (IS("init")) return spice_server_init(server, &core);
    if (IS("device")) return add_device();
    if (IS("remove")) return spice_server_remove_interface(&device.base);
    if (IS("accept")) return watch_add(listening((int)n), SPICE_WATCH_EVENT_READ, accepted, text[0] == '+' ? (void *)1 : NULL) == NULL;
    if (IS("fill")) return fill((uint32_t)n);
    if (IS("look")) return look();
    if (IS("async")) return all_async();
    if (IS("load")) return load();
    if (IS("stop")) return spice_server_vm_stop(server), 0;
    if (IS("start")) return spice_server_vm_start(server), 0;
    if (IS("present")) return await(has_client, n);
    if (IS("linked")) return await(has_linked, n);
    if (IS("released")) return released == taken;
    return -99;
}

int main(void)
{
    char line[256], verb[16], text[128];
    size_t used = 0;
    main_thread = gettid();
    signal(SIGPIPE, SIG_IGN); /* as VMMs do */
    for (;;) {
        struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
        spin(10);
        if (poll(&in, 1, 0) <= 0) {
            continue;
        }
        if (used == sizeof line - 1 || read(STDIN_FILENO, line + used, 1) != 1) {
            return 0;
        }
        if (line[used++] != '\n') {
            continue;
        }
        line[used] = 0;
        used = 0;
        long n = 0;
        int words = sscanf(line, "%15s %127s %li", verb, text, &n);
        if (words == 2) {
            n = strtol(text, NULL, 0);
        }
        printf("%ld\n", obey(verb, text, n));
        fflush(stdout);
    }
}
