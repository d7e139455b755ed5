/* What happens to SIGSEGV and SIGBUS while the guard is in a process. Longer than
 * 500 lines: most tests need a child of their own that dies or lives, and the
 * helpers that start it and judge its end are shared by all. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"
#include "mem_guard.h"

/* What a child saw, in memory that its parent shares. */
typedef struct seen {
    int calls, sig, code, from_self, value;
    uint64_t fault_address;
    uint64_t mask;       /* blocked inside of the handler, by signal number */
    uint64_t mask_after; /* blocked after it */
    bool on_alt, has_info, is_default_inside;
    int errno_after;
    bool went_on;
    int restarted; /* what a read in progress returned */
} seen;

static seen *shared;
static char alt_stack[1 << 16];
static volatile int *volatile wild = (volatile int *)8;

static uint64_t
mask_now(void)
{
    sigset_t set;
    uint64_t bits = 0;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    for (int s = 1; s < 64; s++)
        if (sigismember(&set, s) == 1)
            bits |= (uint64_t)1 << s;
    return bits;
}

static void
note_state(int sig)
{
    char here;
    struct sigaction now;
    sigaction(sig, NULL, &now);
    shared->calls++;
    shared->sig = sig;
    shared->mask = mask_now();
    shared->on_alt = &here >= alt_stack && &here < alt_stack + sizeof(alt_stack);
    shared->is_default_inside = now.sa_handler == SIG_DFL;
}

static void
with_info(int sig, siginfo_t *info, void *context)
{
    note_state(sig);
    shared->has_info = true;
    shared->code = info->si_code;
    if (info->si_code > 0) {
        shared->fault_address = (uint64_t)(uintptr_t)info->si_addr;
        _exit(7);
    }
    shared->from_self = info->si_pid == getpid();
    if (info->si_code == SI_QUEUE)
        shared->value = info->si_value.sival_int;
    (void)context;
}

static void
counting(int sig)
{
    note_state(sig);
}

static void
without_info(int sig)
{
    note_state(sig);
    if (shared->calls > 3)
        _exit(8); /* a fault that a handler only returns from comes again */
}

enum cause { BY_FAULT, BY_KILL, BY_QUEUE, BY_RAISE, CAUSES };

static void
cause_it(enum cause cause, int sig)
{
    union sigval value = {.sival_int = 4711};
    switch (cause) {
    case BY_FAULT:
        *wild = 1;
        break;
    case BY_KILL:
        kill(getpid(), sig);
        break;
    case BY_QUEUE:
        sigqueue(getpid(), sig, value);
        break;
    default:
        raise(sig);
    }
}

/* Runs body in a child; its wait status. */
static int
child_run(void (*body)(const void *), const void *arg, seen *ret)
{
    int status = -1;
    memset(shared, 0, sizeof(*shared));
    pid_t pid = fork();
    if (pid == 0) {
        body(arg);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    *ret = *shared;
    return status;
}

typedef struct scenario {
    bool guarded;
    int sig;
    int flags;       /* of the old handler */
    int disposition; /* 0 function, 1 SIG_DFL, 2 SIG_IGN */
    enum cause cause;
    int blocked; /* a signal blocked by the thread, or 0 */
} scenario;

static void
scenario_play(const void *arg)
{
    const scenario *s = arg;
    struct sigaction act;
    sigset_t set;
    stack_t alt = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)};
    sigaltstack(&alt, NULL);
    memset(&act, 0, sizeof(act));
    act.sa_flags = s->flags;
    sigemptyset(&act.sa_mask);
    sigaddset(&act.sa_mask, SIGUSR2);
    if (s->disposition != 0)
        act.sa_handler = s->disposition == 1 ? SIG_DFL : SIG_IGN;
    else if (s->flags & SA_SIGINFO)
        act.sa_sigaction = with_info;
    else
        act.sa_handler = without_info;
    sigaction(s->sig, &act, NULL);
    if (s->blocked) {
        sigemptyset(&set);
        sigaddset(&set, s->blocked);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    if (s->guarded && vmp_guard_install(NULL) != 0)
        _exit(99);
    errno = 0;
    cause_it(s->cause, s->sig);
    shared->errno_after = errno;
    shared->mask_after = mask_now();
    shared->went_on = true;
}

