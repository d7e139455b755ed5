#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "cli_opts.h"
#include "http.h"
#include "serve_state.h"
#include "show.h"
#include "store.h"

enum {
    DEFAULT_PORT = 8765,
    DEFAULT_WAIT = 20,
    CACHE_BYTES = 256 << 20, /* of loaded profiles */
    MAX_TOKEN = 512,
    EXPIRY_SECONDS = 3600, /* how often old profiles are looked for */
    DAY_SECONDS = 24 * 3600,
};

static const uint64_t default_max_upload = 512 << 20;

typedef struct serve_options {
    bool help;
    uint64_t port, max_upload, retention_days, wait_seconds;
    vmp_opt_list host, db, token_file;
} serve_options;

#define AT(member) offsetof(serve_options, member)

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"host", 0, VMP_OPT_LIST, AT(host), "HOST", NULL, 0, 0, 0,
        "address or name to listen at (127.0.0.1); others than this machine's own need a token"},
    {"port", 'p', VMP_OPT_UINT, AT(port), "PORT", NULL, 0, 65535, 0,
        "port to listen at (8765); 0: any that is free"},
    {"db", 0, VMP_OPT_LIST, AT(db), "FILE", NULL, 0, 0, 0,
        "where profiles are kept (profiles.db in $XDG_DATA_HOME/vmprof or ~/.local/share/vmprof)"},
    {"token-file", 0, VMP_OPT_LIST, AT(token_file), "FILE", NULL, 0, 0, 0,
        "requests must show the token in this file; else in $VMPROF_TOKEN, if it is set"},
    {"max-upload", 0, VMP_OPT_UINT, AT(max_upload), "BYTES", NULL, 1, 1e12, 0,
        "largest log that is taken (536870912)"},
    {"retention", 0, VMP_OPT_UINT, AT(retention_days), "DAYS", NULL, 0, 36500, 0,
        "delete profiles that are older; 0: none (the default)"},
    {"timeout", 0, VMP_OPT_UINT, AT(wait_seconds), "SECONDS", NULL, 1, 3600, 0,
        "close connections that are silent so long, or take so long for the headers of a request "
        "(20)"},
};

enum { OPT_COUNT = sizeof(opts) / sizeof(opts[0]) };

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out,
        "usage: vmprof serve [options]\n\n"
        "Takes profiles from `python -m vmprof --web-url URL`, keeps them, and shows\n"
        "them in the browser. Ends at Ctrl-C or SIGTERM.\n\noptions:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    return vmp_cli_output_close(&o, 0);
}

/* Where profiles are kept if nothing is said. */
static int
default_path(char *path, size_t cap)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n = data && data[0] == '/' ? snprintf(path, cap, "%s/vmprof/profiles.db", data)
            : home && home[0]      ? snprintf(path, cap, "%s/.local/share/vmprof/profiles.db", home)
                                   : -1;
    if (n < 0 || (size_t)n >= cap)
        return vmp_cli_usage("serve", "where to keep profiles? --db FILE");
    vmp_serve_make_folders(path);
    return 0;
}

static int
read_token(const char *path, char token[MAX_TOKEN + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, token, MAX_TOKEN) : -1;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return vmp_cli_fail("%s: %s", path, strerror(saved));
    token[n] = '\0';
    token[strcspn(token, " \t\r\n")] = '\0';
    return token[0] ? 0 : vmp_cli_fail("%s: there is no token in it", path);
}

/* The token that requests must show; empty: none. */
static int
find_token(const serve_options *options, char token[MAX_TOKEN + 1])
{
    const char *set = getenv("VMPROF_TOKEN");
    token[0] = '\0';
    if (options->token_file.n)
        return read_token(options->token_file.p[0].p, token);
    if (set && (size_t)snprintf(token, MAX_TOKEN + 1, "%s", set) > MAX_TOKEN)
        return vmp_cli_fail("$VMPROF_TOKEN is longer than %d bytes", MAX_TOKEN);
    return 0;
}

