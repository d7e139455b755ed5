/* The threads of this process, for a signal handler: readdir() allocates. */
#include "os.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct linux_dirent64; getdents64(2). The name begins at NAME_AT and ends with a zero byte. */
enum { RECORD_LENGTH_AT = 16, NAME_AT = 19 };

VMP_SIGSAFE static pid_t
number_of(const char *name, size_t size)
{
    static const pid_t most = 1 << 22; /* PID_MAX_LIMIT of the kernel */
    pid_t n = 0;
    for (size_t i = 0; i < size && name[i]; i++) {
        if (name[i] < '0' || name[i] > '9' || n > most)
            return 0;
        n = n * 10 + (name[i] - '0');
    }
    return n;
}

size_t
vmp_os_thread_scan(pid_t *tids, size_t cap)
{
    char entries[2048];
    size_t n = 0;
    bool has_self = false;
    pid_t self = vmp_os_own_tid();
    long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    for (;;) {
        long size = syscall(SYS_getdents64, fd, entries, sizeof(entries));
        if (size <= 0)
            break;
        for (long at = 0; at + NAME_AT < size;) {
            uint16_t length;
            memcpy(&length, entries + at + RECORD_LENGTH_AT, sizeof(length));
            if (length <= NAME_AT)
                break;
            pid_t tid = number_of(entries + at + NAME_AT, length - (size_t)NAME_AT);
            at += length;
            if (tid == 0)
                continue;
            if (n < cap)
                tids[n] = tid;
            n++;
            has_self |= tid == self;
        }
    }
    syscall(SYS_close, fd);
    return has_self ? n : 0;
}
