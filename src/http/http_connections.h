/* The connections that are open, and until when each may keep the server waiting.
 *
 * libmicrohttpd closes a connection that is silent. One that sends a byte now and then is
 * not silent, and would hold its place for ever; so is one that takes a byte of a reply now
 * and then, which would hold the memory of it too. Here each has a time by which the next
 * thing must have come or gone as a whole (all headers, the next piece of a body, a reply),
 * and is shut down after it. Safe for any number of threads. */
#ifndef VMP_HTTP_CONNECTIONS_H
#define VMP_HTTP_CONNECTIONS_H

#include <microhttpd.h>
#include <stdint.h>

#include "err.h"

typedef struct vmp_http_connections vmp_http_connections;

/* seconds: how long the next thing may take. -VMP_ENOMEM; -VMP_EIO: no thread (err->os_errno). */
int vmp_http_connections_new(vmp_http_connections **ret_c, unsigned seconds, vmp_err *err);
/* All connections must be closed. Accepts NULL in it. */
void vmp_http_connections_free(vmp_http_connections **c);

/* For MHD_OPTION_NOTIFY_CONNECTION; ctx is the vmp_http_connections. */
void vmp_http_connections_notify(void *ctx, struct MHD_Connection *connection, void **state,
    enum MHD_ConnectionNotificationCode what);

enum vmp_http_wait {
    VMP_HTTP_WAIT_NOT,  /* it is our turn */
    VMP_HTTP_WAIT_BODY, /* for the next piece of a body, or its end */
    VMP_HTTP_WAIT_NEXT, /* for the next request; silence is libmicrohttpd's to end */
};

/* Tells what the server waits for from now on. */
void vmp_http_connections_wait(
    vmp_http_connections *c, struct MHD_Connection *connection, enum vmp_http_wait what);
/* The same: that a reply with so many bytes of body is taken. */
void vmp_http_connections_wait_reply(
    vmp_http_connections *c, struct MHD_Connection *connection, uint64_t bytes);

#endif
