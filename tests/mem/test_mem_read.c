/* vmp_mem_self, also where a real seccomp filter forbids process_vm_readv, and
 * vmp_mem_pid. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "mem.h"

enum { PAGE = 4096, SIZE = 4 * PAGE };

/* Three pages with a pattern, then none (PROT_NONE would not do: /proc/PID/mem
 * reads that). */
static unsigned char *
pages_new(void)
{
    unsigned char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        abort();
    for (int i = 0; i < SIZE; i++)
        p[i] = (unsigned char)(i * 31 + i / 256);
    munmap(p + 3 * PAGE, PAGE);
    return p;
}

/* The number of wrong answers of a reader whose target has such pages at p. */
static int
reader_probe(vmp_mem mem, const unsigned char *p)
{
    static const size_t sizes[] = {0, 1, 7, 8, 100, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE - 16};
    unsigned char out[SIZE];
    uint64_t base = (uint64_t)(uintptr_t)p;
    int wrong = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t n = sizes[i];
        memset(out, 0, sizeof(out));
        wrong += mem.read(mem.ctx, base + 16, out, n) != 0 || memcmp(out, p + 16, n) != 0;
        wrong += mem.read(mem.ctx, base + 3 * PAGE - n, out, n + 1) != -VMP_EUNREADABLE;
        /* After a failure the next read is whole again. */
        wrong += mem.read(mem.ctx, base + 5, out, n) != 0 || memcmp(out, p + 5, n) != 0;
    }
    static const uint64_t bad[] = {0, 8, UINT64_C(1) << 47, UINT64_C(1) << 63, UINT64_MAX - 8};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        wrong += mem.read(mem.ctx, bad[i], out, 16) != -VMP_EUNREADABLE;
    return wrong;
}

TEST(self_reads_or_fails_softly)
{
    unsigned char *p = pages_new();
    vmp_mem_self *m = NULL;
    CHECK_INT(vmp_mem_self_open(&m, NULL), 0);
    errno = 33;
    CHECK_INT(reader_probe(vmp_mem_self_view(m), p), 0);
    CHECK_INT(errno, 33);
    vmp_mem_self_close(&m);
    CHECK(m == NULL);
    vmp_mem_self_close(&m);
    munmap(p, SIZE);
}

/* Lets everything through but one system call, which fails with EPERM. */
static int
syscall_forbid(long nr, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int
child_status(int (*body)(int), int arg)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body(arg));
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

enum { FORBID_BEFORE_OPEN = 1, FORBID_AFTER_OPEN = 2, FORBID_WITH_ENOSYS = 4 };