static bool
is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static void
expire(vmp_store *store, uint64_t days)
{
    struct timespec now;
    uint64_t removed;
    vmp_err err = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t before_ns = ((int64_t)now.tv_sec - (int64_t)(days * DAY_SECONDS)) * 1000000000;
    if (store->ops->expire(store, before_ns, &removed, &err) < 0)
        vmp_cli_note("old profiles could not be deleted: %s", err.text);
}

/* Waits for one of the signals that end the server. */
static void
wait_for_end(const sigset_t *ends, vmp_store *store, uint64_t retention_days)
{
    const struct timespec period = {EXPIRY_SECONDS, 0};
    int got;
    do {
        if (retention_days)
            expire(store, retention_days);
        do
            got = sigtimedwait(ends, NULL, &period);
        while (got < 0 && errno == EINTR);
    } while (got < 0);
}

/* Tells where the server is, on standard output and in the file for clients. */
static int
announce(const vmp_http *server, const char *host, const char *db)
{
    char url[300];
    vmp_cli_output o;
    snprintf(url, sizeof(url), strchr(host, ':') ? "http://[%s]:%u/" : "http://%s:%u/", host,
        vmp_http_port(server));
    vmp_serve_state_write(url);
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_printf(&o.out, "%s\n", url);
    vmp_cli_note("serving profiles of %s; Ctrl-C ends it", db);
    return vmp_cli_output_close(&o, 0);
}

static int
serve(vmp_http_options *how, const char *db, uint64_t retention_days)
{
    vmp_err err = {0};
    vmp_http *server = NULL;
    sigset_t ends;
    int status;
    /* Before there are threads, which inherit it. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* Writing beyond RLIMIT_FSIZE is an error as on a full disk, not the server's end. */
    signal(SIGXFSZ, SIG_IGN);
    if (vmp_store_sqlite_open(&how->store, db, &err) < 0)
        return vmp_cli_fail("%s: %s", db, err.text);
    if (vmp_http_start(&server, how, &err) < 0) {
        status = vmp_cli_fail("%s", err.text);
    } else {
        status = announce(server, how->host, db);
        if (status == 0)
            wait_for_end(&ends, how->store, retention_days);
        vmp_serve_state_remove();
    }
    vmp_http_stop(&server);
    vmp_store_close(&how->store);
    return status;
}

static int
run(const serve_options *options)
{
    char path[4096], token[MAX_TOKEN + 1];
    const char *db = options->db.n ? options->db.p[0].p : path;
    const char *host = options->host.n ? options->host.p[0].p : "127.0.0.1";
    int status = options->db.n ? 0 : default_path(path, sizeof(path));
    if (status == 0)
        status = find_token(options, token);
    if (status == 0 && !token[0] && !is_loopback(host))
        status = vmp_cli_usage("serve",
            "%s is not of this machine alone: such a server needs a token (--token-file)", host);
    if (status)
        return status;
    return serve(
        &(vmp_http_options){
            .host = host,
            .port = (uint16_t)options->port,
            .token = vmp_str_from(token),
            .max_upload_bytes = options->max_upload,
            .cache_bytes = CACHE_BYTES,
            .wait_seconds = (unsigned)options->wait_seconds,
            .render = vmp_show_render,
        },
        db, options->retention_days);
}

int
vmp_cli_serve(int argc, char **argv)
{
    serve_options options = {
        .port = DEFAULT_PORT, .max_upload = default_max_upload, .wait_seconds = DEFAULT_WAIT};
    vmp_opts_result result;
    vmp_err err = {0};
    int status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("serve", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if (result.arguments.n)
        status = vmp_cli_usage("serve", "too many arguments: '%s'", result.arguments.p[0].p);
    else if (options.host.n > 1 || options.db.n > 1 || options.token_file.n > 1)
        status = vmp_cli_usage("serve", "--host, --db and --token-file are given once");
    else
        status = run(&options);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.host);
    vmp_opt_list_fini(&options.db);
    vmp_opt_list_fini(&options.token_file);
    return status;
}
