/* Every path that is served. What is in docs/openapi.json is held against this table by
 * a test. */
#include <string.h>

#include "http_internal.h"

const vmp_http_route vmp_http_routes[] = {
    {"GET", "/", vmp_page_index, VMP_HTTP_NO_BODY, VMP_HTTP_OPEN},
    {"GET", "/profiles.js", vmp_page_script, VMP_HTTP_NO_BODY, VMP_HTTP_OPEN},
    {"GET", "/profiles.css", vmp_page_style, VMP_HTTP_NO_BODY, VMP_HTTP_OPEN},
    {"GET", "/profiles/{}", vmp_page_viewer, VMP_HTTP_NO_BODY, VMP_HTTP_PAGE},
    {"GET", "/healthz", vmp_api_health, VMP_HTTP_NO_BODY, VMP_HTTP_OPEN},
    {"GET", "/metrics", vmp_api_metrics, VMP_HTTP_NO_BODY, 0},

    {"POST", "/api/v1/session", vmp_api_sign_in, VMP_HTTP_NO_BODY, VMP_HTTP_TOKEN},
    {"DELETE", "/api/v1/session", vmp_api_sign_out, VMP_HTTP_NO_BODY, VMP_HTTP_OPEN},
    {"POST", "/api/v1/profiles", vmp_api_create, VMP_HTTP_LOG_BODY, 0},
    {"GET", "/api/v1/profiles", vmp_api_list, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/v1/profiles/{}", vmp_api_get, VMP_HTTP_NO_BODY, 0},
    {"PATCH", "/api/v1/profiles/{}", vmp_api_change, VMP_HTTP_JSON_BODY, 0},
    {"DELETE", "/api/v1/profiles/{}", vmp_api_remove, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/v1/profiles/{}/log", vmp_api_bytes, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/v1/profiles/{}/view/{}", vmp_api_view, VMP_HTTP_NO_BODY, 0},

    /* Of vmprof before 1.0. */
    {"POST", "/api/runtime/new", vmp_old_run_new, VMP_HTTP_JSON_BODY, 0},
    {"POST", "/api/runtime/upload/cpu/{}/add", vmp_old_upload_cpu, VMP_HTTP_LOG_BODY,
        VMP_HTTP_FORM},
    {"POST", "/api/runtime/upload/jit/{}/add", vmp_old_upload_jit, VMP_HTTP_LOG_BODY,
        VMP_HTTP_FORM},
    {"POST", "/api/runtime/{}/freeze", vmp_old_freeze, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/log", vmp_old_list, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/profile", vmp_old_list, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/log/{}", vmp_old_get, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/profile/{}", vmp_old_get, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/flamegraph/{}/get", vmp_old_flamegraph, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/memorygraph/{}/get", vmp_old_memorygraph, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/jit/meta/{}", vmp_old_jit_meta, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/jit/trace/{}", vmp_old_jit_trace, VMP_HTTP_NO_BODY, 0},
    {"GET", "/api/jit/stitches/{}", vmp_old_jit_stitches, VMP_HTTP_NO_BODY, 0},
    {NULL, NULL, NULL, VMP_HTTP_NO_BODY, 0},
};

/* The methods that a path has, for the header Allow; NULL: it has none. */
static const char *
allowed_methods(vmp_http_request *r)
{
    vmp_str captured[VMP_HTTP_MAX_CAPTURED];
    vmp_out list;
    const char *text = NULL;
    vmp_out_init(&list, -1);
    for (const vmp_http_route *route = vmp_http_routes; route->method; route++)
        if (vmp_http_match(r->path, route->pattern, captured))
            vmp_out_printf(&list, "%s%s", list.n ? ", " : "", route->method);
    if (list.n)
        text = vmp_arena_copy(&r->arena, vmp_out_view(&list));
    vmp_out_fini(&list);
    return text;
}

const vmp_http_route *
vmp_http_find_route(vmp_http_request *r)
{
    vmp_str captured[VMP_HTTP_MAX_CAPTURED] = {{"", 0}, {"", 0}};
    const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;
    for (const vmp_http_route *route = vmp_http_routes; route->method; route++) {
        if (strcmp(route->method, method) != 0 ||
            !vmp_http_match(r->path, route->pattern, captured))
            continue;
        for (int i = 0; i < VMP_HTTP_MAX_CAPTURED; i++) {
            if (!vmp_http_decode(&r->arena, captured[i], false, &r->captured[i])) {
                vmp_http_reply_error(r, MHD_HTTP_BAD_REQUEST, "the path is not well encoded UTF-8");
                return NULL;
            }
        }
        return route;
    }
    r->allow = allowed_methods(r);
    if (r->allow)
        vmp_http_reply_error(r, MHD_HTTP_METHOD_NOT_ALLOWED, "the path does not have this method");
    else
        vmp_http_reply_error(r, MHD_HTTP_NOT_FOUND, "there is no such path");
    return NULL;
}
