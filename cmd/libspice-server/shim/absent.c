/* Functions whose channels the engine does not have: each says so once, and
 * answers as the library does where a feature is not built in. */
#include "shim.h"

#include <stdio.h>

void shim_absent(_Atomic bool *said, const char *what)
{
    if (!atomic_exchange(said, true)) {
        fprintf(stderr, "libspice-server: %s: not supported by this engine\n", what);
    }
}

#define ABSENT(what)                                                                               \
    do {                                                                                           \
        static _Atomic bool said;                                                                  \
        shim_absent(&said, what);                                                                  \
    } while (0)

int spice_server_set_sasl(SpiceServer *s, int enabled)
{
    (void)s;
    if (enabled) {
        ABSENT("SASL");
    }
    return -1;
}

int spice_server_set_sasl_appname(SpiceServer *s, const char *appname)
{
    (void)s, (void)appname;
    return -1;
}

/* Policies for the agent and for sound, of which there is neither. */

int spice_server_set_playback_compression(SpiceServer *s, int enable)
{
    (void)s, (void)enable;
    return 0;
}

int spice_server_set_agent_mouse(SpiceServer *s, int enable)
{
    (void)s, (void)enable;
    return 0;
}

int spice_server_set_agent_copypaste(SpiceServer *s, int enable)
{
    (void)s, (void)enable;
    return 0;
}

int spice_server_set_agent_file_xfer(SpiceServer *s, int enable)
{
    (void)s, (void)enable;
    return 0;
}

/* Character devices. */

const char **spice_server_char_device_recognized_subtypes(void)
{
    static const char *subtypes[] = { "vdagent", "smartcard", "usbredir", NULL };
    return subtypes;
}

void spice_server_char_device_wakeup(SpiceCharDeviceInstance *sin)
{
    (void)sin;
}

void spice_server_port_event(SpiceCharDeviceInstance *sin, uint8_t event)
{
    (void)sin, (void)event;
}

/* Sound: there is never room for a sample, and never one. */

void spice_server_playback_start(SpicePlaybackInstance *sin)
{
    (void)sin;
}

void spice_server_playback_stop(SpicePlaybackInstance *sin)
{
    (void)sin;
}

void spice_server_playback_get_buffer(SpicePlaybackInstance *sin, uint32_t **samples, uint32_t *num_samples)
{
    (void)sin;
    *samples = NULL;
    *num_samples = 0;
}

void spice_server_playback_put_samples(SpicePlaybackInstance *sin, uint32_t *samples)
{
    (void)sin, (void)samples;
}

void spice_server_playback_set_volume(SpicePlaybackInstance *sin, uint8_t nchannels, uint16_t *volume)
{
    (void)sin, (void)nchannels, (void)volume;
}

void spice_server_playback_set_mute(SpicePlaybackInstance *sin, uint8_t mute)
{
    (void)sin, (void)mute;
}

void spice_server_record_start(SpiceRecordInstance *sin)
{
    (void)sin;
}

void spice_server_record_stop(SpiceRecordInstance *sin)
{
    (void)sin;
}

uint32_t spice_server_record_get_samples(SpiceRecordInstance *sin, uint32_t *samples, uint32_t bufsize)
{
    (void)sin, (void)samples, (void)bufsize;
    return 0;
}

void spice_server_record_set_volume(SpiceRecordInstance *sin, uint8_t nchannels, uint16_t *volume)
{
    (void)sin, (void)nchannels, (void)volume;
}

void spice_server_record_set_mute(SpiceRecordInstance *sin, uint8_t mute)
{
    (void)sin, (void)mute;
}

uint32_t spice_server_get_best_playback_rate(SpicePlaybackInstance *sin)
{
    (void)sin;
    return 48000;
}

void spice_server_set_playback_rate(SpicePlaybackInstance *sin, uint32_t frequency)
{
    (void)sin, (void)frequency;
}

uint32_t spice_server_get_best_record_rate(SpiceRecordInstance *sin)
{
    (void)sin;
    return 48000;
}

void spice_server_set_record_rate(SpiceRecordInstance *sin, uint32_t frequency)
{
    (void)sin, (void)frequency;
}

/* Migration of clients. */

int spice_server_migrate_info(SpiceServer *s, const char *dest, int port, int secure_port, const char *cert_subject)
{
    (void)s, (void)dest, (void)port, (void)secure_port, (void)cert_subject;
    ABSENT("migration of clients");
    return -1;
}

int spice_server_migrate_switch(SpiceServer *s)
{
    (void)s;
    return -1;
}

int spice_server_migrate_connect(SpiceServer *s, const char *dest, int port, int secure_port,
                                 const char *cert_subject)
{
    return spice_server_migrate_info(s, dest, port, secure_port, cert_subject);
}

int spice_server_migrate_start(SpiceServer *s)
{
    (void)s;
    return -1;
}

int spice_server_migrate_end(SpiceServer *s, int completed)
{
    (void)s, (void)completed;
    return -1;
}

void spice_server_set_seamless_migration(SpiceServer *s, int enable)
{
    (void)s;
    if (enable) {
        ABSENT("seamless migration");
    }
}
