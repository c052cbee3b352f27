/* vmmdrive: a small VMM on the public API of libspice-server. It feeds a QXL
 * recording to whichever libspice-server.so.1 the loader finds, as fast as the
 * library takes it, and prints one line of JSON at the end:
 *
 *   cmds          commands fed
 *   released      resources that came back
 *   fed_s         from the start of feeding to the last command, in seconds
 *   cpu_s         user and system time of the process while it served
 *   engine_cpu_s  the same without the main thread, which parses the recording
 *   maxrss_mb     peak resident memory
 *
 * It says READY on standard error when clients can connect, FED and fed_s after
 * the last command, and ends some time (--linger) later. See README.md for the
 * options. */
#define _GNU_SOURCE
#include <glib.h>
#include <spice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MAX_AHEAD 400 /* commands in both queues */

static struct {
    const char *recording, *codecs, *addr;
    int port, compression, streaming, wan;
    gboolean wait_client, realtime;
    unsigned linger_ms;
    unsigned long pace_us;
    long stop;
} opt = {
    .addr = "127.0.0.1",
    .port = 5999,
    .compression = SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
    .streaming = SPICE_STREAM_VIDEO_FILTER,
    .wan = SPICE_WAN_COMPRESSION_AUTO,
    .wait_client = TRUE,
    .linger_ms = 1500,
};

static GMainLoop *loop;
static SpiceReplay *replay;
static QXLInstance device;
static GAsyncQueue *display_queue, *cursor_queue;

/* Feeding happens on the main thread; the library's worker starts it. */
static GMutex lock;
static gboolean started, ended, filling;
static long commands, released;
static double started_at, ended_at;
static GArray *stamps; /* of the commands, in seconds */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

/* ---- timers and watches of the library, on GLib's loop ---- */

struct SpiceTimer {
    SpiceTimerFunc func;
    void *opaque;
    guint source;
};

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    SpiceTimer *t = g_new0(SpiceTimer, 1);
    t->func = func;
    t->opaque = opaque;
    return t;
}

static void timer_cancel(SpiceTimer *t)
{
    if (t->source)
        g_source_remove(t->source);
    t->source = 0;
}

static gboolean timer_fired(gpointer data)
{
    SpiceTimer *t = data;
    t->source = 0;
    t->func(t->opaque);
    return G_SOURCE_REMOVE;
}

static void timer_start(SpiceTimer *t, uint32_t ms)
{
    timer_cancel(t);
    t->source = g_timeout_add(ms, timer_fired, t);
}

static void timer_remove(SpiceTimer *t)
{
    timer_cancel(t);
    g_free(t);
}

struct SpiceWatch {
    SpiceWatchFunc func;
    void *opaque;
    int fd;
    guint source;
};

static gboolean watch_fired(GIOChannel *channel, GIOCondition cond, gpointer data)
{
    SpiceWatch *w = data;
    int event = 0;
    if (cond & (G_IO_IN | G_IO_HUP | G_IO_ERR))
        event |= SPICE_WATCH_EVENT_READ;
    if (cond & G_IO_OUT)
        event |= SPICE_WATCH_EVENT_WRITE;
    w->func(w->fd, event, w->opaque);
    return G_SOURCE_CONTINUE;
}

static void watch_update_mask(SpiceWatch *w, int mask)
{
    int cond = 0;
    if (w->source)
        g_source_remove(w->source);
    w->source = 0;
    if (mask & SPICE_WATCH_EVENT_READ)
        cond |= G_IO_IN | G_IO_HUP | G_IO_ERR;
    if (mask & SPICE_WATCH_EVENT_WRITE)
        cond |= G_IO_OUT;
    if (!cond)
        return;
    GIOChannel *channel = g_io_channel_unix_new(w->fd);
    w->source = g_io_add_watch(channel, cond, watch_fired, w);
    g_io_channel_unref(channel);
}

static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *w = g_new0(SpiceWatch, 1);
    w->fd = fd;
    w->func = func;
    w->opaque = opaque;
    watch_update_mask(w, mask);
    return w;
}

static void watch_remove(SpiceWatch *w)
{
    watch_update_mask(w, 0);
    g_free(w);
}

static void start(void)
{
    started = TRUE;
    started_at = now();
    spice_qxl_wakeup(&device);
}

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    if (info->type == SPICE_CHANNEL_DISPLAY && event == SPICE_CHANNEL_EVENT_INITIALIZED && !started)
        start();
}

static SpiceCoreInterface core = {
    .base.major_version = SPICE_INTERFACE_CORE_MAJOR,
    .base.minor_version = SPICE_INTERFACE_CORE_MINOR,
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
    .watch_add = watch_add,
    .watch_update_mask = watch_update_mask,
    .watch_remove = watch_remove,
    .channel_event = channel_event,
};

