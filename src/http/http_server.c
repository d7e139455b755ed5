/* From a connection to a handler, and back.
 *
 * libmicrohttpd calls for one request: on_target with the request line; on_request once the
 * headers are there, again for each piece of the body, and once more at its end; and
 * on_completed in any case. A reply can be given at the first and at the last call of
 * on_request alone. So a request that is refused while its body still comes has the rest
 * of the body thrown away, and its reply at the end: a client that is still sending would
 * not read it before. What is refused by its headers and long is answered at once, and the
 * connection closed.
 *
 * Limits: headers and request line are bounded by the memory of the connection. The
 * option wait_seconds bounds, each for itself, silence, which libmicrohttpd counts anew from
 * when a reply is given to it, however long that took to make; the time that all headers of a
 * request take, however few bytes at a time they come; that up to the next piece of a
 * body; that of a body which is slower than SLOW_BYTES a second; and, beyond what it takes
 * by the lowest rate in http_connections.c, that in which a reply is taken. MAX_CONNECTIONS are
 * served at a time, MAX_OF_ADDRESS of them from one address; further ones wait, or are
 * closed at once if they are of such an address. */
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http_internal.h"

static_assert((size_t)VMP_HTTP_MAX_JSON <= (size_t)VMP_SPOOL_IN_MEMORY,
    "bodies of JSON are read where they are");

enum {
    MAX_CONNECTIONS = 256,
    MAX_OF_ADDRESS = 192, /* most, since all may come through one proxy */
    CONNECTION_BYTES = 64 << 10,
    SLOW_BYTES = 1024,
    DRAIN_BYTES = 4 << 20, /* of a body that was refused by the headers */
    STOP_SECONDS = 10,
    BACKLOG = 128,
};

int64_t
vmp_http_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

vmp_str
vmp_http_header(const vmp_http_request *r, const char *name)
{
    return vmp_str_from(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

vmp_json_in
vmp_http_body_json(vmp_http_request *r)
{
    int fd;
    return vmp_json_in_from(vmp_spool_bytes(r->body, &fd), &r->arena);
}

static void *
on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    vmp_http *h = ctx;
    vmp_http_request *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->server = h;
    r->connection = connection;
    r->began_ns = vmp_http_clock_ns();
    vmp_out_init(&r->out, -1);
    char *copy = vmp_arena_copy(&r->arena, vmp_str_from(target));
    r->target = vmp_str_from(copy);
    atomic_fetch_add(&h->active, 1);
    return r;
}

static void
on_completed(
    void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
    vmp_http *h = ctx;
    vmp_http_request *r = *state;
    if (!r)
        return;
    if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && r->body)
        atomic_fetch_add(&h->broken_off, 1);
    if (r->stream)
        MHD_destroy_response(r->stream);
    vmp_http_form_free(&r->form);
    vmp_spool_free(&r->body);
    vmp_out_fini(&r->out);
    vmp_arena_fini(&r->arena);
    free(r);
    *state = NULL;
    vmp_http_connections_wait(h->connections, connection, VMP_HTTP_WAIT_NEXT);
    atomic_fetch_sub(&h->active, 1);
}

static bool
is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Whether a page of another site made this request: browsers say so. */
static bool
is_cross_site(const vmp_http_request *r, vmp_str host)
{
    vmp_str origin = vmp_http_header(r, "Origin"), site = vmp_http_header(r, "Sec-Fetch-Site");
    if (origin.p && !vmp_http_origin_is_ours(origin, host))
        return true;
    return site.p && !vmp_str_equal(site, vmp_str_from("same-origin")) &&
           !vmp_str_equal(site, vmp_str_from("none"));
}

