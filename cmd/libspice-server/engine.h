/*
 * What libspice-server.so.1 (the shim, C) and the engine (Go, c-shared) know
 * of each other. The shim calls the se_* functions that the engine exports;
 * the engine calls the functions of struct se_host that the shim hands over.
 * Neither side keeps a pointer that it was given for the time of a call.
 */
#ifndef SPICEECS_ENGINE_H
#define SPICEECS_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#define SE_ABI 2
#define SE_CAPS 58

/* An entry of a guest ring, laid out as QXLCommandExt. */
struct se_command {
    uint64_t data;
    uint32_t type, padding, group, flags;
};

/* Laid out as QXLRect. */
struct se_rect {
    int32_t top, left, bottom, right;
};

/* Something that the VMM's main thread has to be told. */
enum se_event_kind {
    SE_CHANNEL_OPENED,  /* serial, addresses */
    SE_CHANNEL_REFUSED, /* serial */
    SE_CHANNEL_UP,      /* serial, connection, type, id, tls */
    SE_CHANNEL_DOWN,    /* connection, type, id */
    SE_SCANCODE,      /* a */
    SE_MOUSE_MOTION,  /* a, b, c: dx, dy, dz; buttons */
    SE_MOUSE_BUTTONS, /* buttons */
    SE_TABLET_SIZE,   /* a, b */
    SE_TABLET_POSITION,
    SE_TABLET_WHEEL, /* a */
    SE_TABLET_BUTTONS,
};

struct se_address {
    uint8_t bytes[128]; /* a sockaddr_storage */
    uint32_t size;
};

struct se_event {
    uint32_t kind;
    int32_t a, b, c;
    uint32_t buttons;
    uint64_t serial; /* of the connection */
    uint32_t connection, type, id, tls;
    struct se_address local, peer;
};

struct se_slot {
    uint32_t group, id, generation;
    uint64_t start, end, delta;
};

struct se_primary {
    uint32_t width, height;
    int32_t stride;
    uint32_t format, position, mouse_mode, flags, type, group;
    uint64_t mem;
};

/* What a VMM may ask of a device's worker. */
enum se_op {
    SE_UPDATE_AREA, /* surface, area, clear */
    SE_ADD_SLOT,    /* slot */
    SE_DEL_SLOT,    /* slot.group, slot.id */
    SE_RESET_SLOTS,
    SE_CREATE_PRIMARY, /* primary */
    SE_DESTROY_PRIMARY,
    SE_DESTROY_SURFACE, /* surface */
    SE_DESTROY_SURFACES,
    SE_FLUSH_SURFACES,
    SE_RESET_CURSOR,
    SE_RESET_IMAGE_CACHE,
    SE_MONITORS, /* addr, group, limit */
    SE_DRIVER_UNLOAD,
    SE_LOADVM, /* commands, count */
    SE_START,
    SE_STOP,
};

struct se_request {
    uint32_t op;
    uint32_t async; /* se_host.complete(cookie) tells the end; else the call waits */
    uint64_t cookie;
    uint32_t surface, clear, group, limit, count;
    uint64_t addr;
    struct se_rect area;
    struct se_slot slot;
    struct se_primary primary;
    const struct se_command *commands;
};

struct se_device_info {
    uint32_t id, groups, slots, gen_bits, id_bits, surfaces, ram;
};

/* The shim's side. dev and server are what se_device_new and se_server_new were given. */
struct se_host {
    /* On a device's worker. */
    int (*commands)(void *dev, struct se_command *out, int max, int cursor);
    int (*await)(void *dev, int cursor); /* 0: there is a command already */
    void (*release)(void *dev, uint64_t info, uint32_t group);
    void (*notify_update)(void *dev, uint32_t id);
    int (*flush)(void *dev);
    void (*complete)(void *dev, uint64_t cookie);
    void (*updated)(void *dev, uint32_t surface, struct se_rect *rects, uint32_t n);
    void (*client_caps)(void *dev, int present, uint8_t *caps);
    /* On any thread; the event is copied. */
    void (*post)(void *server, const struct se_event *event);
    /* In se_replay_new and se_replay_next. */
    size_t (*read)(void *file, void *buf, size_t size);
};

/* What a recording says next. */
enum se_replay_kind { SE_REPLAY_END, SE_REPLAY_COMMAND, SE_REPLAY_PRIMARY, SE_REPLAY_NO_PRIMARY, SE_REPLAY_NO_SURFACES };

struct se_replayed {
    uint32_t kind;
    struct se_command command;
    uint64_t block; /* the command's memory, for se_replay_free_blocks */
    struct se_primary primary;
};

/*
 * The functions of the engine: result, name, parameters. A server, device or
 * replay is a handle, 0 for none. Functions that answer int: 0, or what they are
 * asked for, or -1 for failure.
 */
#define SE_FUNCTIONS(X)                                                                            \
    X(int, se_open, (uint32_t abi, struct se_host *host))                                          \
    X(uint64_t, se_server_new, (void *server))                                                     \
    X(void, se_server_free, (uint64_t server))                                                     \
    X(int, se_server_listen, (uint64_t server, char *addr, int port, int flags, int tls))          \
    X(int, se_server_listen_fd, (uint64_t server, int fd))                                         \
    X(void, se_server_accept, (uint64_t server))                                                   \
    X(int, se_server_tls, (uint64_t server, char *certs, char *key, char *passwd, char *ciphers))  \
    X(int, se_server_add, (uint64_t server, int fd, int trusted, int tls))                         \
    X(int, se_server_ticket, (uint64_t server, char *password, int lifetime, int disconnect))      \
    X(void, se_server_open_to_all, (uint64_t server))                                              \
    X(void, se_server_name, (uint64_t server, char *name))                                         \
    X(void, se_server_uuid, (uint64_t server, uint8_t *uuid))                                      \
    X(void, se_server_security, (uint64_t server, int type, int security))                         \
    X(void, se_server_images, (uint64_t server, int compression, int jpeg, int zlib))              \
    X(int, se_server_video, (uint64_t server, int streaming, char *codecs))                        \
    X(void, se_server_input, (uint64_t server, int device, int present, int leds))                 \
    X(void, se_server_leds, (uint64_t server, int leds))                                           \
    X(int, se_server_clients, (uint64_t server))                                                   \
    X(int, se_server_mouse, (uint64_t server))                                                     \
    X(uint64_t, se_device_new, (uint64_t server, void *dev, struct se_device_info *info))          \
    X(void, se_device_free, (uint64_t dev))                                                        \
    X(int, se_device_wake_fd, (uint64_t dev))                                                      \
    X(void, se_device_oom, (uint64_t dev))                                                         \
    X(int, se_device_request, (uint64_t dev, struct se_request *rq, struct se_rect *dirty,         \
                               uint32_t room))                                                     \
    X(uint64_t, se_replay_new, (void *file, int surfaces, uint8_t *arena, uint64_t size))          \
    X(int, se_replay_next, (uint64_t replay, struct se_replayed *out, int room))                   \
    X(void, se_replay_free_blocks, (uint64_t replay, uint64_t *blocks, int n))                     \
    X(void, se_replay_free, (uint64_t replay))

/* Input devices of se_server_input. */
enum se_input { SE_KEYBOARD, SE_MOUSE, SE_TABLET };

#endif
