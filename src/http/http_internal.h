/* What the files of the server share. */
#ifndef VMP_HTTP_INTERNAL_H
#define VMP_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "arena.h"
#include "http.h"
#include "http_cache.h"
#include "http_connections.h"
#include "http_form.h"
#include "http_text.h"
#include "jitlog.h"
#include "json_in.h"
#include "json_out.h"

enum {
    VMP_HTTP_MAX_JSON = 64 << 10, /* bytes of a body of JSON */
    /* How many logs are loaded at a time: a log may define much more than it is long. */
    VMP_HTTP_LOADERS = 2,
    VMP_HTTP_MAX_STATUS = 600,
    VMP_HTTP_SESSION_BYTES = 32,
    VMP_HTTP_SESSIONS = 64, /* browsers that are signed in; one more takes the oldest one's place */
};

typedef struct vmp_http_request vmp_http_request;

/* Answers r, whose body is whole. Returns 0 with the reply made, or an error with r->err
 * filled, which becomes the reply. */
typedef int vmp_http_handler(vmp_http_request *r);

enum vmp_http_body { VMP_HTTP_NO_BODY, VMP_HTTP_JSON_BODY, VMP_HTTP_LOG_BODY };

enum {
    VMP_HTTP_OPEN = 1,  /* without a token */
    VMP_HTTP_PAGE = 2,  /* "/profiles/...", for a browser: without a token it is led to "/#/..." */
    VMP_HTTP_FORM = 4,  /* the body may be the file of a form */
    VMP_HTTP_TOKEN = 8, /* the token itself: a session is not enough */
};

typedef struct vmp_http_route {
    const char *method;
    const char *pattern; /* of vmp_http_match */
    vmp_http_handler *handler;
    enum vmp_http_body body;
    unsigned flags;
} vmp_http_route;

/* All routes, ended by a NULL method. */
extern const vmp_http_route vmp_http_routes[];

enum vmp_http_page {
    VMP_HTTP_NO_PAGE,
    VMP_HTTP_START_PAGE, /* has scripts and styles of this server */
    VMP_HTTP_VIEWER,     /* has a policy in itself, which names its scripts by their hashes */
};

struct vmp_http_request {
    vmp_http *server;
    struct MHD_Connection *connection;
    vmp_arena arena;
    vmp_str target; /* as in the request line */
    vmp_str path, query;
    const char *method;
    const vmp_http_route *route;
    vmp_str captured[VMP_HTTP_MAX_CAPTURED]; /* decoded */
    vmp_spool *body;
    vmp_http_form *form; /* what the body is taken out of; NULL: nothing */
    int64_t began_ns;    /* of a monotonic clock */
    uint64_t came;       /* bytes of the body, those that were thrown away too */
    bool seen;           /* the headers were looked at */
    vmp_err err;
    /* The reply: from `stream` if it is not NULL, else the bytes of `out`. */
    int status;
    const char *type;              /* Content-Type */
    const char *allow;             /* with 405 */
    const char *location, *cookie; /* for the headers; NULL: none */
    vmp_out out;
    struct MHD_Response *stream;
    uint64_t stream_bytes;
    enum vmp_http_page page;
};

/* Hexadecimal; empty: none. */
typedef struct vmp_http_session {
    char text[2 * VMP_HTTP_SESSION_BYTES + 1];
} vmp_http_session;

struct vmp_http {
    const vmp_http_options *options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    vmp_http_cache *cache;
    vmp_http_connections *connections;
    pthread_mutex_t loading;
    pthread_cond_t loaded;
    int loaders;
    int64_t began_ns;
    pthread_mutex_t signing;                      /* of sessions and signed_in */
    vmp_http_session sessions[VMP_HTTP_SESSIONS]; /* cookies of who has shown the token */
    unsigned signed_in;                           /* how many have */
    /* For /metrics. */
    atomic_uint_fast64_t replies[VMP_HTTP_MAX_STATUS / 100];
    atomic_uint_fast64_t uploads, uploaded_bytes, broken_off;
    atomic_int active; /* requests */
};

int64_t vmp_http_clock_ns(void);

/* ------------------------------------------------------------- replies */