/* Looks at who asks. False: the reply is made. */
static bool
check_sender(vmp_http_request *r)
{
    const vmp_http_options *options = r->server->options;
    vmp_str host = vmp_http_header(r, "Host");
    if (!vmp_http_host_is_ours(host, vmp_str_from(options->host))) {
        vmp_http_reply_error(r, MHD_HTTP_MISDIRECTED_REQUEST,
            "the Host header is not a name of this server: use its address, or localhost");
        return false;
    }
    if (!is_safe(r->method) && is_cross_site(r, host)) {
        vmp_http_reply_error(
            r, MHD_HTTP_FORBIDDEN, "a page of another site may not change anything here");
        return false;
    }
    bool session = !(r->route->flags & VMP_HTTP_TOKEN) && vmp_http_session_is_shown(r);
    if (options->token.n && !(r->route->flags & VMP_HTTP_OPEN) && !session &&
        !vmp_http_token_is(vmp_http_header(r, "Authorization"), options->token)) {
        if (vmp_http_session_ask(r))
            return false;
        vmp_http_reply_error(
            r, MHD_HTTP_UNAUTHORIZED, "this server wants its token: Authorization: Token ...");
        return false;
    }
    return true;
}

static uint64_t
max_body(const vmp_http_request *r)
{
    return r->route->body == VMP_HTTP_LOG_BODY ? r->server->options->max_upload_bytes
                                               : VMP_HTTP_MAX_JSON;
}

static void
refuse_size(vmp_http_request *r)
{
    char text[96];
    snprintf(text, sizeof(text), "the body is larger than the %llu bytes that are taken",
        (unsigned long long)max_body(r));
    vmp_http_reply_error(r, MHD_HTTP_CONTENT_TOO_LARGE, text);
}

/* The length of the body that comes; UINT64_MAX if it is not told. */
static uint64_t
told_length(const vmp_http_request *r)
{
    uint64_t length;
    vmp_str told = vmp_http_header(r, "Content-Length");
    if (told.p)
        return vmp_http_uint(told, &length) ? length : UINT64_MAX;
    return vmp_http_header(r, "Transfer-Encoding").p ? UINT64_MAX : 0;
}

/* Looks at the headers. Afterwards r->status is 0 if the body is wanted. */
static void
look_at_headers(vmp_http_request *r, uint64_t length)
{
    vmp_http_split(r->target, &r->path, &r->query);
    r->route = r->method ? vmp_http_find_route(r) : NULL;
    if (!r->route) {
        if (!r->status)
            vmp_http_reply_rc(r, -VMP_ENOMEM);
        return;
    }
    if (!check_sender(r))
        return;
    if (length != UINT64_MAX && length > max_body(r)) {
        refuse_size(r);
        return;
    }
    int rc = vmp_spool_new(&r->body, r->server->options->store->folder, &r->err);
    if (rc == 0 && r->route->flags & VMP_HTTP_FORM)
        rc = vmp_http_form_new(&r->form, r->connection, r->body, &r->err);
    if (rc < 0)
        vmp_http_reply_rc(r, rc);
}

/* Takes a piece of the body. MHD_NO closes the connection. */
static enum MHD_Result
take_body(vmp_http_request *r, const char *p, size_t n)
{
    int64_t seconds = (vmp_http_clock_ns() - r->began_ns) / 1000000000;
    r->came += n;
    if (seconds >= r->server->options->wait_seconds && r->came < (uint64_t)seconds * SLOW_BYTES)
        return MHD_NO;
    if (r->status)
        return MHD_YES;
    if (r->came > max_body(r)) { /* its length was not told */
        refuse_size(r);
        return MHD_YES;
    }
    int rc =
        r->form ? vmp_http_form_put(r->form, p, n, &r->err) : vmp_spool_put(r->body, p, n, &r->err);
    if (rc < 0) {
        vmp_http_reply_rc(r, rc);
        vmp_http_form_free(&r->form);
        vmp_spool_free(&r->body); /* gives the disk back */
    }
    return MHD_YES;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *data, size_t *data_size, void **state)
{
    vmp_http *h = ctx;
    vmp_http_request *r = *state;
    (void)url;
    (void)version;
    if (!r || !r->target.p)
        return MHD_NO;
    if (!r->seen) {
        uint64_t length = told_length(r);
        r->seen = true;
        vmp_http_connections_wait(h->connections, connection, VMP_HTTP_WAIT_BODY);
        r->method = vmp_arena_copy(&r->arena, vmp_str_from(method));
        look_at_headers(r, length);
        if (r->status && (length > DRAIN_BYTES || vmp_http_header(r, "Expect").p))
            return vmp_http_reply_send(r);
        return MHD_YES;
    }
    if (*data_size > 0) {
        enum MHD_Result rc = take_body(r, data, *data_size);
        *data_size = 0;
        vmp_http_connections_wait(h->connections, connection, VMP_HTTP_WAIT_BODY);
        return rc;
    }
    vmp_http_connections_wait(h->connections, connection, VMP_HTTP_WAIT_NOT);
    if (!r->status) {
        int rc = r->form ? vmp_http_form_end(r->form, &r->err) : 0;
        if (rc == 0)
            rc = r->route->handler(r);
        if (rc < 0)
            vmp_http_reply_rc(r, rc);
    }
    return vmp_http_reply_send(r);
}

