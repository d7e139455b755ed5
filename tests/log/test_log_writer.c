/* What the writer promises beside the format: descriptors that fail or dawdle,
 * limits, memory. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"
#include "gen_stream.h"
#include "log_dump.h"
#include "log_writer_internal.h"

static const vmp_log_session session = {0, 1, 0, 0, 1000, 100, {"t", 1}};

/* A writer on a temporary file, and one location to make stacks of. */
static vmp_log_writer *
writer_on(FILE *f, uint32_t *ret_location)
{
    vmp_log_writer *w = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_log_writer_open(&w, fileno(f), &session, false, &err), 0);
    vmp_log_writer_thread(w, 1, 1, 1, vmp_str_from("a"), 0);
    uint32_t code =
        vmp_log_writer_code(w, vmp_str_from("f"), vmp_str_from("f"), vmp_str_from("f.py"), 1);
    *ret_location = vmp_log_writer_location(w, code, 0, 1, NULL);
    CHECK(*ret_location == 1);
    return w;
}

static void
read_back(FILE *f, vmp_buf *text, bool *ret_cut)
{
    size_t n = 0;
    uint8_t *p = file_bytes(f, &n);
    vmp_err err = {0};
    CHECK_INT(dump_bytes(text, p, n, ret_cut, &err), 0);
    CHECK_STR(err.text, "");
    vmp_buf_u8(text, 0);
    free(p);
}

TEST(a_bad_descriptor_is_known_at_open)
{
    vmp_log_writer *w = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_log_writer_open(&w, 1000, &session, false, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, EBADF);
    CHECK(w == NULL);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_INT(vmp_log_writer_open(&w, fd, &session, false, &err), -VMP_EIO);
    close(fd);
    fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        CHECK_INT(vmp_log_writer_open(&w, fd, &session, true, &err), -VMP_EIO);
        CHECK_INT(err.os_errno, ENOSPC);
        close(fd);
    }
    vmp_log_session bad = session;
    bad.quantum_ns = 0;
    CHECK_INT(vmp_log_writer_open(&w, 1, &bad, false, &err), -VMP_EINVAL);
    CHECK(w == NULL);
}

TEST(a_full_disk_makes_the_writer_dead_and_the_log_reads_up_to_there)
{
    FILE *f = tmpfile();
    struct rlimit old, small;
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    vmp_err err = {0};
    uint32_t stack = vmp_log_writer_stack(w, 0, location);
    vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, 1000, 1, 0, 0});
    CHECK_INT(vmp_log_writer_flush(w, &err), 0);
    uint64_t good_bytes = vmp_log_writer_bytes(w);

    /* As a full disk does, the limit lets a part of the next chunk through. */
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){good_bytes + 40, old.rlim_max};
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 100; i++) {
        stack = vmp_log_writer_stack(w, stack, location);
        vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, 2000 + i * 1000, 1, 0, 0});
    }
    vmp_log_writer_batch(w, 1, 5, 5);
    vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, 200000, 1, 0, 0});
    CHECK_INT(vmp_log_writer_flush(w, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, EFBIG);
    CHECK_INT(vmp_log_writer_bytes(w), good_bytes + 40);
    CHECK_INT(vmp_log_writer_samples(w), 1);
    CHECK_INT(vmp_log_writer_lost(w), 101);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);

    /* Dead: ids still come, nothing is written even where there is room again. */
    CHECK(vmp_log_writer_stack(w, stack, location) > stack);
    CHECK(vmp_log_writer_string(w, vmp_str_from("new")) > 0);
    vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, 300000, 1, 0, 0});
    CHECK(!vmp_log_writer_batch(w, 1, 5, 5));
    vmp_log_writer_clock(w, &(vmp_log_clock){1, 2, 3, 4});
    vmp_log_writer_end(w, 1);
    memset(&err, 0, sizeof(err));
    CHECK_INT(vmp_log_writer_flush(w, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, EFBIG);
    CHECK_INT(vmp_log_writer_error(w, NULL), -VMP_EIO);
    CHECK_INT(vmp_log_writer_lost(w), 102);
    CHECK_INT(vmp_log_writer_pending(w), 0);
    CHECK_INT(vmp_log_writer_bytes(w), good_bytes + 40);
    vmp_log_writer_close(&w);

    vmp_buf text = {0};
    bool cut = false;
    read_back(f, &text, &cut);
    CHECK(cut);
    CHECK(strstr((char *)text.p, "  1: stack 1 time 1000 ") != NULL);
    vmp_buf_fini(&text);
    fclose(f);
}

