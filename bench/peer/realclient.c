/* realclient: a SPICE client without a window. spice-gtk's own library decodes
 * everything that the server sends; at the end one line of JSON is printed:
 *
 *   primary        there is a screen
 *   w, h           its size
 *   hash           FNV-1a 64 over the R, G, B bytes of its pixels
 *   invalidates    changes that were reported
 *   errors         error events on any channel
 *   last_change_s  when it last changed, after the start
 *   cpu_s          user and system time of the client
 *
 * It ends after --secs; or after --idle milliseconds without a change once
 * something was drawn and all channels are open; or when the picture with the hash --until has stood for
 * half a second. See README.md for the options. */
#include <glib.h>
#include <spice-client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct {
    const char *port, *tls_port, *ca, *password, *picture, *until;
    double secs;
    int idle_ms;
    gboolean inputs;
} opt = { .port = "5900", .secs = 10 };

static GMainLoop *loop;
static int invalidates, errors, connecting; /* channels that are not open yet */
static double began, changed;
static gboolean compared; /* with opt.until, since it changed */

static struct {
    int width, height, stride;
    const guint8 *data; /* NULL while there is no screen */
} screen;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void primary_create(SpiceChannel *channel, gint format, gint width, gint height, gint stride, gint shmid, gpointer data, gpointer user)
{
    screen.width = width;
    screen.height = height;
    screen.stride = stride;
    screen.data = data;
    compared = FALSE;
    changed = now();
}

static void primary_destroy(SpiceChannel *channel, gpointer user) { screen.data = NULL; }

static void invalidate(SpiceChannel *channel, gint x, gint y, gint w, gint h, gpointer user)
{
    invalidates++;
    compared = FALSE;
    changed = now();
}

static void channel_event(SpiceChannel *channel, SpiceChannelEvent event, gpointer user)
{
    gint type;
    connecting -= !SPICE_IS_MAIN_CHANNEL(channel);
    if (event != SPICE_CHANNEL_OPENED) {
        errors++;
        g_object_get(channel, "channel-type", &type, NULL);
        fprintf(stderr, "channel %d: event %d\n", type, event);
    }
    /* Nothing more will come of a session that has lost a channel. */
    if (errors && (connecting <= 0 || SPICE_IS_MAIN_CHANNEL(channel)))
        g_main_loop_quit(loop);
}

static void channel_new(SpiceSession *session, SpiceChannel *channel, gpointer user)
{
    g_signal_connect(channel, "channel-event", G_CALLBACK(channel_event), NULL);
    if (SPICE_IS_DISPLAY_CHANNEL(channel)) {
        g_signal_connect(channel, "display-primary-create", G_CALLBACK(primary_create), NULL);
        g_signal_connect(channel, "display-primary-destroy", G_CALLBACK(primary_destroy), NULL);
        g_signal_connect(channel, "display-invalidate", G_CALLBACK(invalidate), NULL);
    } else if (!SPICE_IS_CURSOR_CHANNEL(channel) && !(SPICE_IS_INPUTS_CHANNEL(channel) && opt.inputs)) {
        return;
    }
    connecting++;
    spice_channel_connect(channel);
}

static gboolean quit(gpointer user)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(o, "--input")) {
            opt.inputs = TRUE;
            continue;
        }
        if (strncmp(o, "--", 2)) {
            opt.picture = o;
            continue;
        }
        i++;
        if (!strcmp(o, "--port"))
            opt.port = value;
        else if (!strcmp(o, "--tls-port"))
            opt.tls_port = value;
        else if (!strcmp(o, "--ca"))
            opt.ca = value;
        else if (!strcmp(o, "--password"))
            opt.password = value;
        else if (!strcmp(o, "--secs"))
            opt.secs = atof(value);
        else if (!strcmp(o, "--idle"))
            opt.idle_ms = atoi(value);
        else if (!strcmp(o, "--until"))
            opt.until = value;
        else {
            fprintf(stderr, "realclient: unknown option %s\n", o);
            exit(2);
        }
    }
}

static SpiceSession *new_session(void)
{
    SpiceSession *s = spice_session_new();
    g_object_set(s, "host", "127.0.0.1", opt.tls_port ? "tls-port" : "port", opt.tls_port ? opt.tls_port : opt.port, NULL);
    if (opt.ca)
        g_object_set(s, "ca-file", opt.ca, NULL);
    if (opt.password)
        g_object_set(s, "password", opt.password, NULL);
    g_signal_connect(s, "channel-new", G_CALLBACK(channel_new), NULL);
    return s;
}

/* picture_hash hashes the screen, and writes it as a PPM if a file was named. */
static unsigned long long picture_hash(void)
{
    unsigned long long hash = 1469598103934665603ull;
    if (!screen.data)
        return hash;
    FILE *f = opt.picture ? fopen(opt.picture, "wb") : NULL;
    if (f)
        fprintf(f, "P6\n%d %d\n255\n", screen.width, screen.height);
    guint8 *row = g_malloc(3 * (gsize)screen.width);
    for (int y = 0; y < screen.height; y++) {
        const guint8 *p = screen.data + (gssize)y * screen.stride;
        for (int x = 0; x < screen.width; x++)
            for (int c = 0; c < 3; c++) {
                row[3 * x + c] = p[4 * x + 2 - c];
                hash = (hash ^ row[3 * x + c]) * 1099511628211ull;
            }
        if (f)
            fwrite(row, 3, screen.width, f);
    }
    g_free(row);
    if (f)
        fclose(f);
    return hash;
}

static gboolean quit_if_still(gpointer user)
{
    double still = (now() - changed) * 1000;
    if (opt.idle_ms && invalidates && !connecting && still > opt.idle_ms)
        g_main_loop_quit(loop);
    if (opt.until && !compared && still > 500) {
        compared = TRUE;
        if (picture_hash() == strtoull(opt.until, NULL, 16))
            g_main_loop_quit(loop);
    }
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    options(argc, argv);
    loop = g_main_loop_new(NULL, FALSE);
    began = changed = now();
    SpiceSession *session = new_session();
    if (!spice_session_connect(session)) {
        fprintf(stderr, "realclient: cannot connect\n");
        return 1;
    }
    g_timeout_add((guint)(opt.secs * 1000), quit, NULL);
    g_timeout_add(20, quit_if_still, NULL);
    g_main_loop_run(loop);
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    unsigned long long hash = picture_hash();
    printf("{\"primary\":%s,\"w\":%d,\"h\":%d,\"hash\":\"%016llx\",\"invalidates\":%d,\"errors\":%d,\"last_change_s\":%.3f,\"cpu_s\":%.3f}\n",
           screen.data ? "true" : "false", screen.width, screen.height, hash, invalidates, errors, changed - began,
           r.ru_utime.tv_sec + r.ru_stime.tv_sec + 1e-6 * (r.ru_utime.tv_usec + r.ru_stime.tv_usec));
    return screen.data ? 0 : 1;
}
