/* Calls of the shim's functions: Go cannot call a C function pointer itself. */
#ifndef SPICEECS_HOST_H
#define SPICEECS_HOST_H

#include "../engine.h"

static inline int host_commands(struct se_host *h, void *dev, struct se_command *out, int max, int cursor)
{
    return h->commands(dev, out, max, cursor);
}

static inline int host_await(struct se_host *h, void *dev, int cursor)
{
    return h->await(dev, cursor);
}

static inline void host_release(struct se_host *h, void *dev, uint64_t info, uint32_t group)
{
    h->release(dev, info, group);
}

static inline void host_notify_update(struct se_host *h, void *dev, uint32_t id)
{
    h->notify_update(dev, id);
}

static inline int host_flush(struct se_host *h, void *dev)
{
    return h->flush(dev);
}

static inline void host_complete(struct se_host *h, void *dev, uint64_t cookie)
{
    h->complete(dev, cookie);
}

static inline void host_updated(struct se_host *h, void *dev, uint32_t surface, struct se_rect *rects, uint32_t n)
{
    h->updated(dev, surface, rects, n);
}

static inline void host_client_caps(struct se_host *h, void *dev, int present, uint8_t *caps)
{
    h->client_caps(dev, present, caps);
}

static inline void host_post(struct se_host *h, void *server, struct se_event *event)
{
    h->post(server, event);
}

static inline size_t host_read(struct se_host *h, void *file, void *buf, size_t size)
{
    return h->read(file, buf, size);
}

#endif