static int
forbidden_play(int when)
{
    unsigned char *p = pages_new();
    vmp_mem_self *m = NULL;
    int error = when & FORBID_WITH_ENOSYS ? ENOSYS : EPERM;
    if (when & FORBID_BEFORE_OPEN && syscall_forbid(SYS_process_vm_readv, error) != 0)
        return 100;
    if (vmp_mem_self_open(&m, NULL) != 0)
        return 101;
    if (when & FORBID_AFTER_OPEN && syscall_forbid(SYS_process_vm_readv, error) != 0)
        return 100;
    errno = 33;
    int wrong = reader_probe(vmp_mem_self_view(m), p) + (errno != 33);
    /* A child of fork shares the pipe: it must not read through it. */
    pid_t pid = fork();
    if (pid == 0) {
        unsigned char byte;
        vmp_mem mem = vmp_mem_self_view(m);
        _exit(mem.read(mem.ctx, (uint64_t)(uintptr_t)p, &byte, 1) == -VMP_EUNREADABLE ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    wrong += status != 0;
    vmp_mem_self_close(&m);
    return wrong;
}

TEST(self_reads_through_a_pipe_where_seccomp_forbids)
{
    CHECK_INT(child_status(forbidden_play, FORBID_BEFORE_OPEN), 0);
    CHECK_INT(child_status(forbidden_play, FORBID_AFTER_OPEN), 0);
    CHECK_INT(child_status(forbidden_play, FORBID_BEFORE_OPEN | FORBID_WITH_ENOSYS), 0);
}

enum {
    FDS = 1024,
    HIGH = 32, /* a program with few descriptors does not get such a number */
};

/* Numbers of the descriptors from `from` on that are open; returns how many there are. */
static int
open_fds(int from, int fds[FDS])
{
    int n = 0;
    for (int fd = from; fd < FDS; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            fds[n++] = fd;
    return n;
}

static int
byte_wrong(vmp_mem_self *m, unsigned char value)
{
    unsigned char out = 0;
    vmp_mem mem = vmp_mem_self_view(m);
    return mem.read(mem.ctx, (uint64_t)(uintptr_t)&value, &out, 1) != 0 || out != value;
}

static int
high_play(int when)
{
    vmp_mem_self *m = NULL;
    int fds[FDS];
    int lowest = dup(0);
    close(lowest);
    for (int n = open_fds(HIGH, fds); n > 0; n--)
        close(fds[n - 1]); /* of who runs the tests */
    if (when & FORBID_BEFORE_OPEN && syscall_forbid(SYS_process_vm_readv, EPERM) != 0)
        return 100;
    if (vmp_mem_self_open(&m, NULL) != 0)
        return 101;
    if (when & FORBID_AFTER_OPEN && syscall_forbid(SYS_process_vm_readv, EPERM) != 0)
        return 100;
    int wrong = byte_wrong(m, 77);
    wrong += open_fds(HIGH, fds) != 2 || !(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    wrong += dup(0) != lowest;
    pid_t pid = fork();
    if (pid == 0) {
        vmp_mem_self_forked(m);
        _exit(open_fds(HIGH, fds));
    }
    int status = 1;
    waitpid(pid, &status, 0);
    wrong += status != 0;
    wrong += byte_wrong(m, 78);
    vmp_mem_self_close(&m);
    return wrong + open_fds(HIGH, fds);
}

TEST(the_pipe_is_out_of_the_program_s_way)
{
    CHECK_INT(child_status(high_play, FORBID_BEFORE_OPEN), 0);
    CHECK_INT(child_status(high_play, FORBID_AFTER_OPEN), 0);
}

/* The program closes one end of the pipe or both (bits of `ends`), and has a file of its own
 * there or, with FREE, none. */
enum { READ_END = 1, WRITE_END = 2, FREE = 4 };

static int
taken_play(int ends)
{
    static const char text[] = "the program's own text";
    vmp_mem_self *m = NULL;
    int fds[FDS], own = fileno(tmpfile());
    struct stat mine, now;
    if (syscall_forbid(SYS_process_vm_readv, EPERM) != 0)
        return 100;
    if (vmp_mem_self_open(&m, NULL) != 0)
        return 101;
    int wrong = byte_wrong(m, 77), n = open_fds(3, fds);
    wrong += write(own, text, sizeof(text)) != sizeof(text);
    lseek(own, 0, SEEK_SET);
    for (int i = 0; i < n; i++) {
        int flags = fcntl(fds[i], F_GETFL);
        bool is_pipe = fstat(fds[i], &now) == 0 && S_ISFIFO(now.st_mode);
        int end = (flags & O_ACCMODE) == O_WRONLY ? WRITE_END : READ_END;
        if (!is_pipe || !(ends & end))
            fds[i] = -1;
        else if (ends & FREE)
            close(fds[i]);
        else
            dup2(own, fds[i]);
    }
    for (unsigned char i = 0; i < 3; i++)
        wrong += byte_wrong(m, i);
    vmp_mem_self_close(&m);
    wrong += fstat(own, &mine) != 0 || mine.st_size != sizeof(text);
    wrong += lseek(own, 0, SEEK_CUR) != 0;
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0 && !(ends & FREE))
            wrong += fstat(fds[i], &now) != 0 || now.st_ino != mine.st_ino;
    return wrong;
}

TEST(what_the_program_has_in_the_pipe_s_place_is_left_alone)
{
    for (int ends = 1; ends <= (READ_END | WRITE_END); ends++) {
        CHECK_INT(child_status(taken_play, ends), 0);
        CHECK_INT(child_status(taken_play, ends | FREE), 0);
    }
}

typedef struct sharer {
    vmp_mem mem;
    unsigned char own[64];
    long good, wrong;
} sharer;

static void *
share(void *arg)
{
    sharer *s = arg;
    unsigned char out[sizeof(s->own)];
    while (s->good < 2000) {
        if (s->mem.read(s->mem.ctx, (uint64_t)(uintptr_t)s->own, out, sizeof(out)) != 0) {
            sched_yield();
            continue;
        }
        s->good++;
        s->wrong += memcmp(out, s->own, sizeof(out)) != 0;
    }
    return NULL;
}

static int
shared_play(int when)
{
    vmp_mem_self *m = NULL;
    static sharer sharers[3];
    pthread_t threads[3];
    if (when && syscall_forbid(SYS_process_vm_readv, EPERM) != 0)
        return 100;
    if (vmp_mem_self_open(&m, NULL) != 0)
        return 101;
    for (int i = 0; i < 3; i++) {
        sharers[i].mem = vmp_mem_self_view(m);
        memset(sharers[i].own, i + 1, sizeof(sharers[i].own));
        if (pthread_create(&threads[i], NULL, share, &sharers[i]) != 0)
            return 102;
    }
    int bad = 0;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        bad += sharers[i].wrong != 0;
    }
    vmp_mem_self_close(&m);
    return bad;
}

TEST(threads_that_share_a_reader_never_mix_their_bytes)
{
    CHECK_INT(child_status(shared_play, 0), 0);
    CHECK_INT(child_status(shared_play, 1), 0);
}

static int
own_memory_after_fork(int unused)
{
    (void)unused;
    static volatile int value = 1;
    vmp_mem_self *m = NULL;
    if (vmp_mem_self_open(&m, NULL) != 0)
        return 101;
    pid_t pid = fork();
    if (pid == 0) {
        int got = 0;
        value = 2;
        vmp_mem mem = vmp_mem_self_view(m);
        int rc = mem.read(mem.ctx, (uint64_t)(uintptr_t)&value, &got, sizeof(got));
        _exit(rc == 0 && got == 2 ? 0 : 1);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    return status != 0;
}

TEST(self_means_the_child_after_fork)
{
    CHECK_INT(child_status(own_memory_after_fork, 0), 0);
}

static int
pid_play(int forbid)
{
    unsigned char *p = pages_new();
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    vmp_mem_pid *m = NULL;
    vmp_err err = {0};
    int wrong;
    if (forbid && syscall_forbid(SYS_process_vm_readv, EPERM) != 0)
        wrong = 100;
    else if (vmp_mem_pid_open(&m, pid, &err) != 0)
        wrong = err.os_errno == EACCES ? 120 : 101;
    else
        wrong = reader_probe(vmp_mem_pid_view(m), p);
    vmp_mem_pid_close(&m);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return wrong;
}

TEST(pid_reads_another_process)
{
    CHECK_INT(child_status(pid_play, 0), 0);
    CHECK_INT(child_status(pid_play, 1), 0);
}

TEST(pid_refuses_what_is_no_process)
{
    vmp_mem_pid *m = NULL;
    vmp_err err;
    CHECK_INT(vmp_mem_pid_open(&m, 0, &err), -VMP_EINVAL);
    CHECK_INT(vmp_mem_pid_open(&m, -5, &err), -VMP_EINVAL);
    CHECK_INT(vmp_mem_pid_open(&m, 0x7ffffff0, &err), -VMP_EIO);
    CHECK_STR(err.text, "there is no process 2147483632");
    CHECK(m == NULL);
}

TEST_MAIN(RUN(self_reads_or_fails_softly), RUN(self_reads_through_a_pipe_where_seccomp_forbids),
    RUN(the_pipe_is_out_of_the_program_s_way),
    RUN(what_the_program_has_in_the_pipe_s_place_is_left_alone),
    RUN(threads_that_share_a_reader_never_mix_their_bytes), RUN(self_means_the_child_after_fork),
    RUN(pid_reads_another_process), RUN(pid_refuses_what_is_no_process))
