/* Signals that are no ticks, at a handler of the program's for the signal of the ticks: it runs as
 * the kernel would have it, by mask and flags. Each is compared with what a bare process sees. */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actions.h"
#include "check.h"
#include "live.h"

/* What a handler met. */
typedef struct seen {
    int calls, depth_most;
    uint64_t blocked; /* in the last call, a bit for each signal from 1 */
} seen;

static volatile seen met;
static volatile int depth, raises;

static void
handle(int signo)
{
    sigset_t mask;
    met.calls++;
    if (++depth > met.depth_most)
        met.depth_most = depth;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    met.blocked = 0;
    for (int s = 1; s < 65; s++)
        if (sigismember(&mask, s) == 1)
            met.blocked |= (uint64_t)1 << (s - 1);
    if (met.calls <= raises)
        raise(signo);
    depth--;
}

typedef struct action_case {
    const char *name;
    int flags, raises_inside, raises, also_masks;
} action_case;

static const action_case cases[] = {
    {"plain", 0, 0, 2, 0},
    {"with a mask", SA_RESTART, 0, 1, SIGUSR2},
    {"not deferred", SA_NODEFER, 2, 1, 0},
    {"deferred", 0, 2, 1, 0},
    {"not deferred, on the other stack", SA_NODEFER | SA_ONSTACK, 0, 1, SIGTERM},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* Runs in the session, or without one: timer NULL. */
static seen
seen_by(const action_case *c, int signo, const char *timer)
{
    struct sigaction own = {.sa_handler = handle, .sa_flags = c->flags}, old;
    sigset_t hup, before;
    seen ret = {-1, -1, 0};
    sigemptyset(&own.sa_mask);
    if (c->also_masks)
        sigaddset(&own.sa_mask, c->also_masks);
    sigaction(signo, &own, &old);
    if (!timer || start(timer, 1000000, 0) == 0) {
        sigemptyset(&hup);
        sigaddset(&hup, SIGHUP);
        met = (seen){0, 0, 0};
        raises = c->raises_inside;
        pthread_sigmask(SIG_BLOCK, &hup, &before);
        for (int i = 0; i < c->raises; i++)
            raise(signo);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        ret = met;
        if (timer)
            CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    }
    sigaction(signo, &old, NULL);
    return ret;
}

TEST(a_handler_runs_with_the_mask_that_it_asked_for)
{
    static const struct {
        const char *timer;
        int signo;
    } sources[] = {{"perf", SIGTRAP}, {"pacer", SIGPROF}};
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < CASES; j++) {
            seen bare = seen_by(&cases[j], sources[i].signo, NULL);
            seen ours = seen_by(&cases[j], sources[i].signo, sources[i].timer);
            if (ours.calls < 0)
                continue;
            printf("# %s, %s\n", sources[i].timer, cases[j].name);
            CHECK_INT(bare.calls, cases[j].raises + cases[j].raises_inside);
            CHECK_INT(ours.calls, bare.calls);
            CHECK_INT(ours.depth_most, bare.depth_most);
            CHECK_INT((int64_t)ours.blocked, (int64_t)bare.blocked);
        }
    }
}

static volatile int once_calls;

static void
once(int signo)
{
    once_calls++;
    raise(signo); /* bare: the end of the process when this returns */
}

typedef struct end_case {
    void (*handler)(int);
    int flags, end;
} end_case;

/* What becomes of who raises the signal three times. 0 if it lives: negative is a signal. */
static int
end_of(const end_case *c, int signo, const char *timer)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        struct sigaction own = {.sa_handler = c->handler, .sa_flags = c->flags};
        sigemptyset(&own.sa_mask);
        setrlimit(RLIMIT_CORE, &none);
        alarm(20); /* who is called without end */
        sigaction(signo, &own, NULL);
        if (timer && start(timer, 1000000, 0) < 0)
            _exit(3); /* not allowed here */
        for (int i = 0; i < 3; i++)
            raise(signo);
        _exit(once_calls);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(who_wants_one_signal_dies_of_the_next)
{
    static const end_case ends[] = {
        {once, (int)SA_RESETHAND, 1},
        {once, (int)SA_RESETHAND | SA_NODEFER, 1},
        {SIG_DFL, SA_SIGINFO, 1},
        {SIG_IGN, SA_SIGINFO, 0},
    };
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        CHECK_INT(end_of(&ends[i], SIGTRAP, NULL), ends[i].end ? -SIGTRAP : 0);
        CHECK_INT(end_of(&ends[i], SIGPROF, NULL), ends[i].end ? -SIGPROF : 0);
        int by_perf = end_of(&ends[i], SIGTRAP, "perf");
        if (by_perf != 3)
            CHECK_INT(by_perf, ends[i].end ? -SIGTRAP : 0);
        CHECK_INT(end_of(&ends[i], SIGPROF, "pacer"), ends[i].end ? -SIGPROF : 0);
    }
}

/* What is told of it afterwards, and left behind. */
TEST(who_wanted_one_signal_has_the_default_afterwards)
{
    struct sigaction own = {.sa_handler = handle, .sa_flags = (int)SA_RESETHAND}, old, now;
    sigemptyset(&own.sa_mask);
    sigaction(SIGPROF, &own, &old);
    if (start("pacer", 1000000, 0) == 0) {
        met = (seen){0, 0, 0};
        raises = 0;
        raise(SIGPROF);
        CHECK_INT(met.calls, 1);
        burn(0.05);
        CHECK_INT(met.calls, 1);
        sigaction(SIGPROF, NULL, &now);
        CHECK(vmp_actions_is_ours(&now));
        CHECK_INT(vmp_actions_sigaction(SIGPROF, NULL, &now), 0);
        CHECK(now.sa_handler == SIG_DFL);
        CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
        sigaction(SIGPROF, NULL, &now);
        CHECK(now.sa_handler == SIG_DFL || vmp_actions_is_ours(&now)); /* it may linger */
    }
    sigaction(SIGPROF, &old, NULL);
}

TEST_MAIN(RUN(a_handler_runs_with_the_mask_that_it_asked_for),
    RUN(who_wants_one_signal_dies_of_the_next),
    RUN(who_wanted_one_signal_has_the_default_afterwards))