typedef struct slow_reader {
    int fd;
    atomic_bool ready;
    vmp_buf got;
} slow_reader;

static void *
read_slowly(void *arg)
{
    slow_reader *s = arg;
    uint8_t piece[777];
    ssize_t n;
    sigset_t all;
    /* The signals are for the writer. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    atomic_store(&s->ready, true);
    while ((n = read(s->fd, piece, sizeof(piece))) > 0) {
        vmp_buf_put(&s->got, piece, (size_t)n);
        sched_yield();
    }
    return NULL;
}

static void
on_alarm(int signo)
{
    (void)signo;
}

/* The log through a small pipe, under a rain of signals that interrupt writes. */
static void
through_a_pipe(bool blocking)
{
    int fds[2];
    pthread_t thread;
    slow_reader s = {0};
    vmp_log_writer *w = NULL;
    vmp_err err = {0};
    gen_options o = gen_default;
    struct sigaction sa = {.sa_handler = on_alarm}, old;
    struct itimerval timer = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
    o.samples = 60000;
    CHECK_INT(pipe2(fds, blocking ? O_CLOEXEC : O_CLOEXEC | O_NONBLOCK), 0);
    fcntl(fds[0], F_SETFL, 0);
    fcntl(fds[1], F_SETPIPE_SZ, 4096);
    s.fd = fds[0];
    sigaction(SIGALRM, &sa, &old);
    CHECK_INT(pthread_create(&thread, NULL, read_slowly, &s), 0);
    while (!atomic_load(&s.ready))
        sched_yield();
    setitimer(ITIMER_REAL, &timer, NULL);
    vmp_log_session generated = gen_session(&o);
    CHECK_INT(vmp_log_writer_open(&w, fds[1], &generated, false, &err), 0);
    CHECK_INT(gen_run(&o, w, &err), 0);
    setitimer(ITIMER_REAL, &none, NULL);
    uint64_t bytes = vmp_log_writer_bytes(w);
    vmp_log_writer_close(&w);
    close(fds[1]);
    pthread_join(thread, NULL);
    sigaction(SIGALRM, &old, NULL);
    close(fds[0]);
    CHECK_INT(s.got.n, bytes);
    vmp_buf text = {0};
    bool cut = true;
    CHECK_INT(dump_bytes(&text, s.got.p, s.got.n, &cut, &err), 0);
    CHECK(!cut);
    vmp_buf_fini(&text);
    vmp_buf_fini(&s.got);
}

TEST(a_pipe_gets_every_byte_in_spite_of_signals_and_a_slow_reader)
{
    through_a_pipe(true);
    through_a_pipe(false);
}

TEST(a_pipe_that_is_closed_is_an_error_not_a_signal_where_that_is_ignored)
{
    int fds[2];
    uint32_t stack;
    vmp_log_writer *w = NULL;
    vmp_err err = {0};
    CHECK_INT(pipe(fds), 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK_INT(vmp_log_writer_open(&w, fds[1], &session, true, &err), 0);
    close(fds[0]);
    vmp_log_writer_thread(w, 1, 1, 1, vmp_str_from("a"), 0);
    stack = vmp_log_writer_stack(w, 0, vmp_log_writer_elided(w, 5));
    vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, 1000, 1, 0, 0});
    CHECK_INT(vmp_log_writer_flush(w, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, EPIPE);
    CHECK_INT(vmp_log_writer_lost(w), 1);
    vmp_log_writer_close(&w);
    close(fds[1]);
    signal(SIGPIPE, SIG_DFL);
}

TEST(a_batch_beyond_the_limit_of_a_record_is_split_and_keeps_its_time)
{
    FILE *f = tmpfile();
    uint32_t location, n = VMP_LOG_MAX_BATCH * 2 + 10;
    vmp_log_writer *w = writer_on(f, &location);
    vmp_err err = {0};
    uint32_t stack = vmp_log_writer_stack(w, 0, location);
    for (uint32_t i = 0; i < n; i++)
        vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, i * 1000, 1, 0, 0});
    CHECK(vmp_log_writer_batch(w, 1, n * 1000ull, n * 1001ull));
    vmp_log_writer_end(w, 1);
    CHECK_INT(vmp_log_writer_flush(w, &err), 0);
    vmp_log_writer_close(&w);

    vmp_log_reader *r = NULL;
    vmp_log_event e;
    uint64_t samples = 0, cpu = 0, wall = 0;
    rewind(f);
    CHECK_INT(vmp_log_reader_open(&r, fileno(f), &err), 0);
    while (vmp_log_reader_next(r, &e, &err) > 0) {
        if (e.kind != VMP_LOG_SAMPLES)
            continue;
        for (uint32_t i = 0; i < e.u.samples.n; i++)
            CHECK_INT(e.u.samples.time_ns[i], (samples + i) * 1000);
        samples += e.u.samples.n;
        cpu += e.u.samples.cpu_ns;
        wall += e.u.samples.wall_ns;
        /* Its share of the time, but for rounding. */
        CHECK(e.u.samples.cpu_ns + 10 >= e.u.samples.n * 1000ull);
    }
    CHECK_INT(samples, n);
    CHECK_INT(cpu, n * 1000ull);
    CHECK_INT(wall, n * 1001ull);
    vmp_log_reader_close(&r);
    fclose(f);
}

