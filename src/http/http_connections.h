/* The connections that are open, and until when each may keep the server waiting.
 *
 * libmicrohttpd closes a connection that is silent. One that sends a byte now and then is
 * not silent, and would hold its place for ever: here each has a time by which the next
 * thing must have come as a whole (all headers, the next piece of a body), and is shut down
 * after it. Safe for any number of threads. */
#ifndef VMP_HTTP_CONNECTIONS_H
#define VMP_HTTP_CONNECTIONS_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdint.h>

typedef struct vmp_http_connections vmp_http_connections;

/* seconds: how long the next thing may take. NULL: no memory, or no thread. */
vmp_http_connections *vmp_http_connections_new(unsigned seconds);
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

#endif
