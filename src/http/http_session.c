/* How a browser gets into a server that wants a token: it shows the token once, in a header, and
 * gets a cookie that scripts cannot read and pages of others cannot send. The cookie is not the
 * token but a random number of this process, so it is worth nothing once the server has ended. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "http_internal.h"

/* By port: cookies are shared by all ports of a host. */
static void
cookie_name(const vmp_http *h, char name[32])
{
    snprintf(name, 32, "vmprof_%u", vmp_http_port(h));
}

bool
vmp_http_session_begin(vmp_http *h)
{
    uint8_t random[VMP_HTTP_SESSION_BYTES];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return false;
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(h->session + 2 * i, 3, "%02x", random[i]);
    return true;
}

bool
vmp_http_session_is_shown(const vmp_http_request *r)
{
    char name[32];
    cookie_name(r->server, name);
    const char *shown = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
    return shown && vmp_http_is_secret(vmp_str_from(shown), vmp_str_from(r->server->session));
}

static int
set_cookie(vmp_http_request *r, const char *value, const char *age)
{
    enum { SIZE = 256 };
    char name[32], *text = vmp_arena_alloc(&r->arena, SIZE);
    if (!text)
        return -VMP_ENOMEM;
    cookie_name(r->server, name);
    snprintf(text, SIZE, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s", name, value, age);
    r->cookie = text;
    r->status = MHD_HTTP_NO_CONTENT;
    return 0;
}

int
vmp_api_sign_in(vmp_http_request *r)
{
    return set_cookie(r, r->server->session, "");
}

int
vmp_api_sign_out(vmp_http_request *r)
{
    return set_cookie(r, "", "; Max-Age=0");
}

bool
vmp_http_session_ask(vmp_http_request *r)
{
    static const char start[] = "/#";
    vmp_str page = r->path, accept = vmp_http_header(r, "Accept");
    size_t profiles = sizeof("/profiles") - 1;
    if (!(r->route->flags & VMP_HTTP_PAGE) || !accept.p || !strstr(accept.p, "text/html"))
        return false;
    char *to = vmp_arena_alloc(&r->arena, page.n + sizeof(start));
    if (!to)
        return false;
    /* As it stands in the request line, which has no line ends. */
    snprintf(
        to, page.n + sizeof(start), "%s%.*s", start, (int)(page.n - profiles), page.p + profiles);
    r->location = to;
    r->status = MHD_HTTP_SEE_OTHER;
    return true;
}