TEST(a_batch_left_open_is_closed_by_flush_with_no_time)
{
    FILE *f = tmpfile();
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    vmp_buf text = {0};
    bool cut;
    CHECK(!vmp_log_writer_batch(w, 1, 7, 7));
    CHECK(!vmp_log_writer_batch(w, 9, 7, 7));
    vmp_log_writer_sample(w, &(vmp_log_sample){1, 0, 1000, 0, 0, 0});
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    CHECK(!vmp_log_writer_batch(w, 1, 7, 7));
    vmp_log_writer_close(&w);
    read_back(f, &text, &cut);
    CHECK(strstr((char *)text.p, "samples of 1: 1 cpu 0 wall 0\n") != NULL);
    CHECK(strstr((char *)text.p, "  1: stack 0 time 1000 weight 1 ") != NULL);
    vmp_buf_fini(&text);
    fclose(f);
}

TEST(what_refers_to_nothing_is_refused)
{
    FILE *f = tmpfile();
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    vmp_buf text = {0};
    bool cut;
    vmp_log_writer_sample(w, &(vmp_log_sample){2, 0, 1000, 1, 0, 0});
    vmp_log_writer_sample(w, &(vmp_log_sample){0, 0, 1000, 1, 0, 0});
    vmp_log_writer_sample(w, &(vmp_log_sample){1, 5, 1000, 1, 0, 0});
    CHECK_INT(vmp_log_writer_lost(w), 3);
    CHECK_INT(vmp_log_writer_samples(w), 0);
    CHECK_INT(vmp_log_writer_stack(w, 0, location + 1), 0);
    CHECK_INT(vmp_log_writer_stack(w, 0, 0), 0);
    CHECK_INT(vmp_log_writer_stack(w, 7, location), 0);
    CHECK_INT(vmp_log_writer_location(w, 2, 0, 1, NULL), 0);
    CHECK_INT(vmp_log_writer_native(w, 1, 5), 0);
    vmp_log_writer_thread(w, 3, 1, 1, vmp_str_from("not dense"), 0);
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    vmp_log_writer_close(&w);
    read_back(f, &text, &cut);
    CHECK(strstr((char *)text.p, "dense") == NULL || strstr((char *)text.p, "thread 3") == NULL);
    vmp_buf_fini(&text);
    fclose(f);
}

