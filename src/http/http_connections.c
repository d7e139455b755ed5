#include "http_connections.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "http_internal.h"

/* Of a reply, in a second: a page of some megabytes would take minutes by it, so that nobody who
 * waits for one is slower. */
static const uint64_t slowest_reader_bytes = 16 << 10;

/* One that is open; libmicrohttpd keeps the pointer to it. */
typedef struct open_connection {
    struct open_connection *next, **link; /* link: what points to this one */
    int fd;
    int64_t until_ns; /* 0: for ever */
} open_connection;

struct vmp_http_connections {
    int64_t limit_ns;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    pthread_t watcher;
    open_connection *first;
    bool ending;
};

/* Shuts down what is late. The descriptor is still the connection's: it is closed after
 * the notification that takes the connection off the list. */
static void
shut_late(vmp_http_connections *c, int64_t now_ns)
{
    for (open_connection *one = c->first; one; one = one->next) {
        if (one->until_ns == 0 || one->until_ns > now_ns)
            continue;
        shutdown(one->fd, SHUT_RDWR);
        one->until_ns = 0;
    }
}

/* Looks four times within the limit, while there are connections. */
static void *
watch(void *ctx)
{
    vmp_http_connections *c = ctx;
    pthread_mutex_lock(&c->lock);
    while (!c->ending) {
        if (!c->first) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        int64_t look_ns = vmp_http_clock_ns() + c->limit_ns / 4;
        struct timespec look = {(time_t)(look_ns / 1000000000), (long)(look_ns % 1000000000)};
        pthread_cond_timedwait(&c->changed, &c->lock, &look);
        shut_late(c, vmp_http_clock_ns());
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

int
vmp_http_connections_new(vmp_http_connections **ret_c, unsigned seconds, vmp_err *err)
{
    pthread_condattr_t monotonic;
    vmp_http_connections *c = calloc(1, sizeof(*c));
    if (!c)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    c->limit_ns = (int64_t)seconds * 1000000000;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int failed = pthread_create(&c->watcher, NULL, watch, c);
    if (failed) {
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return vmp_err_set(err, VMP_EIO, failed, 0, "no thread to be had: %s", strerror(failed));
    }
    *ret_c = c;
    return 0;
}

void
vmp_http_connections_free(vmp_http_connections **c)
{
    if (!*c)
        return;
    pthread_mutex_lock(&(*c)->lock);
    (*c)->ending = true;
    pthread_cond_signal(&(*c)->changed);
    pthread_mutex_unlock(&(*c)->lock);
    pthread_join((*c)->watcher, NULL);
    pthread_cond_destroy(&(*c)->changed);
    pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

static void
begin(vmp_http_connections *c, struct MHD_Connection *connection, void **state)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    open_connection *one = calloc(1, sizeof(*one));
    /* Without memory for it a connection has libmicrohttpd's limit alone. */
    *state = one;
    if (!one)
        return;
    one->fd = info->connect_fd;
    one->until_ns = vmp_http_clock_ns() + c->limit_ns;
    pthread_mutex_lock(&c->lock);
    one->next = c->first;
    one->link = &c->first;
    if (one->next)
        one->next->link = &one->next;
    else
        pthread_cond_signal(&c->changed);
    c->first = one;
    pthread_mutex_unlock(&c->lock);
}

static void
end(vmp_http_connections *c, open_connection *one)
{
    if (!one)
        return;
    pthread_mutex_lock(&c->lock);
    *one->link = one->next;
    if (one->next)
        one->next->link = one->link;
    pthread_mutex_unlock(&c->lock);
    free(one);
}

void
vmp_http_connections_notify(void *ctx, struct MHD_Connection *connection, void **state,
    enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        begin(ctx, connection, state);
    } else {
        end(ctx, *state);
        *state = NULL;
    }
}

/* limit_ns: from now on; 0: for ever. */
static void
wait_for(vmp_http_connections *c, struct MHD_Connection *connection, int64_t limit_ns)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    open_connection *one = info->socket_context;
    if (!one)
        return;
    pthread_mutex_lock(&c->lock);
    one->until_ns = limit_ns ? vmp_http_clock_ns() + limit_ns : 0;
    pthread_mutex_unlock(&c->lock);
}

void
vmp_http_connections_wait(
    vmp_http_connections *c, struct MHD_Connection *connection, enum vmp_http_wait what)
{
    /* The next request may begin just before silence would have ended the connection. */
    int64_t limit_ns = what == VMP_HTTP_WAIT_NOT    ? 0
                       : what == VMP_HTTP_WAIT_NEXT ? 2 * c->limit_ns
                                                    : c->limit_ns;
    wait_for(c, connection, limit_ns);
}

void
vmp_http_connections_wait_reply(
    vmp_http_connections *c, struct MHD_Connection *connection, uint64_t bytes)
{
    wait_for(c, connection, c->limit_ns + (int64_t)(bytes / slowest_reader_bytes) * 1000000000);
}
