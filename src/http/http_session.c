/* How a browser gets into a server that wants a token: it shows the token once, in a header, and
 * gets a cookie that scripts cannot read and pages of others cannot send. The cookie is not the
 * token but a random number, another one for each time, which the server forgets when somebody
 * shows it to sign out, when VMP_HTTP_SESSIONS later ones were given, and when it ends. */
#include <errno.h>
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

static int
new_session(vmp_http *h, vmp_http_session *ret_session, vmp_err *err)
{
    uint8_t random[VMP_HTTP_SESSION_BYTES];
    ssize_t n = getrandom(random, sizeof(random), 0);
    if (n != sizeof(random)) {
        int saved = n < 0 ? errno : 0;
        return vmp_err_set(
            err, VMP_EIO, saved, 0, "no random number to be had: %s", strerror(saved));
    }
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(ret_session->text + 2 * i, 3, "%02x", random[i]);
    pthread_mutex_lock(&h->signing);
    h->sessions[h->signed_in++ % VMP_HTTP_SESSIONS] = *ret_session;
    pthread_mutex_unlock(&h->signing);
    return 0;
}

/* Finds the session whose cookie r has; end: and forgets it. */
static bool
find_session(const vmp_http_request *r, bool end)
{
    vmp_http *h = r->server;
    char name[32];
    bool found = false;
    cookie_name(h, name);
    const char *shown = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
    if (!shown || !*shown)
        return false;
    pthread_mutex_lock(&h->signing);
    for (size_t i = 0; i < VMP_HTTP_SESSIONS; i++) {
        vmp_http_session *one = &h->sessions[i];
        if (!vmp_http_is_secret(vmp_str_from(shown), vmp_str_from(one->text)))
            continue;
        found = true;
        if (end)
            one->text[0] = '\0';
    }
    pthread_mutex_unlock(&h->signing);
    return found;
}

bool
vmp_http_session_is_shown(const vmp_http_request *r)
{
    return find_session(r, false);
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
    vmp_http_session session;
    int rc = new_session(r->server, &session, &r->err);
    return rc < 0 ? rc : set_cookie(r, session.text, "");
}

int
vmp_api_sign_out(vmp_http_request *r)
{
    find_session(r, true);
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
