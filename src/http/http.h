/* The server of profiles: takes logs, keeps them in a store, shows them.
 *
 * What it speaks is documented in docs/server.md and docs/openapi.json. One thread
 * serves each connection, so a slow client holds up nobody else. */
#ifndef VMP_HTTP_H
#define VMP_HTTP_H

#include <stdint.h>

#include "err.h"
#include "out.h"
#include "profile.h"
#include "store.h"

/* Writes a view of a profile as JSON.
 * log   what the view calls the log.
 * argv  options as of the command line, "--name=value", from argv[1] on, then NULL.
 * Returns 0, -VMP_ENOTFOUND (no such view), -VMP_EINVAL (err: what is wrong with an
 * option), -VMP_ENOMEM. Called by any thread. */
typedef int vmp_http_render(vmp_out *out, const vmp_profile *p, const char *log, const char *view,
    int argc, char **argv, vmp_err *err);

typedef struct vmp_http_options {
    vmp_store *store; /* borrowed */
    const char *host; /* address or name to listen at */
    uint16_t port;    /* 0: any that is free */
    vmp_str token;    /* what requests must show; empty: nothing */
    uint64_t max_upload_bytes;
    uint64_t cache_bytes;  /* of loaded profiles that are kept */
    unsigned wait_seconds; /* >= 1: for silent or slow clients, see http_server.c */
    vmp_http_render *render;
} vmp_http_options;

typedef struct vmp_http vmp_http;

/* Begins to serve. The options, and what they point to, must outlive it.
 * Errors: -VMP_EIO (err->os_errno), -VMP_EINVAL (no such host), -VMP_ENOMEM. */
int vmp_http_start(vmp_http **ret_h, const vmp_http_options *options, vmp_err *err);
uint16_t vmp_http_port(const vmp_http *h);
/* Takes no more connections, lets the requests that are under way end (for at most
 * ten seconds), then ends. Accepts NULL in it. */
void vmp_http_stop(vmp_http **h);

#endif
