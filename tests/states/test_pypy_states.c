/* The handler that stands before PyPy's, with one that stands for PyPy's: it writes
 * a record for each signal. Times are real ones, and spun away. */
#include "pypy_states.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "pypy_handler.h"
#include "pypy_place.h"

enum { RECORD_BYTES = 10, SPIN_US = 3000 };

/* Volatile, for raise() is declared not to call back into this file. */
static volatile int fd, calls;
static volatile int64_t called_ns; /* when it was called last */
static volatile bool silent;       /* writes nothing */
static volatile bool place_is_shown;

static void
sampler(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    calls++;
    called_ns = vmp_pypy_now();
    place_is_shown = vmp_pypy_place_show(context) == vmp_pypy_place_show(context);
    if (!silent && write(fd, "0123456789", RECORD_BYTES) != RECORD_BYTES)
        place_is_shown = false;
}

/* A recording whose samples end at 10, 20, ... */
static void
begin_of(int signo, uint64_t period_ns)
{
    char path[] = "/tmp/vmprof-states-XXXXXX";
    struct sigaction action = {.sa_sigaction = sampler, .sa_flags = SA_SIGINFO};
    fd = mkstemp(path);
    unlink(path);
    calls = 0;
    called_ns = vmp_pypy_now();
    CHECK_INT(sigaction(signo, &action, NULL), 0);
    CHECK_INT(vmp_pypy_begin(signo, fd, period_ns), 0);
}

static void
begin(void)
{
    begin_of(SIGUSR1, 0);
}

static void
spin(int us)
{
    int64_t start_ns = vmp_pypy_now();
    while (vmp_pypy_now() < start_ns + (int64_t)us * 1000)
        ;
}

static double
since(double start)
{
    return (double)vmp_pypy_now() / 1e9 - start;
}

static const char *
end(void)
{
    static char text[4096];
    vmp_pypy_end();
    text[vmp_pypy_take(text, sizeof(text) - 1)] = '\0';
    close(fd);
    return text;
}

TEST(a_sample_in_a_collection_is_told)
{
    begin();
    raise(SIGUSR1);
    spin(SPIN_US);
    double start = (double)vmp_pypy_now() / 1e9;
    raise(SIGUSR1);
    vmp_pypy_minor(since(start), 1);
    spin(SPIN_US);
    raise(SIGUSR1);
    CHECK(place_is_shown);
    CHECK_INT(calls, 3);
    CHECK_STR(end(), "m20 ");
}

TEST(a_step_comes_behind_the_minor_collection)
{
    begin();
    raise(SIGUSR1);
    spin(SPIN_US);
    double minor = (double)vmp_pypy_now() / 1e9;
    raise(SIGUSR1);
    spin(SPIN_US);
    double major = (double)vmp_pypy_now() / 1e9;
    raise(SIGUSR1);
    vmp_pypy_minor(major - minor, 1);
    vmp_pypy_major(since(major));
    raise(SIGUSR1);
    CHECK_STR(end(), "m20 M10 ");
}

TEST(several_collections_are_spread_over_their_time)
{
    begin();
    double start = (double)vmp_pypy_now() / 1e9;
    for (int i = 0; i < 40; i++) {
        raise(SIGUSR1);
        spin(200);
    }
    vmp_pypy_minor(since(start) / 4, 3);
    const char *text = end();
    int minor = 0;
    for (; *text; text++)
        minor += *text == 'm';
    CHECK(minor >= 9 && minor <= 11);
}

/* Sleeps until the timer's signal is there. False: it came when this did not sleep. */
static bool
sleep_for_a_sample(void)
{
    enum { SLEEP_US = 2000 };
    const struct itimerval once = {{0, 0}, {0, SLEEP_US}};
    const struct timespec longer = {1, 0};
    int before = calls, rc = 0;
    setitimer(ITIMER_REAL, &once, NULL);
    while (calls == before)
        rc = nanosleep(&longer, NULL);
    return rc < 0;
}

/* Forty samples, 50 us apart, half of whose time is warm-up, and a sleep before each eighth.
 * Returns what is told of them, or NULL if the machine had something else to do meanwhile:
 * then no gap is the usual one. */
static const char *
half_warm_up(int signo, bool sleeps)
{
    enum { GAP_US = 50, MOST_NS = 3 * GAP_US * 1000 };
    int64_t ran_ns = 0;
    bool disturbed = false;
    begin_of(signo, 0);
    vmp_pypy_warm_up(0);
    for (int i = 0; i < 40; i++) {
        if (sleeps && i % 8 == 0)
            disturbed |= !sleep_for_a_sample();
        int64_t before_ns = called_ns, gap_ns;
        spin(GAP_US);
        raise(signo);
        gap_ns = called_ns - before_ns;
        ran_ns += gap_ns;
        disturbed |= gap_ns > MOST_NS;
    }
    vmp_pypy_warm_up((double)ran_ns / 1e9 / 2);
    const char *told = end();
    return disturbed ? NULL : told;
}

