#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

uint32_t
vmp_os_thread_count(void)
{
    /* The directory has a link for ".", one for ".." and one per thread. */
    struct stat st;
    if (stat("/proc/self/task", &st) < 0 || st.st_nlink < 3)
        return 0;
    return (uint32_t)st.st_nlink - 2;
}

/* The head of struct linux_dirent64, getdents64(2); the name follows. */
typedef struct dir_entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
} dir_entry;

size_t
vmp_os_thread_list_by(int *fd, pid_t *tids, size_t cap)
{
    _Alignas(dir_entry) char bytes[8192];
    pid_t self = vmp_os_own_tid();
    bool has_self = false;
    size_t n = 0;
    long got = -1;
    struct stat st;
    if (*fd < 0) {
        int opened = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *fd = opened < 0 ? opened : vmp_os_fd_high(opened);
    }
    /* The program may have closed all descriptors, and have a file by this number. */
    if (*fd >= 0 && fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode) && lseek(*fd, 0, SEEK_SET) == 0)
        got = syscall(SYS_getdents64, *fd, bytes, sizeof(bytes));
    if (got < 0)
        *fd = -1;
    while (got > 0) {
        for (char *at = bytes; at < bytes + got; at += ((dir_entry *)at)->size) {
            char *end, *name = ((dir_entry *)at)->name;
            long tid = strtol(name, &end, 10);
            if (*end || tid <= 0)
                continue;
            if (n < cap)
                tids[n] = (pid_t)tid;
            n++;
            has_self |= tid == self;
        }
        got = syscall(SYS_getdents64, *fd, bytes, sizeof(bytes));
    }
    /* A /proc of another pid namespace: its numbers mean nothing here. */
    return has_self ? n : 0;
}

size_t
vmp_os_thread_list(pid_t *tids, size_t cap)
{
    int fd = -1;
    size_t n = vmp_os_thread_list_by(&fd, tids, cap);
    if (fd >= 0)
        close(fd);
    return n;
}

/* A file that was opened just now has the lowest number, and the program may have closed that one
 * to put a file of its own there: by dup2, which closes ours. */
static bool
is_same_file(int fd, const struct stat *file)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

bool
vmp_os_thread_file_read(pid_t tid, const char *name, char *text, size_t size)
{
    char path[64];
    struct stat file;
    snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) < 0)
        return false;
    ssize_t n = pread(fd, text, size - 1, 0); /* takes nothing from a pipe of the program's */
    if (is_same_file(fd, &file))
        close(fd);
    if (n <= 0)
        return false;
    text[n] = 0;
    return true;
}

/* struct sched_attr of linux/sched/types.h, in its first version. */
typedef struct sched_attr_v0 {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
} sched_attr_v0;

void
vmp_os_thread_hurry(void)
{
    /* From Linux 6.12 on the runtime of an ordinary thread is the slice that it
     * asks for; this is the shortest one. The shorter, the sooner its turn. */
    static const uint64_t slice_ns = 100000;
    sched_attr_v0 attr = {.size = sizeof(attr)};
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 || attr.policy != SCHED_OTHER)
        return;
    attr.runtime = slice_ns;
    syscall(SYS_sched_setattr, 0, &attr, 0);
}

void
vmp_os_thread_waited(pid_t tid, uint64_t *ret_ns, uint64_t *ret_turns)
{
    /* "CPU waited turns", the times in ns: Documentation/scheduler/sched-stats.rst */
    char text[128], *end;
    *ret_ns = *ret_turns = 0;
    if (!vmp_os_thread_file_read(tid, "schedstat", text, sizeof(text)))
        return;
    strtoull(text, &end, 10);
    *ret_ns = strtoull(end, &end, 10);
    *ret_turns = strtoull(end, NULL, 10);
}

typedef struct task_stat {
    char state;
    /* Signals of the thread alone, 1 to 31 from the lowest bit on. */
    uint64_t pending, blocked;
} task_stat;

static bool
task_stat_read(pid_t tid, task_stat *ret)
{
    /* Fields of proc_pid_stat(5), counted from the state: it is the third of all,
     * the sets of the thread's pending and of its blocked signals the 31st and 32nd. */
    enum { PENDING = 31 - 3 };
    char text[512], *blocked;
    if (!vmp_os_thread_file_read(tid, "stat", text, sizeof(text)))
        return false;
    /* "tid (name) S ...": the name may hold anything, so look from the end. */
    const char *at = strrchr(text, ')');
    if (!at || at[1] != ' ')
        return false;
    at += 2;
    *ret = (task_stat){.state = *at};
    for (int i = 0; i < PENDING && at; i++)
        at = strchr(at + 1, ' ');
    if (at) {
        ret->pending = strtoull(at, &blocked, 10);
        ret->blocked = strtoull(blocked, NULL, 10);
    }
    return true;
}

bool
vmp_os_thread_is_runnable(pid_t tid)
{
    task_stat stat;
    return task_stat_read(tid, &stat) && stat.state == 'R';
}

bool
vmp_os_thread_takes(pid_t tid, int signo)
{
    task_stat stat;
    uint64_t cpu_ns;
    /* No /proc, or none of ours: a thread with a clock may take one. */
    if (!task_stat_read(tid, &stat))
        return vmp_os_thread_cpu_ns(tid, &cpu_ns) == 0;
    return stat.state == 'R' && !((stat.pending | stat.blocked) >> (signo - 1) & 1);
}

bool
vmp_os_thread_holds(pid_t tid, int signo)
{
    task_stat stat;
    return task_stat_read(tid, &stat) && (stat.pending & stat.blocked) >> (signo - 1) & 1;
}

int
vmp_os_fd_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur
                                                                             : INT_MAX;
}

int
vmp_os_fd_high(int fd)
{
    /* Above what a program is likely to count or select() on, below the usual
     * limit of 1024; where the limit is lower, any other number will do. */
    static const int floors[] = {900, 200, 100, 32};
    struct stat file;
    for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, floors[i]);
        if (high >= 0) {
            if (fstat(high, &file) == 0 && is_same_file(fd, &file))
                close(fd);
            return high;
        }
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}