/* Begins a reply of JSON: r->out takes it. */
vmp_json vmp_http_reply_json(vmp_http_request *r, int status);
/* {"error": text} */
void vmp_http_reply_error(vmp_http_request *r, int status, const char *text);
/* The reply to an error of a handler. */
void vmp_http_reply_rc(vmp_http_request *r, int rc);
/* Hands the reply to the connection. */
enum MHD_Result vmp_http_reply_send(vmp_http_request *r);

/* ------------------------------------------------------------- sessions */

/* Whether r has the cookie of a session. */
bool vmp_http_session_is_shown(const vmp_http_request *r);
/* Leads a browser that may not see a page to where it is asked for the token; false: r is not
 * of that kind. */
bool vmp_http_session_ask(vmp_http_request *r);

/* ------------------------------------------------------------ requests */

vmp_str vmp_http_header(const vmp_http_request *r, const char *name);
/* The route of method and path, with r->captured; NULL with a reply made. */
const vmp_http_route *vmp_http_find_route(vmp_http_request *r);
/* Reads a body of JSON as it is in memory (bodies of JSON always are). */
vmp_json_in vmp_http_body_json(vmp_http_request *r);
/* -VMP_EINVAL with a text that may be shown. */
int vmp_http_bad(vmp_http_request *r, const char *fmt, ...) VMP_PRINTF(2, 3);

/* --------------------------------------------------------------- logs */

/* Waits until one more log may be loaded. */
void vmp_http_loading_begin(vmp_http *h);
void vmp_http_loading_end(vmp_http *h);
/* Reads what the body is and says of itself into *item (texts live in the arena of r), where
 * what it does not tell stays, and stores it; a kind other than 0 asks for that kind. Errors: those
 * of load.h for what is no log, those of the store. */
int vmp_http_ingest(vmp_http_request *r, vmp_store_item *item, bool *ret_new);
/* Copies the bytes of an item out of the store. */
int vmp_http_fetch(vmp_http_request *r, vmp_str id, vmp_spool **ret_bytes);
/* A loaded profile, to be given back by vmp_http_cache_release. -VMP_ENOTFOUND;
 * -VMP_EINVAL: the item is a jitlog. */
int vmp_http_profile(vmp_http_request *r, vmp_str id, const vmp_profile **ret_p);
/* Loads an item anew, with its samples one by one; within vmp_http_loading_begin. Errors: as
 * vmp_http_profile. */
int vmp_http_load_samples(vmp_http_request *r, vmp_str id, vmp_profile **ret_p);
/* The same of a jitlog; -VMP_EINVAL: it is none. */
int vmp_http_jitlog(vmp_http_request *r, vmp_str id, vmp_jitlog **ret_j);
/* The id of the jitlog that came for the same run as the item, or an empty text. */
int vmp_http_jitlog_of(
    vmp_http_request *r, const vmp_store_item *item, char ret_id[VMP_STORE_ID_SIZE]);

/* ------------------------------------------------------------- routes */

vmp_http_handler vmp_api_create, vmp_api_list, vmp_api_get, vmp_api_change, vmp_api_remove,
    vmp_api_bytes, vmp_api_view;
vmp_http_handler vmp_api_health, vmp_api_metrics;
vmp_http_handler vmp_api_sign_in, vmp_api_sign_out;
/* "py:NAME:LINE:FILE", as the old reader called a function. */
void vmp_old_put_name(vmp_json *j, const vmp_profile *p, vmp_function_id id);
/* The lines of the program that a trace passes through, as far as the log has them. */
int vmp_old_put_lines(vmp_json *j, const vmp_jitlog *log, const vmp_jitlog_trace *t);

vmp_http_handler vmp_old_memorygraph, vmp_old_jit_meta, vmp_old_jit_trace, vmp_old_jit_stitches;
vmp_http_handler vmp_old_run_new, vmp_old_upload_cpu, vmp_old_upload_jit, vmp_old_freeze,
    vmp_old_list, vmp_old_get, vmp_old_flamegraph;
vmp_http_handler vmp_page_index, vmp_page_script, vmp_page_style, vmp_page_viewer;

#endif