static void
check_half_warm_up(int signo, bool sleeps, const char *format, uint32_t samples)
{
    enum { ATTEMPTS = 5000 };
    const char *told = NULL;
    uint32_t n = 0, of = 0;
    for (int i = 0; !told && i < ATTEMPTS; i++)
        told = half_warm_up(signo, sleeps);
    CHECK(told != NULL);
    CHECK_INT(sscanf(told, format, &n, &of), 2);
    CHECK_INT(of, samples);
    CHECK(n >= 12 && n <= 28); /* the gap between samples is an average */
}

TEST(warm_up_is_told_as_a_number_of_samples)
{
    check_half_warm_up(SIGUSR1, false, "w400,%" SCNu32 ",%" SCNu32, 40);
    check_half_warm_up(SIGALRM, false, "w400,%" SCNu32 ",%" SCNu32, 40);
}

TEST(a_sleep_is_no_time_between_samples)
{
    if (vmp_pypy_sees_loops()) /* the same machines tell who waited */
        check_half_warm_up(SIGALRM, true, "s10 s90 s90 s90 s90 w80,%" SCNu32 ",%" SCNu32, 45);
}

TEST(samples_of_a_period_each_need_no_average)
{
    begin_of(SIGALRM, 1000000);
    for (int i = 0; i < 40; i++)
        raise(SIGALRM);
    vmp_pypy_warm_up(0.010);
    CHECK_STR(end(), "w400,10,40 ");
}

TEST(what_may_still_change_is_not_taken)
{
    char text[256];
    begin();
    raise(SIGUSR1);
    vmp_pypy_minor(1, 1);
    CHECK_INT(vmp_pypy_take(text, sizeof(text)), 0);
    spin(SPIN_US);
    vmp_pypy_minor(0, 1);
    CHECK_INT(vmp_pypy_take(text, sizeof(text)), 4);
    CHECK(memcmp(text, "m10 ", 4) == 0);
    CHECK_INT(vmp_pypy_take(text, sizeof(text)), 0);
    CHECK_STR(end(), "");
}

TEST(a_signal_without_a_sample_is_none)
{
    begin();
    silent = true;
    raise(SIGUSR1);
    silent = false;
    raise(SIGUSR1);
    vmp_pypy_minor(1, 1);
    CHECK_STR(end(), "m10 ");
}

TEST(a_text_that_is_too_small_gets_the_rest_later)
{
    char text[100];
    begin();
    for (int i = 0; i < 50; i++)
        raise(SIGUSR1);
    vmp_pypy_minor(1, 1);
    vmp_pypy_end();
    size_t n, marks = 0;
    while ((n = vmp_pypy_take(text, sizeof(text))) > 0)
        for (size_t i = 0; i < n; i++)
            marks += text[i] == 'm';
    CHECK_INT(marks, 50);
    close(fd);
}

TEST(more_samples_than_there_is_room_for_lose_the_first)
{
    begin();
    for (int i = 0; i < 2 * VMP_PYPY_SAMPLES; i++)
        raise(SIGUSR1);
    vmp_pypy_minor(1000, 1);
    vmp_pypy_end();
    static char text[8 * VMP_PYPY_SAMPLES];
    size_t n = vmp_pypy_take(text, sizeof(text)), marks = 0;
    for (size_t i = 0; i < n; i++)
        marks += text[i] == 'm';
    CHECK(marks > VMP_PYPY_SAMPLES / 2 && marks < VMP_PYPY_SAMPLES);
    close(fd);
}

TEST(the_handler_before_comes_back)
{
    struct sigaction now;
    begin();
    CHECK_INT(vmp_pypy_begin(SIGUSR1, fd, 0), -1); /* it is there already */
    end();
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_sigaction == sampler);
    begin();
    signal(SIGUSR1, SIG_IGN); /* the program's own */
    end();
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
    CHECK_INT(vmp_pypy_begin(SIGUSR1, 1, 0), -1);
}

TEST_MAIN(RUN(a_sample_in_a_collection_is_told), RUN(a_step_comes_behind_the_minor_collection),
    RUN(several_collections_are_spread_over_their_time),
    RUN(warm_up_is_told_as_a_number_of_samples), RUN(a_sleep_is_no_time_between_samples),
    RUN(samples_of_a_period_each_need_no_average), RUN(what_may_still_change_is_not_taken),
    RUN(a_signal_without_a_sample_is_none), RUN(a_text_that_is_too_small_gets_the_rest_later),
    RUN(more_samples_than_there_is_room_for_lose_the_first), RUN(the_handler_before_comes_back))
