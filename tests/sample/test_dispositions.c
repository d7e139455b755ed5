/* What becomes of the program's own handlers of our signals, and of who traps, while a
 * session runs and after it. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

static bool
is_same(const struct sigaction *a, const struct sigaction *b)
{
    /* The C library adds SA_RESTORER, which it does not name, to each that it sets. */
    const int own = 0x04000000;
    return a->sa_handler == b->sa_handler && ((a->sa_flags ^ b->sa_flags) & ~own) == 0;
}

TEST(dispositions_are_as_before)
{
    static const char *const timers[] = {"perf", "cputimer", "pacer"};
    for (int i = 0; i < 3; i++) {
        struct sigaction trap, prof, segv, after;
        sigaction(SIGTRAP, NULL, &trap);
        sigaction(SIGPROF, NULL, &prof);
        sigaction(SIGSEGV, NULL, &segv);
        if (start(timers[i], 1000000, 0) < 0)
            continue;
        burn(0.05);
        CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
        sigaction(SIGTRAP, NULL, &after);
        CHECK(is_same(&after, &trap));
        sigaction(SIGPROF, NULL, &after);
        CHECK(is_same(&after, &prof));
        sigaction(SIGSEGV, NULL, &after);
        CHECK(is_same(&after, &segv));
    }
}

static _Atomic(char *) handled_at;

static void
place_note(int signo)
{
    (void)signo;
    char here;
    handled_at = &here;
}

/* Whether a handler of the program's that was there before the start, or came after it, runs on
 * the thread's alternate stack. */
static bool
is_handled_on(const char *stack, size_t bytes, int signo, int flags, bool before)
{
    struct sigaction own = {.sa_handler = place_note, .sa_flags = flags}, old;
    sigemptyset(&own.sa_mask);
    sigaction(signo, NULL, &old);
    handled_at = NULL;
    if (before)
        sigaction(signo, &own, NULL);
    if (start(signo == SIGTRAP ? "perf" : "pacer", 1000000, 0) < 0) {
        sigaction(signo, &old, NULL);
        return flags & SA_ONSTACK;
    }
    CHECK_INT(vmp_the_sampler.installed_signo, signo);
    if (!before) {
        struct sigaction now;
        sigaction(signo, &own, NULL);
        pthread_mutex_lock(&vmp_the_sampler.mutex); /* the drain may do so as well */
        vmp_source_signal_adopt(&vmp_the_sampler);
        pthread_mutex_unlock(&vmp_the_sampler.mutex);
        sigaction(signo, NULL, &now);
        CHECK(now.sa_sigaction == vmp_sample_on_signal);
    }
    raise(signo);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    sigaction(signo, &old, NULL);
    CHECK(handled_at != NULL);
    return handled_at >= stack && handled_at < stack + bytes;
}

TEST(a_handler_of_the_program_s_runs_on_the_stack_that_it_asked_for)
{
    static char memory[1 << 16];
    stack_t alternate = {.ss_sp = memory, .ss_size = sizeof(memory)}, before;
    sigaltstack(&alternate, &before);
    static const int signals[] = {SIGTRAP, SIGPROF};
    for (int i = 0; i < 4; i++) {
        int signo = signals[i / 2];
        CHECK(is_handled_on(memory, sizeof(memory), signo, SA_ONSTACK, i % 2));
        CHECK(!is_handled_on(memory, sizeof(memory), signo, 0, i % 2));
    }
    sigaltstack(&before, NULL);
}

/* False if this processor's traps are not told apart. */
static bool
trap(int kind)
{
#if defined(__x86_64__)
    if (kind == 0)
        __asm__ volatile("int3");
    else if (kind == 1)
        __asm__ volatile(".byte 0xcd, 0x03");
    else
        __asm__ volatile(".byte 0xf1");
    return true;
#else
    (void)kind;
    return false;
#endif
}

TEST(who_traps_without_a_debugger_dies_of_it)
{
    for (int kind = 0; kind < 3; kind++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            alarm(60); /* one that goes on would trap for ever */
            if (start("perf", 1000000, 0) < 0)
                _exit(3); /* not allowed here */
            burn(0.02);
            _exit(trap(kind) ? 0 : 3);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
            return;
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
    }
}

static char *gone;
static size_t gone_bytes;
static volatile int faults_heard;

/* As the thread state of a thread that held the GIL and has ended. */
static void *
state_that_is_gone(void)
{
    return gone;
}

static void
fault_note(int signo)
{
    (void)signo;
    faults_heard++;
    mprotect(gone, gone_bytes, PROT_READ);
}

/* Whose handler would report a crash, and end the program, of which there is none. */
TEST(who_takes_sigsegv_hears_of_no_load_of_the_sampler)
{
    struct sigaction theirs = {.sa_handler = fault_note}, ours;
    sigemptyset(&theirs.sa_mask);
    gone_bytes = (size_t)sysconf(_SC_PAGESIZE);
    gone = mmap(NULL, gone_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(gone != MAP_FAILED);
    vmp_sampler_python old = python;
    python.tstate_attached = state_that_is_gone;
    python.attached_is_global = true;
    if (start("perf", 1000000, 0) == 0 || start("pacer", 1000000, 0) == 0) {
        for (int i = 0; i < 5; i++) {
            sigaction(SIGSEGV, &theirs, &ours);
            burn(0.05); /* about the time until the drain looks */
            sigaction(SIGSEGV, &ours, NULL);
            burn(0.15);
        }
        vmp_sampler_summary sum;
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        CHECK(sum.ticks > 200);
        CHECK_INT(faults_heard, 0);
    }
    python = old;
    munmap(gone, gone_bytes);
}

static _Atomic int walks;

/* Now and then another program has the CPU for a turn in the middle of a walk. */
static void *
state_that_waits(void)
{
    static uint64_t no_frames[512];
    static const struct timespec turn = {0, 20000000};
    if (atomic_fetch_add(&walks, 1) % 20 == 19)
        nanosleep(&turn, NULL);
    return no_frames;
}

/* By the wall clock one such walk of twenty would be followed by 200 ticks without one. */
TEST(walks_by_system_calls_are_timed_by_what_they_use)
{
    struct sigaction theirs = {.sa_handler = fault_note}, ours;
    sigemptyset(&theirs.sa_mask);
    vmp_sampler_python old = python;
    python.tstate_attached = state_that_waits;
    if (start("perf", 1000000, 0) == 0) {
        sigaction(SIGSEGV, &theirs, &ours);
        burn(0.2); /* the drain sees whose it is */
        CHECK(!atomic_load(&vmp_the_sampler.guarded));
        int before = atomic_load(&walks);
        burn(0.4);
        int came = atomic_load(&walks) - before;
        sigaction(SIGSEGV, &ours, NULL);
        CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
        printf("# %d walks\n", came);
        CHECK(came > 200 && came < 450);
    }
    python = old;
}

TEST_MAIN(RUN(dispositions_are_as_before), RUN(who_takes_sigsegv_hears_of_no_load_of_the_sampler),
    RUN(walks_by_system_calls_are_timed_by_what_they_use),
    RUN(a_handler_of_the_program_s_runs_on_the_stack_that_it_asked_for),
    RUN(who_traps_without_a_debugger_dies_of_it))
