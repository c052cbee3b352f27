/* SpiceServer: settings, listening, clients. */
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODECS "spice:mjpeg;gstreamer:mjpeg;gstreamer:h264;gstreamer:vp8;gstreamer:vp9"

SpiceServer *spice_server_new(void)
{
    if (!engine_open()) {
        return NULL;
    }
    SpiceServer *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->port = s->tls_port = s->listen_fd = -1;
    s->running = true;
    s->compression = SPICE_IMAGE_COMPRESSION_AUTO_GLZ;
    s->streaming = SPICE_STREAM_VIDEO_FILTER;
    s->codecs = strdup(CODECS);
    s->addr = strdup("");
    if (events_init(s) && s->codecs && s->addr && (s->handle = ENGINE(se_server_new, s))) {
        return s;
    }
    events_free(s);
    free(s->codecs);
    free(s->addr);
    free(s);
    return NULL;
}

static int listen_all(SpiceServer *s)
{
    int flags = s->addr_flags;
    if (s->tls_unusable) {
        return -1;
    }
    if (s->listen_fd >= 0 && ENGINE(se_server_listen_fd, s->handle, s->listen_fd)) {
        return -1;
    }
    if ((s->port >= 0 || flags & SPICE_ADDR_FLAG_UNIX_ONLY) &&
        ENGINE(se_server_listen, s->handle, s->addr, s->port, flags, 0)) {
        return -1;
    }
    if (s->tls_port >= 0 && ENGINE(se_server_listen, s->handle, s->addr, s->tls_port, flags, 1)) {
        return -1;
    }
    return 0;
}

int spice_server_init(SpiceServer *s, SpiceCoreInterface *core)
{
    if (s->core || core->base.major_version != SPICE_INTERFACE_CORE_MAJOR) {
        return -1;
    }
    s->core = core;
    return events_attach(s) ? listen_all(s) : -1;
}

void spice_server_destroy(SpiceServer *s)
{
    while (s->devices) {
        qxl_remove(s->devices->instance);
    }
    ENGINE(se_server_free, s->handle);
    s->exit_on_disconnect = false;
    events_free(s);
    interfaces_forget(s);
    free(s->codecs);
    free(s->addr);
    free(s);
}

spice_compat_version_t spice_get_current_compat_version(void)
{
    return SPICE_COMPAT_VERSION_CURRENT;
}

int spice_server_set_compat_version(SpiceServer *s, spice_compat_version_t version)
{
    (void)s;
    return version == SPICE_COMPAT_VERSION_CURRENT ? 0 : -1;
}

int spice_server_set_port(SpiceServer *s, int port)
{
    if (port < 0 || port > 0xffff) {
        return -1;
    }
    s->port = port;
    return 0;
}

void spice_server_set_addr(SpiceServer *s, const char *addr, int flags)
{
    char *copy = strdup(addr ? addr : "");
    if (copy) {
        free(s->addr);
        s->addr = copy;
        s->addr_flags = flags;
    }
}

int spice_server_set_listen_socket_fd(SpiceServer *s, int listen_fd)
{
    s->listen_fd = listen_fd;
    return 0;
}

int spice_server_set_exit_on_disconnect(SpiceServer *s, int flag)
{
    s->exit_on_disconnect = flag;
    return 0;
}

int spice_server_set_noauth(SpiceServer *s)
{
    ENGINE(se_server_open_to_all, s->handle);
    return 0;
}

int spice_server_set_ticket(SpiceServer *s, const char *passwd, int lifetime, int fail_if_connected,
                            int disconnect_if_connected)
{
    if (fail_if_connected && ENGINE(se_server_clients, s->handle) > 0) {
        return -1;
    }
    char *copy = strdup(passwd ? passwd : "");
    int result = copy ? ENGINE(se_server_ticket, s->handle, copy, lifetime, disconnect_if_connected) : -1;
    free(copy);
    return result;
}

/* The client's side of a certificate, and Diffie-Hellman parameters, are not
 * needed: no certificate is asked for, and the curves are TLS's own. Files that
 * cannot be used make spice_server_init fail. */
int spice_server_set_tls(SpiceServer *s, int port, const char *ca_cert_file, const char *certs_file,
                         const char *private_key_file, const char *key_passwd, const char *dh_key_file,
                         const char *ciphersuite)
{
    (void)dh_key_file;
    const size_t most = 256;
    if (port < 0 || port > 0xffff || !ca_cert_file || !certs_file || !private_key_file ||
        strlen(ca_cert_file) >= most || strlen(certs_file) >= most || strlen(private_key_file) >= most) {
        return -1;
    }
    char *text[] = { strdup(certs_file), strdup(private_key_file), strdup(key_passwd ? key_passwd : ""),
                     strdup(ciphersuite ? ciphersuite : "") };
    int result = -1;
    if (text[0] && text[1] && text[2] && text[3]) {
        result = ENGINE(se_server_tls, s->handle, text[0], text[1], text[2], text[3]);
    }
    for (int i = 0; i < 4; i++) {
        free(text[i]);
    }
    s->tls_port = port;
    s->tls_unusable = result;
    return 0;
}

/* The VMM hears of the connection before it goes on. */
static int add(SpiceServer *s, int socket, int skip_auth, int tls)
{
    int result = ENGINE(se_server_add, s->handle, socket, skip_auth, tls);
    events_run(s);
    return result;
}

int spice_server_add_client(SpiceServer *s, int socket, int skip_auth)
{
    return add(s, socket, skip_auth, 0);
}