TEST(long_strings_are_cut_between_characters)
{
    FILE *f = tmpfile();
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    vmp_log_reader *r = NULL;
    vmp_log_event e;
    size_t n = VMP_LOG_MAX_STRING + 100, longest = 0;
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 3 == 0 ? '\xe6' : i % 3 == 1 ? '\x97' : '\xa5';
    uint32_t id = vmp_log_writer_string(w, (vmp_str){text, n});
    CHECK(id > 0);
    CHECK_INT(vmp_log_writer_string(w, (vmp_str){text, n - 3}), id);
    vmp_log_writer_meta(w, vmp_str_from("argv"), (vmp_str){text, n});
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    vmp_log_writer_close(&w);
    rewind(f);
    CHECK_INT(vmp_log_reader_open(&r, fileno(f), NULL), 0);
    int rc;
    while ((rc = vmp_log_reader_next(r, &e, NULL)) > 0) {
        vmp_str s = e.kind == VMP_LOG_STRINGS ? e.u.string.text
                    : e.kind == VMP_LOG_META  ? e.u.meta.value
                                              : (vmp_str){NULL, 0};
        longest = s.n > longest ? s.n : longest;
    }
    CHECK_INT(rc, 0);
    CHECK_INT(longest, VMP_LOG_MAX_STRING / 3 * 3);
    vmp_log_reader_close(&r);
    free(text);
    fclose(f);
}

TEST(threads_that_sleep_give_their_memory_back)
{
    FILE *f = tmpfile();
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    for (uint32_t t = 2; t <= 100; t++)
        vmp_log_writer_thread(w, t, t, t, vmp_str_from("b"), 0);
    for (uint32_t t = 1; t <= 100; t++)
        vmp_log_writer_sample(w, &(vmp_log_sample){t, 0, 1000, 1, 0, 0});
    CHECK_INT(w->active_n, 100);
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    vmp_log_writer_sample(w, &(vmp_log_sample){7, 0, 2000, 1, 0, 0});
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    CHECK_INT(w->active_n, 1);
    CHECK(w->threads[6].open != NULL && w->threads[7].open == NULL);
    vmp_log_writer_close(&w);
    fclose(f);
}

TEST(nothing_pending_writes_nothing)
{
    FILE *f = tmpfile();
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    CHECK(vmp_log_writer_pending(w) > 0);
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    uint64_t bytes = vmp_log_writer_bytes(w);
    CHECK_INT(vmp_log_writer_pending(w), 0);
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
    CHECK_INT(vmp_log_writer_bytes(w), bytes);
    vmp_log_writer_close(&w);
    fclose(f);
}

/* As for an exec that fails: an end, and the log goes on. */
TEST(a_log_goes_on_behind_an_end)
{
    FILE *f = tmpfile();
    uint32_t location;
    vmp_log_writer *w = writer_on(f, &location);
    uint32_t stack = vmp_log_writer_stack(w, 0, location);
    for (int i = 1; i <= 2; i++) {
        vmp_buf text = {0};
        bool cut = false;
        char sample[40];
        snprintf(sample, sizeof(sample), "  1: stack 1 time %d ", 1000 * i);
        vmp_log_writer_sample(w, &(vmp_log_sample){1, stack, 1000 * i, 1, 0, 0});
        CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
        read_back(f, &text, &cut);
        CHECK(cut && strstr((char *)text.p, sample));
        vmp_buf_clear(&text);
        vmp_log_writer_end(w, 1000 * i + 500);
        CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
        read_back(f, &text, &cut);
        CHECK(!cut && strstr((char *)text.p, sample));
        vmp_buf_fini(&text);
    }
    vmp_log_writer_close(&w);
    fclose(f);
}

TEST_MAIN(RUN(a_bad_descriptor_is_known_at_open),
    RUN(a_full_disk_makes_the_writer_dead_and_the_log_reads_up_to_there),
    RUN(a_pipe_gets_every_byte_in_spite_of_signals_and_a_slow_reader),
    RUN(a_pipe_that_is_closed_is_an_error_not_a_signal_where_that_is_ignored),
    RUN(a_batch_beyond_the_limit_of_a_record_is_split_and_keeps_its_time),
    RUN(a_batch_left_open_is_closed_by_flush_with_no_time), RUN(what_refers_to_nothing_is_refused),
    RUN(long_strings_are_cut_between_characters), RUN(threads_that_sleep_give_their_memory_back),
    RUN(nothing_pending_writes_nothing), RUN(a_log_goes_on_behind_an_end))
