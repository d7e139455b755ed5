/* All that may meet, at once and without Python: sessions begin and end while threads
 * begin and end, code objects die, pauses nest, an exec fails and processes fork. Meant
 * for the thread sanitizer, which tells what is not ordered; ticks of the plain build
 * come at any instruction, so it is worth running as well. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sampler_internal.h"

enum {
    OBJECT_WORDS = 32,
    MOST_FRAMES = 24,
    SESSION_MS = 150,
    BEGINNERS = 3,
};
static const uint64_t INTERVAL_NS = 200000;
static const uint64_t CODE_TYPE = 0x1000;

/* An object of a made-up interpreter of version 3.10; fields by byte offset. */
typedef struct object {
    uint64_t words[OBJECT_WORDS];
} object;

#ifdef __SANITIZE_THREAD__
/* The sanitizer of gcc 12 does not know this function, and would take all that a thread
 * does after it for unlocked. It knows the one below. */
int
pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    int64_t until_ns = (int64_t)until->tv_sec * 1000000000 + until->tv_nsec;
    int rc;
    (void)clock;
    while ((rc = pthread_mutex_trylock(mutex)) != 0 && vmp_os_mono_ns() < until_ns)
        vmp_os_sleep_until(vmp_os_mono_ns() + 100000);
    return rc == 0 ? 0 : ETIMEDOUT;
}
#endif

static vmp_py_offsets off;
static object name, table;
static _Thread_local object *state;
static _Atomic bool over;
static _Atomic unsigned forks, bad_children, pauses, deaths, threads;

static void
put(object *o, uint16_t field, uint64_t value, size_t n)
{
    memcpy((uint8_t *)o + field, &value, n);
}

static void
put_pointer(object *o, uint16_t field, const void *p)
{
    put(o, field, (uint64_t)(uintptr_t)p, 8);
}

static object *
object_new(void)
{
    object *o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    return o;
}

static object *
code_new(int first_line)
{
    object *code = object_new();
    put(code, off.object.type, CODE_TYPE, 8);
    put(code, off.code.firstlineno, (uint64_t)first_line, 4);
    put_pointer(code, off.code.name, &name);
    put_pointer(code, off.code.filename, &name);
    put_pointer(code, off.code.linetable, &table);
    return code;
}

static void
code_die(object *code)
{
    vmp_sampler_code_died((uint64_t)(uintptr_t)code);
    memset(code, 0xdb, sizeof(*code));
    free(code);
    atomic_fetch_add(&deaths, 1);
}

static void
interpreter_make(void)
{
    enum { ASCII = 1u << 6, COMPACT = 1u << 5, ONE_BYTE = 1u << 2 };
    const vmp_py_target target = {.version_hex = 0x030a0df0, .pointer_bytes = 8};
    CHECK_INT(vmp_py_offsets_for(&off, &target, NULL, NULL), 0);
    put(&name, off.unicode.length, 5, 8);
    put(&name, off.unicode.state, ASCII | COMPACT | ONE_BYTE, 4);
    memcpy((uint8_t *)&name + off.unicode.ascii_data, "storm", 5);
}

static void *
own_state(void)
{
    return state;
}

static void
burn(uint64_t ns)
{
    uint64_t end_ns = vmp_os_own_cpu_ns() + ns;
    volatile unsigned sink = 0;
    while (vmp_os_own_cpu_ns() < end_ns)
        for (int i = 0; i < 2000; i++)
            sink += (unsigned)i;
}

/* A thread that calls, burns and returns; its code objects die with it. */
static void *
work_main(void *unused)
{
    object *frames[MOST_FRAMES], *codes[MOST_FRAMES];
    state = object_new();
    put(state, off.tstate.thread_id, (uint64_t)pthread_self(), 8);
    for (int i = 0; i < MOST_FRAMES; i++) {
        frames[i] = object_new();
        codes[i] = code_new(i + 1);
        put_pointer(frames[i], off.frame.back, i ? frames[i - 1] : NULL);
        put_pointer(frames[i], off.frame.code, codes[i]);
    }
    for (int i = 0; i < MOST_FRAMES; i++) {
        put_pointer(state, off.tstate.frame, frames[i]);
        burn(INTERVAL_NS);
    }
    for (int i = MOST_FRAMES; i-- > 0;) {
        put_pointer(state, off.tstate.frame, i ? frames[i - 1] : NULL);
        code_die(codes[i]);
    }
    for (int i = 0; i < MOST_FRAMES; i++)
        free(frames[i]);
    object *mine = state;
    state = NULL;
    free(mine);
    atomic_fetch_add(&threads, 1);
    return unused;
}

static void *
begin_main(void *unused)
{
    while (!atomic_load(&over)) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work_main, NULL) != 0)
            abort();
        vmp_sampler_thread_begins((uint64_t)thread);
        vmp_sampler_thread_named((uint64_t)thread, 0, vmp_str_from("worker"));
        pthread_join(thread, NULL);
    }
    return unused;
}