int spice_server_add_ssl_client(SpiceServer *s, int socket, int skip_auth)
{
    return add(s, socket, skip_auth, 1);
}

int spice_server_get_num_clients(SpiceServer *s)
{
    return s ? ENGINE(se_server_clients, s->handle) : 0;
}

int spice_server_is_server_mouse(SpiceServer *s)
{
    return ENGINE(se_server_mouse, s->handle);
}

void spice_server_set_name(SpiceServer *s, const char *name)
{
    char *copy = strdup(name ? name : "");
    if (copy) {
        ENGINE(se_server_name, s->handle, copy);
    }
    free(copy);
}

void spice_server_set_uuid(SpiceServer *s, const uint8_t uuid[16])
{
    uint8_t copy[16];
    memcpy(copy, uuid, sizeof copy);
    ENGINE(se_server_uuid, s->handle, copy);
}

int spice_server_set_channel_security(SpiceServer *s, const char *channel, int security)
{
    static const char *const names[] = { NULL,       "main",   "display",   "inputs",   "cursor", "playback",
                                         "record",   "tunnel", "smartcard", "usbredir", "port",   "webdav" };
    security &= SPICE_CHANNEL_SECURITY_NONE | SPICE_CHANNEL_SECURITY_SSL;
    if (!channel) {
        ENGINE(se_server_security, s->handle, -1, security);
        return 0;
    }
    for (int i = 1; i < (int)(sizeof names / sizeof *names); i++) {
        if (!strcmp(channel, names[i])) {
            ENGINE(se_server_security, s->handle, i, security);
            return 0;
        }
    }
    return -1;
}

int spice_server_add_renderer(SpiceServer *s, const char *name)
{
    (void)s;
    return strcmp(name, "sw") ? -1 : 0;
}

static void tell_levels(SpiceServer *s)
{
    for (QXLState *st = s->devices; st; st = st->next) {
        qxl_level(st);
    }
}

int spice_server_set_image_compression(SpiceServer *s, SpiceImageCompression comp)
{
    if (comp < SPICE_IMAGE_COMPRESSION_OFF || comp > SPICE_IMAGE_COMPRESSION_LZ4) {
        return -1;
    }
    if (s->compression != comp) {
        s->compression = comp;
        tell_levels(s);
        ENGINE(se_server_images, s->handle, (int)comp, 0, 0);
    }
    return 0;
}

SpiceImageCompression spice_server_get_image_compression(SpiceServer *s)
{
    return s->compression;
}

static bool wan(spice_wan_compression_t comp)
{
    return comp >= SPICE_WAN_COMPRESSION_AUTO && comp <= SPICE_WAN_COMPRESSION_NEVER;
}

int spice_server_set_jpeg_compression(SpiceServer *s, spice_wan_compression_t comp)
{
    if (!wan(comp)) {
        return -1;
    }
    ENGINE(se_server_images, s->handle, 0, (int)comp, 0);
    return 0;
}

int spice_server_set_zlib_glz_compression(SpiceServer *s, spice_wan_compression_t comp)
{
    if (!wan(comp)) {
        return -1;
    }
    ENGINE(se_server_images, s->handle, 0, 0, (int)comp);
    return 0;
}

int spice_server_set_streaming_video(SpiceServer *s, int value)
{
    if (value < SPICE_STREAM_VIDEO_OFF || value > SPICE_STREAM_VIDEO_FILTER) {
        return -1;
    }
    s->streaming = value;
    tell_levels(s);
    return ENGINE(se_server_video, s->handle, value, NULL);
}

/* Whether a list's entry of this length is one of the codecs there are. */
static bool known_codec(const char *entry, size_t n)
{
    const char *at = CODECS;
    while (*at) {
        size_t len = strcspn(at, ";");
        if (len == n && !strncmp(at, entry, n)) {
            return true;
        }
        at += len + (at[len] == ';');
    }
    return false;
}

int spice_server_set_video_codecs(SpiceServer *s, const char *video_codecs)
{
    if (!video_codecs || !strcmp(video_codecs, "auto")) {
        video_codecs = CODECS;
    }
    char *list = calloc(1, strlen(video_codecs) + 2);
    if (!list) {
        return -1;
    }
    for (const char *at = video_codecs; *at;) {
        size_t n = strcspn(at, ";");
        if (known_codec(at, n)) {
            strcat(list, *list ? ";" : "");
            strncat(list, at, n);
        }
        at += n + (at[n] == ';');
    }
    if (!*list || ENGINE(se_server_video, s->handle, 0, list)) {
        free(list);
        return -1;
    }
    free(s->codecs);
    s->codecs = list;
    return 0;
}

const char *spice_server_get_video_codecs(SpiceServer *s)
{
    return strdup(s->codecs);
}

void spice_server_free_video_codecs(SpiceServer *s, const char *video_codecs)
{
    (void)s;
    free((void *)(uintptr_t)video_codecs);
}

static void all_devices(SpiceServer *s, uint32_t op)
{
    for (QXLState *st = s->devices; st; st = st->next) {
        qxl_simple(st, op);
    }
}

void spice_server_vm_start(SpiceServer *s)
{
    s->running = true;
    all_devices(s, SE_START);
}

void spice_server_vm_stop(SpiceServer *s)
{
    s->running = false;
    all_devices(s, SE_STOP);
}

int spice_server_get_sock_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen)
{
    (void)s, (void)sa, (void)salen;
    return -1;
}

int spice_server_get_peer_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen)
{
    (void)s, (void)sa, (void)salen;
    return -1;
}
