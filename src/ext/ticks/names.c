#include "names.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "names_internal.h"

enum {
    HEAD_BYTES = 8,
    FULL_BYTES = VMP_NAMES_BUFFER_BYTES - HEAD_BYTES,
    RECORD_HEAD_BYTES = 17,
    MARKER_NAME = 2,
    LONGEST_NAME = 1023,
};

vmp_name_buffers vmp_the_names = {.busy = ATOMIC_FLAG_INIT};

bool
vmp_names_read(void *out, uintptr_t at, size_t n)
{
    struct iovec local = {out, n}, remote = {(void *)at, n};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)n;
}

VMP_SIGSAFE static uint64_t
le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v)); /* as PyPy has stored it */
    return v;
}

bool
vmp_names_may_be(const uint8_t *start)
{
    return start[HEAD_BYTES] == MARKER_NAME;
}

uint32_t
vmp_names_bytes(const uint8_t *buffer)
{
    uint32_t head[2];
    memcpy(head, buffer, sizeof(head));
    if (head[0] > FULL_BYTES || head[1] != 0)
        return 0;
    const uint8_t *p = buffer + HEAD_BYTES;
    uint32_t at = 0;
    while (head[0] - at > RECORD_HEAD_BYTES + 3) {
        uint64_t length = le64(p + at + 9);
        if (p[at] != MARKER_NAME || le64(p + at + 1) % 4 != 0 || length < 3 ||
            length > LONGEST_NAME || length > head[0] - at - RECORD_HEAD_BYTES ||
            memcmp(p + at + RECORD_HEAD_BYTES, "py:", 3) != 0)
            break;
        at += RECORD_HEAD_BYTES + (uint32_t)length;
    }
    return at;
}

/* All of it, or nothing: on a full disk what PyPy writes next must not follow a part. */
VMP_SIGSAFE static bool
append(int log, const uint8_t *p, size_t n)
{
    ssize_t written = write(log, p, n);
    if (written == (ssize_t)n)
        return true;
    if (written > 0) {
        off_t end = lseek(log, -written, SEEK_CUR);
        if (end < 0 || ftruncate(log, end) < 0)
            return true; /* no file to go back in: once more would be worse */
    }
    return false;
}

VMP_SIGSAFE static void
buffer_write(vmp_name_buffer *b, uintptr_t at, int log, bool settled)
{
    uint8_t *p = vmp_the_names.copy;
    if (!vmp_names_read(p, at, HEAD_BYTES + VMP_NAMES_KEY_BYTES) || !vmp_names_may_be(p))
        return;
    uint32_t filled;
    memcpy(&filled, p, sizeof(filled));
    bool same = memcmp(b->key, p + HEAD_BYTES, VMP_NAMES_KEY_BYTES) == 0 && filled >= b->seen;
    if (same && filled == b->seen && b->written == b->seen)
        return;
    bool is_settled = same && filled == b->seen;
    if (!same) {
        memcpy(b->key, p + HEAD_BYTES, VMP_NAMES_KEY_BYTES);
        b->written = 0;
    }
    b->seen = filled;
    if ((settled && !is_settled) || !vmp_names_read(p, at, VMP_NAMES_BUFFER_BYTES))
        return;
    uint32_t n = vmp_names_bytes(p);
    if (n > b->written && append(log, p + HEAD_BYTES + b->written, n - b->written))
        b->written = n;
}

void
vmp_names_write(int log, bool settled)
{
    if (!vmp_the_names.at || log < 0 || atomic_flag_test_and_set(&vmp_the_names.busy))
        return;
    for (uint32_t i = 0; i < VMP_NAMES_BUFFERS; i++)
        buffer_write(&vmp_the_names.buffers[i],
            vmp_the_names.at + (uintptr_t)i * VMP_NAMES_BUFFER_BYTES, log, settled);
    atomic_flag_clear(&vmp_the_names.busy);
}