/* The same with and without us, over all flags that matter. */
TEST(what_is_passed_on_is_what_the_kernel_would_have_done)
{
    static const int flags[] = {SA_SIGINFO, SA_NODEFER, SA_ONSTACK, (int)SA_RESETHAND};
    int played = 0;
    for (int set = 0; set < 16; set++) {
        for (int sig = 0; sig < 2; sig++) {
            for (int disposition = 0; disposition < 3; disposition++) {
                for (int cause = 0; cause < CAUSES; cause++) {
                    if ((disposition != 0 && set != 0) || (cause == BY_FAULT && sig == 1))
                        continue;
                    scenario s = {.sig = sig ? SIGBUS : SIGSEGV,
                        .disposition = disposition,
                        .cause = (enum cause)cause,
                        .blocked = set % 3 ? SIGUSR1 : 0};
                    for (int i = 0; i < 4; i++)
                        if (set >> i & 1)
                            s.flags |= flags[i];
                    seen bare, guarded;
                    int bare_status = child_run(scenario_play, &s, &bare);
                    s.guarded = true;
                    int status = child_run(scenario_play, &s, &guarded);
                    bool same = status == bare_status && memcmp(&bare, &guarded, sizeof(bare)) == 0;
                    if (!same)
                        printf("# flags %x signal %d disposition %d cause %d: status %x, bare %x; "
                               "calls %d/%d mask %llx/%llx alt %d/%d default %d/%d code %d/%d\n",
                            (unsigned)s.flags, s.sig, disposition, cause, (unsigned)status,
                            (unsigned)bare_status, guarded.calls, bare.calls,
                            (unsigned long long)guarded.mask, (unsigned long long)bare.mask,
                            guarded.on_alt, bare.on_alt, guarded.is_default_inside,
                            bare.is_default_inside, guarded.code, bare.code);
                    CHECK(same);
                    played++;
                }
            }
        }
    }
    CHECK(played > 100);
}

static void
restart_play(const void *arg)
{
    const scenario *s = arg;
    int fds[2];
    char byte;
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_handler = counting;
    act.sa_flags = s->flags;
    sigaction(SIGSEGV, &act, NULL);
    if (s->guarded && vmp_guard_install(NULL) != 0)
        _exit(99);
    if (pipe(fds) != 0)
        _exit(98);
    pid_t self = getpid(), helper = fork();
    if (helper == 0) {
        /* Until one of them met the read: it fails, or has been restarted thrice. */
        for (int i = 0; i < 400 && !shared->went_on && !(s->flags && shared->calls > 3); i++) {
            kill(self, SIGSEGV);
            usleep(2000);
        }
        _exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
    }
    shared->restarted = (int)read(fds[0], &byte, 1);
    shared->went_on = true;
    kill(helper, SIGKILL);
    waitpid(helper, NULL, 0);
    shared->calls = 0; /* how many signals were in time is chance */
}

TEST(system_calls_are_restarted_as_before)
{
    for (int restart = 0; restart < 2; restart++) {
        scenario s = {.flags = restart ? SA_RESTART : 0};
        seen bare, guarded;
        child_run(restart_play, &s, &bare);
        s.guarded = true;
        child_run(restart_play, &s, &guarded);
        CHECK_INT(bare.restarted, restart ? 1 : -1);
        CHECK_INT(guarded.restarted, bare.restarted);
    }
}

static unsigned char *
page_map(int prot)
{
    unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        abort();
    for (int i = 0; i < 8192; i++)
        p[i] = (unsigned char)(i * 7);
    mprotect(p + 4096, 4096, prot);
    return p;
}

