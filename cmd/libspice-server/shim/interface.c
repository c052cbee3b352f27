/* Devices of the VMM, as the server learns of them. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>

/* One keyboard, mouse, tablet and migration interface each. */
#define ADD_SINGLE(slot, instance)                                                                 \
    do {                                                                                           \
        if (s->slot || !((instance)->st = calloc(1, sizeof *(instance)->st))) {                    \
            return -1;                                                                             \
        }                                                                                          \
        (instance)->st->server = s;                                                                \
        s->slot = (instance);                                                                      \
    } while (0)

static int add_keyboard(SpiceServer *s, SpiceKbdInstance *k)
{
    ADD_SINGLE(keyboard, k);
    SpiceKbdInterface *sif = SHIM_CONTAINER_OF(k->base.sif, SpiceKbdInterface, base);
    ENGINE(se_server_input, s->handle, SE_KEYBOARD, 1, sif->get_leds ? sif->get_leds(k) : 0);
    return 0;
}

static int add_mouse(SpiceServer *s, SpiceMouseInstance *m)
{
    ADD_SINGLE(mouse, m);
    ENGINE(se_server_input, s->handle, SE_MOUSE, 1, 0);
    return 0;
}

static int add_tablet(SpiceServer *s, SpiceTabletInstance *t)
{
    ADD_SINGLE(tablet, t);
    ENGINE(se_server_input, s->handle, SE_TABLET, 1, 0);
    return 0;
}

static int add_migration(SpiceServer *s, SpiceMigrateInstance *m)
{
    ADD_SINGLE(migration, m);
    return 0;
}

/* A device without its channel counts as added, but has no state. */
static int add_char_device(SpiceCharDeviceInstance *c)
{
    static _Atomic bool said;
    c->st = NULL;
    shim_absent(&said, "character devices (agent, smartcard, usb, ports)");
    return 0;
}

static int add_sound(void)
{
    static _Atomic bool said;
    shim_absent(&said, "sound");
    return -1;
}

/* Whether an interface is of this kind, in a version that is understood. */
static bool is(const SpiceBaseInterface *sif, const char *type)
{
    return !strcmp(sif->type, type);
}

static bool fits(const SpiceBaseInterface *sif, uint32_t major, uint32_t minor)
{
    return sif->major_version == major && sif->minor_version <= minor;
}

#define FITS(KIND) fits(sif, SPICE_INTERFACE_##KIND##_MAJOR, SPICE_INTERFACE_##KIND##_MINOR)
#define INSTANCE(type) SHIM_CONTAINER_OF(sin, type, base)

int spice_server_add_interface(SpiceServer *s, SpiceBaseInstance *sin)
{
    const SpiceBaseInterface *sif = sin->sif;
    engine_tame_signals();
    if (is(sif, SPICE_INTERFACE_KEYBOARD)) {
        return FITS(KEYBOARD) ? add_keyboard(s, INSTANCE(SpiceKbdInstance)) : -1;
    }
    if (is(sif, SPICE_INTERFACE_MOUSE)) {
        return FITS(MOUSE) ? add_mouse(s, INSTANCE(SpiceMouseInstance)) : -1;
    }
    if (is(sif, SPICE_INTERFACE_TABLET)) {
        return FITS(TABLET) ? add_tablet(s, INSTANCE(SpiceTabletInstance)) : -1;
    }
    if (is(sif, SPICE_INTERFACE_QXL)) {
        return FITS(QXL) ? qxl_add(s, INSTANCE(QXLInstance)) : -1;
    }
    if (is(sif, SPICE_INTERFACE_MIGRATION)) {
        return FITS(MIGRATION) ? add_migration(s, INSTANCE(SpiceMigrateInstance)) : -1;
    }
    if (is(sif, SPICE_INTERFACE_CHAR_DEVICE)) {
        return FITS(CHAR_DEVICE) ? add_char_device(INSTANCE(SpiceCharDeviceInstance)) : -1;
    }
    if (is(sif, SPICE_INTERFACE_PLAYBACK) || is(sif, SPICE_INTERFACE_RECORD)) {
        return add_sound();
    }
    return -1;
}

static int remove_tablet(SpiceTabletInstance *t)
{
    if (!t->st) {
        return -1;
    }
    ENGINE(se_server_input, t->st->server->handle, SE_TABLET, 0, 0);
    t->st->server->tablet = NULL;
    free(t->st);
    t->st = NULL;
    return 0;
}

int spice_server_remove_interface(SpiceBaseInstance *sin)
{
    const SpiceBaseInterface *sif = sin->sif;
    if (is(sif, SPICE_INTERFACE_QXL)) {
        return qxl_remove(INSTANCE(QXLInstance));
    }
    if (is(sif, SPICE_INTERFACE_TABLET)) {
        return remove_tablet(INSTANCE(SpiceTabletInstance));
    }
    if (is(sif, SPICE_INTERFACE_CHAR_DEVICE) || is(sif, SPICE_INTERFACE_PLAYBACK) || is(sif, SPICE_INTERFACE_RECORD)) {
        return 0;
    }
    return -1;
}

void interfaces_forget(SpiceServer *s)
{
#define FORGET(slot)                                                                               \
    if (s->slot) {                                                                                 \
        free(s->slot->st);                                                                         \
        s->slot->st = NULL;                                                                        \
    }
    FORGET(keyboard)
    FORGET(mouse)
    FORGET(tablet)
    FORGET(migration)
#undef FORGET
}

int spice_server_kbd_leds(SpiceKbdInstance *sin, int leds)
{
    if (sin->st) {
        ENGINE(se_server_leds, sin->st->server->handle, leds);
    }
    return 0;
}
