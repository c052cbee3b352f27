/* A client that presses one key, once: typist PORT SCANCODE */
#include <spice-client.h>
#include <stdlib.h>

static GMainLoop *loop;
static guint scancode;
static int status = 1;

static void sent(GObject *channel, GAsyncResult *result, gpointer data)
{
    (void)data;
    status = !spice_channel_flush_finish(SPICE_CHANNEL(channel), result, NULL);
    g_main_loop_quit(loop);
}

static void channel_event(SpiceChannel *c, SpiceChannelEvent event, gpointer data)
{
    (void)data;
    if (event == SPICE_CHANNEL_OPENED) {
        spice_inputs_channel_key_press_and_release(SPICE_INPUTS_CHANNEL(c), scancode);
        spice_channel_flush_async(c, NULL, sent, NULL);
    } else {
        g_main_loop_quit(loop);
    }
}

static void channel_new(SpiceSession *s, SpiceChannel *c, gpointer data)
{
    (void)s, (void)data;
    if (SPICE_IS_INPUTS_CHANNEL(c)) {
        g_signal_connect(c, "channel-event", G_CALLBACK(channel_event), NULL);
        spice_channel_connect(c);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    scancode = (guint)atoi(argv[2]);
    loop = g_main_loop_new(NULL, FALSE);
    SpiceSession *session = spice_session_new();
    g_object_set(session, "host", "127.0.0.1", "port", argv[1], NULL);
    g_signal_connect(session, "channel-new", G_CALLBACK(channel_new), NULL);
    spice_session_connect(session);
    g_main_loop_run(loop);
    spice_session_disconnect(session);
    return status;
}