TEST(loads_give_the_value_or_fail)
{
    unsigned char *p = page_map(PROT_NONE);
    uint64_t base = (uint64_t)(uintptr_t)p, v = 1, want;
    uint32_t w = 2, want32;
    CHECK_INT(vmp_guard_install(NULL), 0);
    CHECK(vmp_guard_owned());
    errno = 42;
    for (uint64_t i = 0; i <= 4096 - 8; i += 13) {
        memcpy(&want, p + i, 8);
        memcpy(&want32, p + i, 4);
        CHECK(vmp_guard_load64(base + i, &v) == 0 && v == want);
        CHECK(vmp_guard_load32(base + i, &w) == 0 && w == want32);
    }
    v = 5;
    w = 6;
    static const uint64_t bad[] = {0, 8, 4095, UINT64_C(1) << 47, UINT64_C(1) << 63, UINT64_MAX,
        UINT64_MAX - 7, UINT64_C(0xffffffff80000000)};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_INT(vmp_guard_load64(bad[i], &v), -VMP_EUNREADABLE);
        CHECK_INT(vmp_guard_load32(bad[i], &w), -VMP_EUNREADABLE);
    }
    /* Into the forbidden page: from 7 bytes before it on. */
    for (uint64_t i = 4096 - 7; i < 4096 + 16; i++)
        CHECK_INT(vmp_guard_load64(base + i, &v), -VMP_EUNREADABLE);
    CHECK_INT(v, 5);
    CHECK_INT(w, 6);
    CHECK_INT(errno, 42);
    vmp_guard_remove();
    CHECK(!vmp_guard_owned());
    munmap(p, 8192);
}

TEST(copies_stop_at_the_bad_place)
{
    unsigned char *p = page_map(PROT_NONE), out[64];
    uint64_t base = (uint64_t)(uintptr_t)p;
    CHECK_INT(vmp_guard_install(NULL), 0);
    for (size_t n = 0; n < sizeof(out); n++) {
        memset(out, 0xee, sizeof(out));
        CHECK_INT(vmp_guard_copy(base + 4096 - n, out, n), 0);
        CHECK(memcmp(out, p + 4096 - n, n) == 0);
        CHECK(n == sizeof(out) || out[n] == 0xee);
        CHECK_INT(vmp_guard_copy(base + 4096 - n, out, n + 1), -VMP_EUNREADABLE);
    }
    vmp_guard_remove();
    munmap(p, 8192);
}

TEST(a_file_that_shrank_is_unreadable)
{
    char name[] = "/tmp/vmprof-test-XXXXXX";
    int fd = mkstemp(name);
    uint64_t v = 0;
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED && ftruncate(fd, 0) == 0);
    CHECK_INT(vmp_guard_install(NULL), 0);
    CHECK_INT(vmp_guard_load64((uint64_t)(uintptr_t)p, &v), -VMP_EUNREADABLE);
    vmp_guard_remove();
    munmap(p, 4096);
    close(fd);
    unlink(name);
}

static struct sigaction
action_now(int sig)
{
    struct sigaction act;
    sigaction(sig, NULL, &act);
    return act;
}

TEST(remove_restores_and_install_does_not_nest)
{
    struct sigaction old;
    memset(&old, 0, sizeof(old));
    old.sa_sigaction = with_info;
    old.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaddset(&old.sa_mask, SIGHUP);
    sigaction(SIGBUS, &old, NULL);
    vmp_err err;
    for (int i = 0; i < 50; i++) {
        CHECK_INT(vmp_guard_install(&err), 0);
        CHECK_INT(vmp_guard_install(&err), -VMP_EBUSY);
        vmp_guard_remove();
        struct sigaction segv = action_now(SIGSEGV), bus = action_now(SIGBUS);
        CHECK(segv.sa_handler == SIG_DFL);
        CHECK(bus.sa_sigaction == with_info && (bus.sa_flags & SA_NODEFER));
        CHECK_INT(sigismember(&bus.sa_mask, SIGHUP), 1);
    }
    vmp_guard_remove();
    signal(SIGBUS, SIG_DFL);
}

