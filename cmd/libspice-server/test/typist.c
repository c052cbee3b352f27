/*
 * A client that presses one key, again and again: typist PORT SCANCODE SECONDS
 */
#include <spice-client.h>
#include <stdlib.h>

static SpiceInputsChannel *inputs;
static guint scancode;
static long presses;

static void channel_new(SpiceSession *s, SpiceChannel *c, gpointer data)
{
    (void)s, (void)data;
    if (SPICE_IS_INPUTS_CHANNEL(c)) {
        inputs = SPICE_INPUTS_CHANNEL(c);
        spice_channel_connect(c);
    }
}

static gboolean press(gpointer data)
{
    (void)data;
    if (inputs) {
        spice_inputs_channel_key_press_and_release(inputs, scancode);
        presses++;
    }
    return TRUE;
}

static gboolean done(gpointer loop)
{
    g_main_loop_quit(loop);
    return FALSE;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        return 2;
    }
    scancode = (guint)atoi(argv[2]);
    SpiceSession *session = spice_session_new();
    g_object_set(session, "host", "127.0.0.1", "port", argv[1], NULL);
    g_signal_connect(session, "channel-new", G_CALLBACK(channel_new), NULL);
    spice_session_connect(session);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    g_timeout_add(200, press, NULL);
    g_timeout_add_seconds((guint)atoi(argv[3]), done, loop);
    g_main_loop_run(loop);
    spice_session_disconnect(session);
    return presses ? 0 : 1;
}
