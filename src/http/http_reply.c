#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http_internal.h"

static const char json_type[] = "application/json; charset=utf-8";

vmp_json
vmp_http_reply_json(vmp_http_request *r, int status)
{
    r->status = status;
    r->type = json_type;
    vmp_out_clear(&r->out);
    return vmp_json_to(&r->out);
}

void
vmp_http_reply_error(vmp_http_request *r, int status, const char *text)
{
    /* What there was of another reply may be large. */
    vmp_out_fini(&r->out);
    vmp_out_init(&r->out, -1);
    vmp_json j = vmp_http_reply_json(r, status);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "error", vmp_str_from(text));
    vmp_json_end(&j, '}');
    vmp_out_text(&r->out, "\n");
}

void
vmp_http_reply_rc(vmp_http_request *r, int rc)
{
    int status;
    switch (-rc) {
    case VMP_ENOTFOUND:
        status = MHD_HTTP_NOT_FOUND;
        break;
    case VMP_EINVAL:
    case VMP_EFORMAT:
    case VMP_EVERSION:
    case VMP_ECORRUPT:
    case VMP_ELIMIT:
    case VMP_EUNSUPPORTED:
        status = MHD_HTTP_BAD_REQUEST;
        break;
    case VMP_ENOMEM:
    case VMP_EBUSY:
        status = MHD_HTTP_SERVICE_UNAVAILABLE;
        break;
    default:
        status = r->err.os_errno == ENOSPC || r->err.os_errno == EDQUOT || r->err.os_errno == EFBIG
                     ? MHD_HTTP_INSUFFICIENT_STORAGE
                     : MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    vmp_http_reply_error(r, status, r->err.code ? r->err.text : vmp_err_text(rc));
}

int
vmp_http_bad(vmp_http_request *r, const char *fmt, ...)
{
    char text[sizeof(r->err.text)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return vmp_err_set(&r->err, VMP_EINVAL, 0, 0, "%s", text);
}

static const char *const policies[] = {
    [VMP_HTTP_NO_PAGE] = "default-src 'none'; frame-ancestors 'none'; sandbox",
    [VMP_HTTP_START_PAGE] =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    /* What cannot stand in a page. */
    [VMP_HTTP_VIEWER] = "frame-ancestors 'none'",
};

/* What every reply carries: nothing of it is kept by others, shown within a page of
 * others, or run. */
static void
add_headers(const vmp_http_request *r, struct MHD_Response *response)
{
    static const char *const always[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    MHD_add_response_header(response, "Content-Security-Policy", policies[r->page]);
    if (r->type)
        MHD_add_response_header(response, "Content-Type", r->type);
    if (r->location)
        MHD_add_response_header(response, "Location", r->location);
    if (r->cookie)
        MHD_add_response_header(response, "Set-Cookie", r->cookie);
    if (r->allow)
        MHD_add_response_header(response, "Allow", r->allow);
    if (r->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Token");
}

static void
count(const vmp_http_request *r)
{
    if (r->status > 0 && r->status < VMP_HTTP_MAX_STATUS)
        atomic_fetch_add(&r->server->replies[r->status / 100], 1);
}

enum MHD_Result
vmp_http_reply_send(vmp_http_request *r)
{
    struct MHD_Response *response = r->stream;
    if (!response && r->out.rc < 0) {
        /* No memory for the reply; the few bytes of this one may be there. */
        vmp_http_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, vmp_err_text(-VMP_ENOMEM));
    }
    uint64_t size = response ? r->stream_bytes : r->out.n;
    if (!response && r->out.p) {
        response = MHD_create_response_from_buffer(r->out.n, r->out.p, MHD_RESPMEM_MUST_FREE);
        if (response)
            vmp_out_init(&r->out, -1); /* its memory is the response's now */
    } else if (!response) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    if (!response)
        return MHD_NO;
    r->stream = NULL;
    add_headers(r, response);
    count(r);
    vmp_http_connections_wait_reply(r->server->connections, r->connection, size);
    enum MHD_Result rc = MHD_queue_response(r->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return rc;
}
