/* Libraries that set the action of the ticks' signal by C while a session runs: no tick goes to
 * them, and all else is as they asked. Suite "live": needs perf. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actions.h"
#include "actions_lib.h"
#include "check.h"
#include "live.h"

static void *loaded;

static const actions_lib *
load(int flags)
{
    loaded = dlopen(ACTIONS_LIB, flags);
    if (!loaded)
        printf("# %s\n", dlerror());
    return loaded ? dlsym(loaded, "actions_loaded_calls") : NULL;
}

/* By this program's own call, which nobody has changed. */
static struct sigaction
installed(void)
{
    struct sigaction now;
    sigaction(SIGTRAP, NULL, &now);
    return now;
}

static bool
is_note(const actions_lib *lib, const struct sigaction *action)
{
    return action->sa_sigaction == lib->action(NOTE).sa_sigaction;
}

static bool
starts(uint64_t interval_ns)
{
    sigaction(SIGTRAP, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    return start("perf", interval_ns, 0) == 0;
}

static void
ends(void)
{
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    sigaction(SIGTRAP, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

/* In a session. */
static void
check_unheard(const actions_lib *lib)
{
    struct sigaction old = lib->by_sigaction(SIGTRAP, NOTE), now = installed();
    CHECK(old.sa_handler == SIG_DFL);
    CHECK(vmp_actions_is_ours(&now));
    burn(0.12);
    CHECK_INT(lib->heard(), 0);
    CHECK_INT(lib->ask(SIGTRAP, &old), 0);
    CHECK(is_note(lib, &old) && (old.sa_flags & SA_SIGINFO) && (old.sa_flags & SA_ONSTACK));
    raise(SIGTRAP);
    CHECK_INT(lib->heard(), 1);

    CHECK(lib->by_signal(SIGTRAP, NOTE) == lib->action(NOTE).sa_handler);
    burn(0.12);
    CHECK_INT(lib->heard(), 0);
    raise(SIGTRAP);
    CHECK_INT(lib->heard(), 1);

    CHECK(lib->by_signal(SIGTRAP, IGNORE) != SIG_ERR);
    raise(SIGTRAP);
    CHECK_INT(lib->heard(), 0);

    struct sigaction note = lib->action(NOTE);
    CHECK_INT(lib->by_table(SIGTRAP, &note, &old), 0);
    CHECK(old.sa_handler == SIG_IGN);
    burn(0.12);
    CHECK_INT(lib->heard(), 0);
    now = installed();
    CHECK(vmp_actions_is_ours(&now));
}

static const uint64_t intervals_ns[] = {1000000, 100000};

TEST(a_library_that_was_there_hears_no_tick_and_has_its_action_afterwards)
{
    for (int i = 0; i < 2; i++) {
        if (!starts(intervals_ns[i]))
            return;
        check_unheard(&actions_lib_calls);
        CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
        struct sigaction now = installed();
        CHECK(is_note(&actions_lib_calls, &now));
        /* Its calls are as bare from now on. */
        now = actions_lib_calls.by_sigaction(SIGTRAP, DEFAULT);
        CHECK(is_note(&actions_lib_calls, &now));
        CHECK(installed().sa_handler == SIG_DFL);
    }
}

TEST(a_library_that_is_loaded_in_a_session_hears_no_tick)
{
    static const int flags[] = {RTLD_NOW, RTLD_LAZY, RTLD_NOW | RTLD_GLOBAL};
    for (int i = 0; i < 2; i++) {
        if (!starts(intervals_ns[i]))
            return;
        /* Unloaded in between, where the C library does so. */
        for (int j = 0; j < 3; j++) {
            const actions_lib *lib = load(flags[j]);
            CHECK(lib != NULL);
            if (!lib)
                break;
            if (j == 0)
                burn(0.25); /* the drain finds it */
            else
                vmp_sampler_objects_loaded();
            check_unheard(lib);
            lib->by_signal(SIGTRAP, DEFAULT);
            dlclose(loaded);
        }
        ends();
    }
}

/* How a child ends that runs `run` in a session, for burn() to be interrupted by many ticks. */
static int
end_of(void (*run)(const actions_lib *lib))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!starts(100000))
            raise(SIGTRAP);
        const actions_lib *lib = load(RTLD_NOW);
        vmp_sampler_objects_loaded();
        burn(0.05);
        run(lib);
        burn(0.2);
        _exit(check_failures);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
set_default_and_raise(const actions_lib *lib)
{
    lib->by_sigaction(SIGTRAP, NOTE);
    burn(0.05);
    lib->by_sigaction(SIGTRAP, DEFAULT);
    burn(0.05);
    raise(SIGTRAP);
}

static void
die_in_handler(const actions_lib *lib)
{
    lib->by_sigaction(SIGTRAP, DIE);
    burn(0.05);
    raise(SIGTRAP);
}

static void
die_by_signal(const actions_lib *lib)
{
    lib->by_signal(SIGTRAP, DIE);
    burn(0.05);
    raise(SIGTRAP);
}

static void
only_set(const actions_lib *lib)
{
    lib->by_sigaction(SIGTRAP, DIE);
}

TEST(who_has_a_crash_handler_lives_and_dies_of_what_is_no_tick)
{
    CHECK_INT(end_of(set_default_and_raise), -SIGTRAP);
    CHECK_INT(end_of(die_in_handler), -SIGTRAP);
    CHECK_INT(end_of(die_by_signal), -SIGTRAP);
    if (starts(1000000)) { /* else all children raise it */
        ends();
        CHECK_INT(end_of(only_set), 0);
    }
}

TEST(other_signals_are_none_of_our_business)
{
    const actions_lib *lib = &actions_lib_calls;
    struct sigaction old, ours;
    if (!starts(1000000))
        return;
    old = lib->by_sigaction(SIGUSR1, NOTE);
    CHECK(old.sa_handler == SIG_DFL);
    sigaction(SIGUSR1, NULL, &ours);
    CHECK(is_note(lib, &ours));
    CHECK_INT(lib->ask(SIGUSR1, &old), 0);
    CHECK(is_note(lib, &old) && old.sa_flags == ours.sa_flags);
    raise(SIGUSR1);
    CHECK_INT(lib->heard(), 1);
    CHECK(lib->by_signal(SIGUSR1, DEFAULT) == lib->action(NOTE).sa_handler);
    errno = 0;
    CHECK(lib->by_signal(SIGKILL, IGNORE) == SIG_ERR);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(lib->ask(-1, &old), -1);
    CHECK_INT(lib->ask(0, &old), -1);
    CHECK_INT(lib->ask(1000, &old), -1);
    /* Who got our action by a call of his own, and puts it back by one that is seen. */
    errno = 7;
    lib->by_sigaction(SIGTRAP, NOTE);
    ours = installed();
    CHECK(vmp_actions_is_ours(&ours));
    lib->put(SIGTRAP, &ours);
    CHECK_INT(errno, 7);
    CHECK_INT(lib->ask(SIGTRAP, &old), 0);
    CHECK(is_note(lib, &old));
    ends();
}

/* Ticks would end system calls if ours were made to. */
TEST(who_wants_calls_interrupted_means_its_own_handler)
{
    const actions_lib *lib = &actions_lib_calls;
    struct sigaction told;
    if (!starts(100000))
        return;
    CHECK_INT(lib->interrupt(SIGTRAP, 1), 0); /* of the default */
    CHECK(installed().sa_flags & SA_RESTART);
    lib->by_signal(SIGTRAP, NOTE);
    CHECK(installed().sa_flags & SA_RESTART);
    CHECK_INT(lib->interrupt(SIGTRAP, 1), 0);
    CHECK_INT(lib->ask(SIGTRAP, &told), 0);
    CHECK(!(told.sa_flags & SA_RESTART));
    CHECK_INT(lib->interrupt(SIGTRAP, 0), 0);
    CHECK(installed().sa_flags & SA_RESTART);
    burn(0.02);
    CHECK_INT(lib->heard(), 0);
    /* Of another signal. */
    lib->by_signal(SIGUSR1, NOTE);
    CHECK_INT(lib->interrupt(SIGUSR1, 1), 0);
    CHECK_INT(lib->ask(SIGUSR1, &told), 0);
    CHECK(!(told.sa_flags & SA_RESTART));
    CHECK_INT(lib->interrupt(SIGUSR1, 0), 0);
    lib->by_signal(SIGUSR1, DEFAULT);
    CHECK_INT(lib->interrupt(-1, 1), -1);
    ends();
}

TEST(children_set_their_own)
{
    const actions_lib *lib = &actions_lib_calls;
    struct sigaction old;
    if (!starts(100000))
        return;
    lib->by_sigaction(SIGTRAP, NOTE);
    /* Without the fork's hooks, as who forks by a system call; the child has a copy. */
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        struct sigaction before = lib->by_sigaction(SIGTRAP, IGNORE);
        _exit(is_note(lib, &before) && installed().sa_handler == SIG_IGN ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_INT(status, 0);
    /* One that shares our memory. */
    child = vfork();
    if (child == 0) {
        lib->by_signal(SIGTRAP, IGNORE);
        _exit(0);
    }
    waitpid(child, &status, 0);
    CHECK_INT(status, 0);
    CHECK_INT(lib->ask(SIGTRAP, &old), 0);
    CHECK(is_note(lib, &old));
    burn(0.05);
    CHECK_INT(lib->heard(), 0);
    ends();
}

static _Atomic bool storm_over;

static void *
set_all_the_time(void *lib_arg)
{
    const actions_lib *lib = lib_arg;
    while (!storm_over) {
        lib->by_sigaction(SIGTRAP, DIE);
        lib->by_signal(SIGTRAP, NOTE);
        lib->by_sigaction(SIGTRAP, NOTE);
    }
    return NULL;
}

TEST(threads_may_set_it_all_the_time)
{
    pthread_t threads[3];
    const actions_lib *lib = &actions_lib_calls;
    vmp_sampler_summary sum;
    for (int round = 0; round < 3; round++) {
        if (!starts(100000))
            return;
        storm_over = false;
        for (int i = 0; i < 3; i++)
            CHECK_INT(
                pthread_create(&threads[i], NULL, set_all_the_time, (void *)(uintptr_t)lib), 0);
        burn(0.3);
        /* The end of a session meets them in the second. */
        if (round == 1)
            CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        storm_over = true;
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        CHECK_INT(lib->heard(), 0);
        if (round != 1) {
            struct sigaction old = lib->by_sigaction(SIGTRAP, NOTE);
            CHECK(is_note(lib, &old) || old.sa_handler != SIG_DFL);
            CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        }
        struct sigaction now = installed();
        CHECK(!vmp_actions_is_ours(&now) && now.sa_handler != SIG_DFL);
        CHECK(sum.ticks > 500);
        sigaction(SIGTRAP, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
}

TEST_MAIN(RUN(a_library_that_was_there_hears_no_tick_and_has_its_action_afterwards),
    RUN(a_library_that_is_loaded_in_a_session_hears_no_tick),
    RUN(who_has_a_crash_handler_lives_and_dies_of_what_is_no_tick),
    RUN(other_signals_are_none_of_our_business),
    RUN(who_wants_calls_interrupted_means_its_own_handler), RUN(children_set_their_own),
    RUN(threads_may_set_it_all_the_time))
