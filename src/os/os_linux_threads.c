#include "os.h"

#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char tasks[] = "/proc/self/task";

/* The directory has a link for ".", one for ".." and one per thread. */
static uint32_t
count_in(const struct stat *st)
{
    return st->st_nlink < 3 ? 0 : (uint32_t)st->st_nlink - 2;
}

uint32_t
vmp_os_thread_count(void)
{
    struct stat st;
    return stat(tasks, &st) < 0 ? 0 : count_in(&st);
}

uint32_t
vmp_os_thread_count_by(const vmp_os_kept *by)
{
    struct stat st;
    return vmp_os_kept_stat(by, &st) ? count_in(&st) : vmp_os_thread_count();
}

static int
locals_add(struct dl_phdr_info *info, size_t size, void *sum)
{
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            *(size_t *)sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
    return 0;
}

size_t
vmp_os_thread_locals_bytes(void)
{
    size_t sum = 0;
    dl_iterate_phdr(locals_add, &sum);
    return sum;
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
vmp_os_thread_list_by(vmp_os_kept *by, pid_t *tids, size_t cap)
{
    _Alignas(dir_entry) char bytes[8192];
    pid_t self = vmp_os_own_tid();
    bool has_self = false;
    size_t n = 0;
    long got = -1;
    if (vmp_os_kept_open(by, tasks) && lseek(by->fd, 0, SEEK_SET) == 0)
        got = syscall(SYS_getdents64, by->fd, bytes, sizeof(bytes));
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
        got = syscall(SYS_getdents64, by->fd, bytes, sizeof(bytes));
    }
    vmp_os_kept_rest(by);
    /* A /proc of another pid namespace: its numbers mean nothing here. */
    return has_self ? n : 0;
}

size_t
vmp_os_thread_list(pid_t *tids, size_t cap)
{
    vmp_os_kept once = {0};
    size_t n = vmp_os_thread_list_by(&once, tids, cap);
    vmp_os_kept_close(&once);
    return n;
}

enum { PATH_BYTES = 64 };

static void
path_of(char path[PATH_BYTES], pid_t tid, const char *name)
{
    snprintf(path, PATH_BYTES, "/proc/self/task/%d/%s", (int)tid, name);
}

/* `kept`: of that file, or NULL to open it for the moment. */
static bool
file_read(vmp_os_kept *kept, pid_t tid, const char *name, char *text, size_t size)
{
    char path[PATH_BYTES];
    path_of(path, tid, name);
    return kept ? vmp_os_kept_read(kept, path, text, size) : vmp_os_proc_read(path, text, size);
}

bool
vmp_os_thread_file_read(pid_t tid, const char *name, char *text, size_t size)
{
    return file_read(NULL, tid, name, text, size);
}

void
vmp_os_thread_files_open(vmp_os_thread_files *f, pid_t tid)
{
    char path[PATH_BYTES];
    f->tid = tid;
    path_of(path, tid, "stat");
    vmp_os_kept_open(&f->stat, path);
    vmp_os_kept_rest(&f->stat);
    path_of(path, tid, "schedstat");
    vmp_os_kept_open(&f->schedstat, path);
    vmp_os_kept_rest(&f->schedstat);
}

void
vmp_os_thread_files_close(vmp_os_thread_files *f)
{
    vmp_os_kept_close(&f->stat);
    vmp_os_kept_close(&f->schedstat);
    f->tid = 0;
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
vmp_os_thread_waited(vmp_os_thread_files *files, pid_t tid, uint64_t *ret_ns, uint64_t *ret_turns)
{
    /* "CPU waited turns", the times in ns: Documentation/scheduler/sched-stats.rst */
    char text[128], *end;
    *ret_ns = *ret_turns = 0;
    if (!file_read(files ? &files->schedstat : NULL, tid, "schedstat", text, sizeof(text)))
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
task_stat_read(vmp_os_thread_files *files, pid_t tid, task_stat *ret)
{
    /* Fields of proc_pid_stat(5), counted from the state: it is the third of all,
     * the sets of the thread's pending and of its blocked signals the 31st and 32nd. */
    enum { PENDING = 31 - 3 };
    char text[512], *blocked;
    if (!file_read(files ? &files->stat : NULL, tid, "stat", text, sizeof(text)))
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
vmp_os_thread_is_runnable(vmp_os_thread_files *files, pid_t tid)
{
    task_stat stat;
    return task_stat_read(files, tid, &stat) && stat.state == 'R';
}

bool
vmp_os_thread_takes(vmp_os_thread_files *files, pid_t tid, int signo)
{
    task_stat stat;
    uint64_t cpu_ns;
    /* No /proc, or none of ours: a thread with a clock may take one. */
    if (!task_stat_read(files, tid, &stat))
        return vmp_os_thread_cpu_ns(tid, &cpu_ns) == 0;
    return stat.state == 'R' && !((stat.pending | stat.blocked) >> (signo - 1) & 1);
}

bool
vmp_os_thread_holds(vmp_os_thread_files *files, pid_t tid, int signo)
{
    task_stat stat;
    return task_stat_read(files, tid, &stat) && (stat.pending & stat.blocked) >> (signo - 1) & 1;
}
