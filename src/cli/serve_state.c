#include "serve_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_out.h"

enum { MAX_PATH = 4096, MAX_STATE = 512 };

void
vmp_serve_make_folders(const char *path)
{
    char part[MAX_PATH];
    size_t n = strlen(path);
    if (n >= sizeof(part))
        return;
    memcpy(part, path, n + 1);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0700);
        *slash = '/';
    }
}

/* False: there is no place for it. */
static bool
find_path(char path[MAX_PATH])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (state && state[0] == '/')
        n = snprintf(path, MAX_PATH, "%s/vmprof/server.json", state);
    else if (home && home[0] == '/')
        n = snprintf(path, MAX_PATH, "%s/.local/state/vmprof/server.json", home);
    return n > 0 && n < MAX_PATH;
}

/* What the file of this process says. */
static void
put_state(vmp_out *out, const char *url)
{
    vmp_json j = vmp_json_to(out);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "url", vmp_str_from(url));
    vmp_json_put_uint(&j, "pid", (uint64_t)getpid());
    vmp_json_end(&j, '}');
    vmp_out_text(out, "\n");
}

void
vmp_serve_state_write(const char *url)
{
    char path[MAX_PATH], part[MAX_PATH + 32];
    vmp_out out;
    if (!find_path(path))
        return;
    vmp_serve_make_folders(path);
    snprintf(part, sizeof(part), "%s.%ld", path, (long)getpid());
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    vmp_out_init(&out, fd);
    put_state(&out, url);
    int rc = vmp_out_flush(&out, NULL);
    vmp_out_fini(&out);
    close(fd);
    if (rc < 0 || rename(part, path) < 0)
        unlink(part);
}

void
vmp_serve_state_remove(void)
{
    char path[MAX_PATH], state[MAX_STATE], ours[32];
    if (!find_path(path))
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, state, sizeof(state) - 1) : -1;
    if (fd >= 0)
        close(fd);
    state[n > 0 ? n : 0] = '\0';
    snprintf(ours, sizeof(ours), "\"pid\":%ld}", (long)getpid());
    if (strstr(state, ours))
        unlink(path);
}