/* A neighbour with faulthandler's manners: it puts back what it found, counts,
 * and raises the signal again. */
static struct sigaction neighbour_old;
static bool neighbour_on;

static void
neighbour(int sig)
{
    if (++shared->calls > 20)
        _exit(9);
    if (neighbour_on) {
        neighbour_on = false;
        sigaction(sig, &neighbour_old, NULL);
    }
    raise(sig);
}

static void
neighbour_enable(void)
{
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_handler = neighbour;
    act.sa_flags = SA_NODEFER;
    neighbour_on = true;
    sigaction(SIGSEGV, &act, &neighbour_old);
}

static void
neighbour_disable(void)
{
    neighbour_on = false;
    sigaction(SIGSEGV, &neighbour_old, NULL);
}

/* One letter a step: g/G guard on/off, n/N neighbour on/off, o/O owned or not. */
static void
dance(const void *steps)
{
    for (const char *s = steps; *s; s++) {
        switch (*s) {
        case 'g':
            if (vmp_guard_install(NULL) != 0)
                _exit(97);
            break;
        case 'G':
            vmp_guard_remove();
            break;
        case 'n':
            neighbour_enable();
            break;
        case 'N':
            neighbour_disable();
            break;
        default:
            if (vmp_guard_owned() != (*s == 'o'))
                _exit(96);
        }
    }
    cause_it(BY_FAULT, SIGSEGV);
}

TEST(a_neighbour_that_saves_and_restores_us_is_called_once)
{
    static const struct {
        const char *steps;
        int calls;
    } dances[] = {{"go", 0}, {"gonO", 1}, {"ngo", 1}, {"goG", 0}, {"gnONo", 0}, {"ngoNO", 0},
        {"gnG", 1}, {"gnGN", 0}, {"gnGgo", 1}, {"gnGNgo", 0}, {"gnGgoNoG", 0}, {"gnGgGgGgo", 1},
        {"gnGgoGN", 0}, {"ngNGgo", 0}, {"ngNGngo", 1}, {"gnGgoNogG", 0}};
    for (size_t i = 0; i < sizeof(dances) / sizeof(dances[0]); i++) {
        seen got;
        /* A last guard on that is busy would exit 97. */
        const char *steps = dances[i].steps;
        int status = child_run(dance, steps, &got);
        bool twice = strcmp(steps, "gnGgoNogG") == 0;
        bool good = twice ? WIFEXITED(status) && WEXITSTATUS(status) == 97
                          : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
        if (!good || got.calls != dances[i].calls)
            printf("# %s: status %x, %d calls\n", steps, (unsigned)status, got.calls);
        CHECK(good);
        CHECK_INT(got.calls, dances[i].calls);
    }
}

static void
changing_neighbours(const void *arg)
{
    (void)arg;
    struct sigaction act;
    memset(&act, 0, sizeof(act));
    act.sa_handler = without_info;
    for (int i = 1; i <= 20; i++) {
        /* Each time another predecessor, told apart by its mask. */
        sigaddset(&act.sa_mask, i);
        sigaction(SIGSEGV, &act, NULL);
        vmp_err err;
        int rc = vmp_guard_install(&err);
        if (rc == -VMP_ELIMIT && !vmp_guard_owned()) {
            struct sigaction now = action_now(SIGSEGV);
            _exit(now.sa_handler == without_info && action_now(SIGBUS).sa_handler == SIG_DFL ? i
                                                                                             : 90);
        }
        if (rc != 0)
            _exit(91);
        vmp_guard_remove();
    }
}

TEST(too_many_predecessors_are_refused_not_confused)
{
    seen got;
    int status = child_run(changing_neighbours, NULL, &got);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 8); /* the default was met before: seven links were left */
}

static sigjmp_buf jump;

