#include "store_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "buf.h"

struct vmp_spool {
    const char *folder;
    vmp_buf memory;
    int fd; /* -1: all is in memory */
    uint64_t size;
    SHA256_CTX hash;
};

int
vmp_spool_new(vmp_spool **ret_s, const char *folder, vmp_err *err)
{
    vmp_spool *s = calloc(1, sizeof(*s));
    if (!s)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    s->folder = folder;
    s->fd = -1;
    SHA256Init(&s->hash);
    *ret_s = s;
    return 0;
}

void
vmp_spool_free(vmp_spool **s)
{
    if (!*s)
        return;
    if ((*s)->fd >= 0)
        close((*s)->fd);
    vmp_buf_fini(&(*s)->memory);
    free(*s);
    *s = NULL;
}

static int
fail(const vmp_spool *s, const char *what, vmp_err *err)
{
    int saved = errno;
    return vmp_err_set(err, VMP_EIO, saved, 0, "cannot %s a temporary file in %s: %s", what,
        s->folder, strerror(saved));
}

/* Not every file system has files without a name: there it loses it at once. */
static int
open_file(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    if ((size_t)snprintf(path, sizeof(path), "%s/vmprof-XXXXXX", folder) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int
write_all(vmp_spool *s, const uint8_t *p, size_t n, vmp_err *err)
{
    while (n > 0) {
        ssize_t done = write(s->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(s, "write", err);
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int
vmp_spool_put(vmp_spool *s, const void *p, size_t n, vmp_err *err)
{
    int rc = 0;
    if (s->fd < 0 && s->size + n > VMP_SPOOL_IN_MEMORY) {
        s->fd = open_file(s->folder);
        if (s->fd < 0)
            return fail(s, "make", err);
        rc = write_all(s, s->memory.p, s->memory.n, err);
        vmp_buf_fini(&s->memory);
        s->memory = (vmp_buf){0};
    }
    if (rc == 0 && s->fd >= 0)
        rc = write_all(s, p, n, err);
    else if (rc == 0)
        vmp_buf_put(&s->memory, p, n);
    if (rc < 0)
        return rc;
    if (s->memory.failed)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    SHA256Update(&s->hash, p, n);
    s->size += n;
    return 0;
}

uint64_t
vmp_spool_size(const vmp_spool *s)
{
    return s->size;
}

void
vmp_spool_sha256(const vmp_spool *s, uint8_t ret_sha256[VMP_SPOOL_SHA256])
{
    SHA256_CTX hash = s->hash;
    SHA256Final(ret_sha256, &hash);
}

int
vmp_spool_read(
    const vmp_spool *s, uint64_t offset, void *p, size_t cap, size_t *ret_got, vmp_err *err)
{
    size_t n = offset >= s->size ? 0 : s->size - offset < cap ? (size_t)(s->size - offset) : cap;
    if (n > 0 && s->fd < 0) {
        memcpy(p, s->memory.p + offset, n);
    } else if (n > 0) {
        ssize_t got = pread(s->fd, p, n, (off_t)offset);
        if (got <= 0)
            return fail(s, "read", err);
        n = (size_t)got;
    }
    *ret_got = n;
    return 0;
}

vmp_str
vmp_spool_bytes(vmp_spool *s, int *ret_fd)
{
    *ret_fd = s->fd;
    if (s->fd < 0)
        return (vmp_str){s->memory.p ? (const char *)s->memory.p : "", s->memory.n};
    lseek(s->fd, 0, SEEK_SET);
    return (vmp_str){NULL, 0};
}