/* ---- feeding ---- */

static gboolean quit(gpointer data)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static gboolean fill(gpointer data);

/* not_yet arms a timer if the next command is not due. */
static gboolean not_yet(void)
{
    if (!opt.realtime || commands >= (long)stamps->len)
        return FALSE;
    double due = started_at + g_array_index(stamps, double, commands) - g_array_index(stamps, double, 0);
    double left = due - now();
    if (left <= 0)
        return FALSE;
    g_mutex_lock(&lock);
    filling = TRUE;
    g_mutex_unlock(&lock);
    g_timeout_add(1 + (guint)(left * 1000), fill, NULL);
    return TRUE;
}

static gboolean fill(gpointer data)
{
    gboolean wake = FALSE;
    g_mutex_lock(&lock);
    filling = FALSE;
    g_mutex_unlock(&lock);
    while (!ended && g_async_queue_length(display_queue) + g_async_queue_length(cursor_queue) < MAX_AHEAD) {
        if (not_yet())
            break;
        if (opt.pace_us)
            g_usleep(opt.pace_us);
        QXLCommandExt *c = NULL;
        if (!opt.stop || commands < opt.stop)
            c = spice_replay_next_cmd(replay, &device);
        wake = TRUE;
        if (!c) {
            ended = TRUE;
            ended_at = now();
            fprintf(stderr, "FED %.3f\n", ended_at - started_at);
            g_timeout_add(opt.linger_ms, quit, NULL);
            break;
        }
        commands++;
        g_async_queue_push(c->cmd.type == QXL_CMD_CURSOR ? cursor_queue : display_queue, c);
    }
    if (wake)
        spice_qxl_wakeup(&device);
    return G_SOURCE_REMOVE;
}

static int pop(GAsyncQueue *queue, QXLCommandExt *out)
{
    QXLCommandExt *c = g_async_queue_try_pop(queue);
    if (c) {
        *out = *c;
        return TRUE;
    }
    g_mutex_lock(&lock);
    if (started && !ended && !filling) {
        filling = TRUE;
        g_idle_add(fill, NULL);
    }
    g_mutex_unlock(&lock);
    return FALSE;
}

/* ---- the device ---- */

static void attached_worker(QXLInstance *qxl)
{
    /* Recorded addresses are this process's own: one slot holds them all. */
    static QXLDevMemSlot slot = { .virt_end = ~0ul, .qxl_ram_size = ~0 };
    static gboolean done;
    if (!done)
        spice_qxl_add_memslot(qxl, &slot);
    done = TRUE;
}

static void set_compression_level(QXLInstance *qxl, int level) {}

static void get_init_info(QXLInstance *qxl, QXLDevInitInfo *info)
{
    *info = (QXLDevInitInfo){
        .num_memslots_groups = 1, .num_memslots = 1, .memslot_gen_bits = 1, .memslot_id_bits = 1, .n_surfaces = 1024,
    };
}

static int get_command(QXLInstance *qxl, QXLCommandExt *out) { return pop(display_queue, out); }
static int get_cursor_command(QXLInstance *qxl, QXLCommandExt *out) { return pop(cursor_queue, out); }
static int req_cmd_notification(QXLInstance *qxl) { return g_async_queue_length(display_queue) == 0; }
static int req_cursor_notification(QXLInstance *qxl) { return g_async_queue_length(cursor_queue) == 0; }

static void release_resource(QXLInstance *qxl, struct QXLReleaseInfoExt r)
{
    __atomic_add_fetch(&released, 1, __ATOMIC_RELAXED);
    spice_replay_free_cmd(replay, (QXLCommandExt *)(uintptr_t)r.info->id);
}

static void notify_update(QXLInstance *qxl, uint32_t id) {}
static int flush_resources(QXLInstance *qxl) { return TRUE; }

static QXLInterface interface = {
    .base.type = SPICE_INTERFACE_QXL,
    .base.description = "vmmdrive",
    .base.major_version = SPICE_INTERFACE_QXL_MAJOR,
    .base.minor_version = SPICE_INTERFACE_QXL_MINOR,
    .attached_worker = attached_worker,
    .set_compression_level = set_compression_level,
    .get_init_info = get_init_info,
    .get_command = get_command,
    .req_cmd_notification = req_cmd_notification,
    .release_resource = release_resource,
    .get_cursor_command = get_cursor_command,
    .req_cursor_notification = req_cursor_notification,
    .notify_update = notify_update,
    .flush_resources = flush_resources,
};

/* ---- the program ---- */

static void fail(const char *what)
{
    fprintf(stderr, "vmmdrive: %s\n", what);
    exit(2);
}

/* choice is the index of a word in a list that ends with NULL. */
static int choice(const char *word, const char *const *list)
{
    for (int i = 0; list[i]; i++)
        if (!strcmp(list[i], word))
            return i;
    fail("unknown word in an option");
    return 0;
}