static void
jumper(int sig)
{
    note_state(sig);
    siglongjmp(jump, 1);
}

static void
jump_play(const void *arg)
{
    (void)arg;
    signal(SIGSEGV, jumper);
    vmp_guard_install(NULL);
    for (int i = 0; i < 5; i++)
        if (sigsetjmp(jump, 1) == 0)
            *wild = 1;
    shared->went_on = true;
    shared->mask_after = mask_now();
    uint64_t v;
    if (vmp_guard_load64(16, &v) != -VMP_EUNREADABLE)
        _exit(95);
}

TEST(a_handler_may_jump_out)
{
    seen got;
    int status = child_run(jump_play, NULL, &got);
    CHECK_INT(status, 0);
    CHECK_INT(got.calls, 5);
    CHECK(got.went_on && got.mask_after == 0);
}

static bool usable[2];
static int usable_at;

static void
ask_usable(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    usable[usable_at++] = vmp_guard_usable_in(context);
}

TEST(usable_in_tells_a_blocked_signal)
{
    struct sigaction act;
    sigset_t set;
    memset(&act, 0, sizeof(act));
    act.sa_sigaction = ask_usable;
    act.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    CHECK(usable[0] && !usable[1]);
}

static void *
load_often(void *arg)
{
    (void)arg;
    long wrong = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t v = 0, good = 77 + (uint64_t)i;
        wrong += vmp_guard_load64(8, &v) != -VMP_EUNREADABLE;
        wrong += vmp_guard_load64((uint64_t)(uintptr_t)&good, &v) != 0 || v != good;
    }
    return (void *)wrong;
}

static volatile sig_atomic_t entered, failed;

/* SIGTRAP as a clock: while the first one reads, a second one is queued. */
static void
reading(int sig, siginfo_t *info, void *context)
{
    uint64_t value;
    (void)context;
    if (++entered == 1) {
        syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), sig, info);
        failed = vmp_guard_load64(8, &value) < 0;
    }
}

TEST(a_tick_that_waits_does_not_hide_a_fault)
{
    /* A positive code makes it one that the kernel takes for synchronous. */
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_BRKPT};
    struct sigaction act = {.sa_sigaction = reading, .sa_flags = SA_SIGINFO};
    sigfillset(&act.sa_mask);
    sigdelset(&act.sa_mask, SIGSEGV);
    sigdelset(&act.sa_mask, SIGBUS);
    CHECK_INT(vmp_guard_install(NULL), 0);
    vmp_guard_reader_set(reading);
    CHECK_INT(sigaction(SIGTRAP, &act, NULL), 0);
    CHECK_INT(
        (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGTRAP, &info), 0);
    CHECK_INT(entered, 2);
    CHECK_INT(failed, 1);
    signal(SIGTRAP, SIG_DFL);
    vmp_guard_reader_set(NULL);
    vmp_guard_remove();
}

TEST(threads_fault_at_the_same_time)
{
    pthread_t threads[4];
    CHECK_INT(vmp_guard_install(NULL), 0);
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, load_often, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        CHECK(wrong == NULL);
    }
    vmp_guard_remove();
}

TEST(prepares)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    /* A sanitizer has handlers of its own. */
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
}

TEST_MAIN(RUN(prepares), RUN(loads_give_the_value_or_fail), RUN(copies_stop_at_the_bad_place),
    RUN(a_file_that_shrank_is_unreadable), RUN(remove_restores_and_install_does_not_nest),
    RUN(what_is_passed_on_is_what_the_kernel_would_have_done),
    RUN(system_calls_are_restarted_as_before),
    RUN(a_neighbour_that_saves_and_restores_us_is_called_once),
    RUN(too_many_predecessors_are_refused_not_confused), RUN(a_handler_may_jump_out),
    RUN(usable_in_tells_a_blocked_signal), RUN(a_tick_that_waits_does_not_hide_a_fault),
    RUN(threads_fault_at_the_same_time))
