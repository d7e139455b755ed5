#include "term_source.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "term_mtime.h"
#include "vec.h"

/* The file behind the links of path, if its own name ends in suffix. */
static bool
find_real(const char *path, const char *suffix, char *ret_real)
{
    size_t n = strlen(suffix);
    if (!realpath(path, ret_real))
        return false;
    size_t length = strlen(ret_real);
    return length >= n && memcmp(ret_real + length - n, suffix, n) == 0;
}

static int
open_regular(const char *path, const char *suffix, struct stat *ret_st)
{
    char real[PATH_MAX];
    /* O_NOFOLLOW: the name that was looked at may have become a link since. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (suffix ? O_NOFOLLOW : 0);
    if (suffix && !find_real(path, suffix, real))
        return -1;
    int fd = open(suffix ? real : path, flags);
    if (fd < 0)
        return -1;
    if (fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode) &&
        ret_st->st_size <= VMP_SOURCE_MAX_BYTES)
        return fd;
    close(fd);
    return -1;
}

/* Opens path, below cwd if it is relative. Out of memory is left in s->bytes. */
static int
open_source(vmp_source *s, vmp_str path, vmp_str cwd, const char *suffix, struct stat *ret_st)
{
    vmp_out full;
    int fd = -1;
    /* Behind a zero byte in either, the name that is opened would end: it is another one. */
    if (path.n == 0 || memchr(path.p, 0, path.n) || (cwd.n && memchr(cwd.p, 0, cwd.n)))
        return -1;
    vmp_out_init(&full, -1);
    if (path.p[0] != '/' && cwd.n) {
        vmp_out_str(&full, cwd);
        vmp_out_text(&full, "/");
    }
    vmp_out_str(&full, path);
    vmp_out_bytes(&full, "", 1);
    if (full.rc == 0)
        fd = open_regular(full.p, suffix, ret_st);
    if (fd < 0 && full.rc == 0 && full.n > path.n + 1)
        fd = open_regular(full.p + (full.n - path.n - 1), suffix, ret_st);
    vmp_out_drop(&full, &s->bytes);
    return fd;
}

static void
read_all(vmp_source *s, int fd)
{
    char block[16384];
    ssize_t n;
    while ((n = read(fd, block, sizeof(block))) > 0 && s->bytes.n <= VMP_SOURCE_MAX_BYTES)
        vmp_out_bytes(&s->bytes, block, (size_t)n);
}

/* Columns of the first line do not count a mark of the byte order. */
static size_t
after_mark(const vmp_out *bytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t n = sizeof(mark) - 1;
    return bytes->n >= n && memcmp(bytes->p, mark, n) == 0 ? n : 0;
}

static int
find_lines(vmp_source *s)
{
    size_t cap = 0;
    for (size_t at = after_mark(&s->bytes); at < s->bytes.n;) {
        const char *end = memchr(s->bytes.p + at, '\n', s->bytes.n - at);
        if (VMP_VEC_RESERVE(s->starts, cap, s->count + 2) < 0)
            return -VMP_ENOMEM;
        s->starts[s->count++] = at;
        at = end ? (size_t)(end - s->bytes.p) + 1 : s->bytes.n;
        s->starts[s->count] = at;
    }
    return 0;
}

int
vmp_source_init(vmp_source *s, vmp_str path, vmp_str cwd, const char *suffix, int64_t made_unix_ns)
{
    struct stat st;
    *s = (vmp_source){.state = VMP_SOURCE_MISSING};
    vmp_out_init(&s->bytes, -1);
    int fd = open_source(s, path, cwd, suffix, &st);
    if (fd < 0)
        return s->bytes.rc;
    s->state = vmp_term_mtime_ns(&st) > made_unix_ns ? VMP_SOURCE_CHANGED : VMP_SOURCE_READ;
    read_all(s, fd);
    close(fd);
    int rc = s->bytes.rc < 0 ? s->bytes.rc : find_lines(s);
    if (rc < 0)
        vmp_source_fini(s);
    return rc;
}

void
vmp_source_fini(vmp_source *s)
{
    vmp_out_fini(&s->bytes);
    free(s->starts);
    *s = (vmp_source){.state = VMP_SOURCE_MISSING};
}

vmp_str
vmp_source_line(const vmp_source *s, uint32_t line)
{
    if (line == 0 || line > s->count)
        return (vmp_str){0};
    size_t start = s->starts[line - 1], n = s->starts[line] - start;
    while (n && (s->bytes.p[start + n - 1] == '\n' || s->bytes.p[start + n - 1] == '\r'))
        n--;
    return (vmp_str){s->bytes.p + start, n};
}