static void options(int argc, char **argv)
{
    static const char *const compressions[] = { "invalid", "off", "auto_glz", "auto_lz", "quic", "glz", "lz", "lz4", NULL };
    static const char *const streamings[] = { "invalid", "off", "all", "filter", NULL };
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(o, "--never-wan"))
            opt.wan = SPICE_WAN_COMPRESSION_NEVER;
        else if (!strcmp(o, "--nowait"))
            opt.wait_client = FALSE;
        else if (!strcmp(o, "--realtime"))
            opt.realtime = TRUE;
        else if (strncmp(o, "--", 2))
            opt.recording = o;
        else {
            i++;
            if (!strcmp(o, "--addr"))
                opt.addr = value;
            else if (!strcmp(o, "--port"))
                opt.port = atoi(value);
            else if (!strcmp(o, "--comp"))
                opt.compression = choice(value, compressions);
            else if (!strcmp(o, "--stream"))
                opt.streaming = choice(value, streamings);
            else if (!strcmp(o, "--codecs"))
                opt.codecs = value;
            else if (!strcmp(o, "--linger"))
                opt.linger_ms = atoi(value);
            else if (!strcmp(o, "--pace"))
                opt.pace_us = atol(value);
            else if (!strcmp(o, "--stop"))
                opt.stop = atol(value);
            else
                fail("unknown option");
        }
    }
    if (!opt.recording)
        fail("no recording given");
}

/* unpacked is the recording in a temporary file, so that only feeding is timed. */
static FILE *unpacked(void)
{
    char name[] = "/tmp/vmmdrive.XXXXXX";
    int fd = mkstemp(name);
    char *file = g_shell_quote(opt.recording);
    char *shell = g_strdup_printf("%s %s > %s", g_str_has_suffix(opt.recording, ".zst") ? "zstd -qdc" : "cat", file, name);
    if (fd < 0 || system(shell))
        fail("cannot unpack the recording");
    unlink(name);
    g_free(shell);
    g_free(file);
    FILE *f = fdopen(fd, "r");
    setvbuf(f, NULL, _IOFBF, 1 << 20);
    return f;
}

/* read_stamps collects the commands' times: lines "event N 0 TYPE NANOSECONDS". */
static void read_stamps(FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    stamps = g_array_new(FALSE, FALSE, sizeof(double));
    while ((n = getline(&line, &size, f)) > 0) {
        long counter, kind, type;
        unsigned long long ns;
        if (n < 80 && sscanf(line, "event %ld %ld %ld %llu", &counter, &kind, &type, &ns) == 4 && kind == 0) {
            double s = ns * 1e-9;
            g_array_append_val(stamps, s);
        }
    }
    free(line);
    rewind(f);
}

static void serve(void)
{
    SpiceServer *server = spice_server_new();
    spice_server_set_port(server, opt.port);
    spice_server_set_addr(server, opt.addr, 0);
    spice_server_set_noauth(server);
    spice_server_set_image_compression(server, opt.compression);
    spice_server_set_streaming_video(server, opt.streaming);
    spice_server_set_jpeg_compression(server, opt.wan);
    spice_server_set_zlib_glz_compression(server, opt.wan);
    if (opt.codecs)
        spice_server_set_video_codecs(server, opt.codecs);
    if (spice_server_init(server, &core))
        fail("the server does not start");
    device.base.sif = &interface.base;
    spice_server_add_interface(server, &device.base);
    spice_server_vm_start(server);
}

static double cpu(int who)
{
    struct rusage r;
    getrusage(who, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + 1e-6 * (r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
    options(argc, argv);
    FILE *f = unpacked();
    if (opt.realtime)
        read_stamps(f);
    loop = g_main_loop_new(NULL, FALSE);
    display_queue = g_async_queue_new();
    cursor_queue = g_async_queue_new();
    replay = spice_replay_new(f, 1024);
    if (!replay)
        fail("this is no recording");
    serve();
    double all = cpu(RUSAGE_SELF), mine = cpu(RUSAGE_THREAD);
    if (!opt.wait_client)
        start();
    fprintf(stderr, "READY\n");
    g_main_loop_run(loop);
    all = cpu(RUSAGE_SELF) - all;
    mine = cpu(RUSAGE_THREAD) - mine;
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    printf("{\"cmds\":%ld,\"released\":%ld,\"fed_s\":%.3f,\"cpu_s\":%.3f,\"engine_cpu_s\":%.3f,\"maxrss_mb\":%.1f}\n",
           commands, released, ended_at - started_at, all, all - mine, r.ru_maxrss / 1024.0);
    fflush(stdout);
    _exit(0); /* taking the server down is not what is looked at */
}