static int
listen_at(const char *host, uint16_t port, vmp_err *err)
{
    char service[8];
    struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    snprintf(service, sizeof(service), "%u", port);
    int rc = getaddrinfo(host, service, &want, &found);
    if (rc != 0)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "%s: %s", host, gai_strerror(rc));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        fd = vmp_err_set(err, VMP_EIO, saved, 0, "%s port %u: %s", host, port, strerror(saved));
    }
    freeaddrinfo(found);
    return fd;
}

static uint16_t
port_of(int fd)
{
    char service[8];
    struct sockaddr_storage at;
    socklen_t n = sizeof(at);
    if (getsockname(fd, (struct sockaddr *)&at, &n) < 0 ||
        getnameinfo((struct sockaddr *)&at, n, NULL, 0, service, sizeof(service), NI_NUMERICSERV))
        return 0;
    return (uint16_t)strtoul(service, NULL, 10);
}

/* What libmicrohttpd has to say is of clients that went away. */
static void
be_silent(void *ctx, const char *fmt, va_list args)
{
    (void)ctx;
    (void)fmt;
    (void)args;
}

static void
http_free(vmp_http **h)
{
    vmp_http_cache_free(&(*h)->cache);
    vmp_http_connections_free(&(*h)->connections);
    pthread_mutex_destroy(&(*h)->loading);
    pthread_cond_destroy(&(*h)->loaded);
    pthread_mutex_destroy(&(*h)->signing);
    free(*h);
    *h = NULL;
}

int
vmp_http_start(vmp_http **ret_h, const vmp_http_options *options, vmp_err *err)
{
    int fd = listen_at(options->host, options->port, err);
    if (fd < 0)
        return fd;
    vmp_http *h = calloc(1, sizeof(*h));
    if (!h) {
        close(fd);
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    }
    h->cache = vmp_http_cache_new(options->cache_bytes);
    int rc = h->cache ? vmp_http_connections_new(&h->connections, options->wait_seconds, err)
                      : vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    if (rc < 0) {
        vmp_http_cache_free(&h->cache);
        free(h);
        close(fd);
        return rc;
    }
    h->options = options;
    h->port = port_of(fd);
    h->began_ns = vmp_http_clock_ns();
    pthread_mutex_init(&h->loading, NULL);
    pthread_cond_init(&h->loaded, NULL);
    pthread_mutex_init(&h->signing, NULL);
    h->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, be_silent, NULL,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
        vmp_http_connections_notify, h->connections, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)MAX_OF_ADDRESS,
        MHD_OPTION_CONNECTION_TIMEOUT, options->wait_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    if (!h->daemon) {
        int saved = errno;
        close(fd);
        http_free(&h);
        return vmp_err_set(err, VMP_EIO, saved, 0, "the server did not start: %s", strerror(saved));
    }
    *ret_h = h;
    return 0;
}

uint16_t
vmp_http_port(const vmp_http *h)
{
    return h->port;
}

void
vmp_http_stop(vmp_http **h)
{
    enum { LOOK_NS = 10 * 1000 * 1000 };
    const struct timespec look = {0, LOOK_NS};
    if (!*h)
        return;
    int fd = MHD_quiesce_daemon((*h)->daemon);
    int64_t end_ns = vmp_http_clock_ns() + (int64_t)STOP_SECONDS * 1000000000;
    while (atomic_load(&(*h)->active) > 0 && vmp_http_clock_ns() < end_ns)
        nanosleep(&look, NULL);
    MHD_stop_daemon((*h)->daemon);
    if (fd >= 0)
        close(fd);
    http_free(h);
}