static void *
pause_main(void *unused)
{
    while (!atomic_load(&over)) {
        vmp_sampler_summary sum;
        vmp_sampler_pause();
        vmp_sampler_pause();
        vmp_sampler_summary_get(&sum);
        vmp_sampler_resume();
        vmp_sampler_resume();
        vmp_sampler_signal_adopt();
        if (vmp_sampler_signal() == SIGPIPE || vmp_sampler_threads_are_alone())
            abort();
        vmp_sampler_threads_unpark();
        /* Seldom: each keeps the clock stopped for 50 ms. */
        if (atomic_fetch_add(&pauses, 1) % 16 == 0) {
            vmp_sampler_brace_for_exec();
            vmp_sampler_exec_failed();
        }
        vmp_os_sleep_until(vmp_os_mono_ns() + 10000000);
    }
    return unused;
}

static vmp_sampler_config config;

/* The child has no session, and may have one of its own. */
static void
child_main(void)
{
    bool clean = !vmp_sampler_runs();
    /* The locks of the sanitizers are as they were in the parent at the fork: a new thread
     * may wait for them for ever. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    alarm(60);
    clean = clean && vmp_sampler_start(&config, NULL) == 0 && vmp_sampler_stop(NULL, NULL) == 0;
#endif
    _exit(clean ? 0 : 1);
}

static void *
fork_main(void *unused)
{
    while (!atomic_load(&over)) {
        int status = -1;
        vmp_sampler_fork_before();
        pid_t pid = fork();
        vmp_sampler_fork_after(pid == 0);
        if (pid == 0)
            child_main();
        if (waitpid(pid, &status, 0) != pid || status != 0)
            atomic_fetch_add(&bad_children, 1);
        atomic_fetch_add(&forks, 1);
        vmp_os_sleep_until(vmp_os_mono_ns() + 10000000);
    }
    return unused;
}

static void
storm(const char *timer, uint32_t mode, int sessions)
{
    static vmp_sampler_python python;
    void *(*const mains[])(void *) = {pause_main, fork_main, begin_main, begin_main, begin_main};
    enum { MAINS = sizeof(mains) / sizeof(mains[0]) };
    pthread_t others[MAINS];
    uint64_t ticks = 0;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), ran = 0;
    python = (vmp_sampler_python){.offsets = off,
        .code_type = CODE_TYPE,
        .tstate_attached = own_state,
        .tstate_of_thread = own_state};
    config = (vmp_sampler_config){
        .fd = fd, .interval_ns = INTERVAL_NS, .mode = mode, .timer = timer, .python = &python};
    atomic_store(&over, false);
    atomic_store(&forks, 0);
    atomic_store(&bad_children, 0);
    atomic_store(&pauses, 0);
    atomic_store(&deaths, 0);
    atomic_store(&threads, 0);
    for (int i = 0; i < MAINS; i++)
        CHECK_INT(pthread_create(&others[i], NULL, mains[i], NULL), 0);
    for (; ran < sessions; ran++) {
        vmp_sampler_summary sum;
        vmp_err err = {0};
        if (vmp_sampler_start(&config, &err) < 0) {
            printf("# %s: %s\n", timer, err.text);
            break;
        }
        vmp_os_sleep_until(vmp_os_mono_ns() + SESSION_MS * (int64_t)1000000);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        ticks += sum.ticks;
    }
    atomic_store(&over, true);
    for (int i = 0; i < MAINS; i++)
        pthread_join(others[i], NULL);
    close(fd);
    printf("# %s: %d sessions, %llu ticks, %u threads, %u deaths, %u forks, %u pauses\n", timer,
        ran, (unsigned long long)ticks, threads, deaths, forks, pauses);
    CHECK_INT(bad_children, 0);
    CHECK(ran == 0 || (ticks > 0 && threads > 0 && deaths > 0 && forks > 0 && pauses > 0));
}

TEST(the_pacer_in_a_storm)
{
    storm("pacer", 0, 8);
}

TEST(the_pacer_of_wall_mode_in_a_storm)
{
    storm("pacer", VMP_LOG_MODE_WALL, 8);
}

TEST(the_timers_of_threads_in_a_storm)
{
    storm("cputimer", 0, 8);
}

TEST(perf_in_a_storm)
{
#ifdef __SANITIZE_THREAD__
    /* The sanitizer holds other signals back until it is safe, but takes each SIGTRAP for
     * a fault of the program, handles it inside its own code and falls over that. */
    printf("# not under the thread sanitizer\n");
#else
    storm("perf", 0, 8);
#endif
}

TEST(perf_of_wall_mode_in_a_storm)
{
#ifndef __SANITIZE_THREAD__
    storm("perf", VMP_LOG_MODE_WALL, 8);
#endif
}

TEST(an_interpreter_can_be_made_up)
{
    interpreter_make();
}

TEST_MAIN(RUN(an_interpreter_can_be_made_up), RUN(the_pacer_in_a_storm),
    RUN(the_pacer_of_wall_mode_in_a_storm), RUN(the_timers_of_threads_in_a_storm),
    RUN(perf_in_a_storm), RUN(perf_of_wall_mode_in_a_storm))
