#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "check.h"
#include "sampler_internal.h"

static int added, removed;
static sem_t ready, go;

static void
on_added(vmp_sampler *s, vmp_watch *watch)
{
    (void)s;
    (void)watch;
    added++;
}

static void
on_removed(vmp_sampler *s, vmp_watch *watch)
{
    (void)s;
    (void)watch;
    removed++;
}

static void *
wait_main(void *unused)
{
    (void)unused;
    sem_post(&ready);
    sem_wait(&go);
    return NULL;
}

TEST(threads_that_begin_and_end_are_told)
{
    enum { THREADS = 20 };
    vmp_watch_list list = {0};
    pthread_t threads[THREADS];
    sem_init(&ready, 0, 0);
    sem_init(&go, 0, 0);
    CHECK_INT(vmp_watch_list_refresh(&list, &vmp_the_sampler, 1, on_added, on_removed), 0);
    CHECK_INT(added, 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, wait_main, NULL);
        sem_wait(&ready);
    }
    CHECK_INT(vmp_watch_list_refresh(&list, &vmp_the_sampler, 2, on_added, on_removed), 0);
    CHECK_INT(added, 1 + THREADS);
    CHECK_INT(removed, 0);
    CHECK_INT(list.count, 1 + THREADS);
    /* The same number within a second: not even listed again. */
    uint32_t serial = list.serial;
    CHECK_INT(vmp_watch_list_refresh(&list, &vmp_the_sampler, 3, on_added, on_removed), 0);
    CHECK_INT(list.serial, serial);
    for (int i = 0; i < THREADS; i++)
        sem_post(&go);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    /* A joined thread may stand in /proc for a moment yet. */
    for (int64_t at = 2000000000; removed < THREADS && at < 200000000000; at += 2000000000)
        vmp_watch_list_refresh(&list, &vmp_the_sampler, at, on_added, on_removed);
    CHECK_INT(removed, THREADS);
    CHECK_INT(list.count, 1);
    vmp_watch_list_fini(&list);
}

static pid_t living[200];

static void
on_removed_dead(vmp_sampler *s, vmp_watch *watch)
{
    (void)s;
    for (size_t i = 0; i < sizeof(living) / sizeof(living[0]); i++)
        CHECK(watch->tid != living[i]);
    removed++;
}

static void *
live_main(void *tid)
{
    *(pid_t *)tid = vmp_os_own_tid();
    return wait_main(NULL);
}

/* Ends while the threads are listed. */
static void *
short_main(void *life_ns)
{
    int64_t end_ns = vmp_os_mono_ns() + *(int64_t *)life_ns;
    while (vmp_os_mono_ns() < end_ns)
        ;
    return NULL;
}

/* The kernel's listing may end at a thread that does: those that began after it, and live,
 * are not in it. */
TEST(threads_that_live_are_not_removed_while_others_end)
{
    enum { LIVING = sizeof(living) / sizeof(living[0]), SHORT = 6, LISTINGS = 4 };
    static int64_t lives_ns[SHORT] = {20000, 50000, 90000, 140000, 200000, 270000};
    vmp_watch_list list = {0};
    pthread_t threads[LIVING], others[SHORT];
    sem_init(&ready, 0, 0);
    sem_init(&go, 0, 0);
    removed = 0;
    for (int i = 0, at = 1; i < LIVING; i++) {
        for (int j = 0; j < SHORT; j++)
            pthread_create(&others[j], NULL, short_main, &lives_ns[j]);
        pthread_create(&threads[i], NULL, live_main, &living[i]);
        sem_wait(&ready);
        for (int j = 0; j < LISTINGS; j++) {
            list.listed_ns = 0;
            vmp_watch_list_refresh(&list, &vmp_the_sampler, at++, NULL, on_removed_dead);
        }
        for (int j = 0; j < SHORT; j++)
            pthread_join(others[j], NULL);
    }
    list.listed_ns = 0;
    vmp_watch_list_refresh(&list, &vmp_the_sampler, 1, NULL, on_removed_dead);
    for (int i = 0; i < LIVING; i++)
        CHECK(vmp_watch_list_find(&list, living[i]) != NULL);
    CHECK(removed > 0);
    for (int i = 0; i < LIVING; i++)
        sem_post(&go);
    for (int i = 0; i < LIVING; i++)
        pthread_join(threads[i], NULL);
    vmp_watch_list_fini(&list);
}

TEST(an_entry_is_found_again_by_its_tid)
{
    static const pid_t added_tids[] = {7, 3, 9, 5, 8};
    vmp_watch_list list = {0};
    for (size_t i = 0; i < 5; i++) {
        vmp_watch *watch = vmp_watch_list_add(&list, added_tids[i]);
        CHECK(watch && watch->tid == added_tids[i] && watch->due == 0);
        watch->due = 100 + (uint32_t)watch->tid;
    }
    CHECK_INT(list.count, 5);
    vmp_watch_list_drop(&list, &vmp_the_sampler, vmp_watch_list_find(&list, 3));
    vmp_watch_list_drop(&list, &vmp_the_sampler, vmp_watch_list_find(&list, 9));
    CHECK_INT(list.count, 3);
    for (pid_t tid = 1; tid < 12; tid++) {
        vmp_watch *watch = vmp_watch_list_find(&list, tid);
        CHECK((watch != NULL) == (tid == 7 || tid == 5 || tid == 8));
        CHECK(!watch || watch->due == 100 + (uint32_t)tid);
    }
    vmp_watch_list_fini(&list);
}

/* Who tells of both saves the listings. */
TEST(what_was_told_is_not_listed_again)
{
    vmp_watch_list list = {0};
    pthread_t thread;
    pid_t tid;
    sem_init(&ready, 0, 0);
    sem_init(&go, 0, 0);
    added = 0;
    CHECK_INT(vmp_watch_list_refresh(&list, &vmp_the_sampler, 1, on_added, on_removed), 0);
    uint32_t serial = list.serial;
    pthread_create(&thread, NULL, live_main, &tid);
    sem_wait(&ready);
    CHECK(vmp_watch_list_add(&list, tid) != NULL);
    CHECK_INT(vmp_watch_list_refresh(&list, &vmp_the_sampler, 2, on_added, on_removed), 0);
    CHECK_INT(list.serial, serial);
    sem_post(&go);
    pthread_join(thread, NULL);
    while (tgkill(getpid(), tid, 0) == 0) /* it may stand in /proc for a moment yet */
        ;
    vmp_watch_list_drop(&list, &vmp_the_sampler, vmp_watch_list_find(&list, tid));
    CHECK_INT(vmp_watch_list_refresh(&list, &vmp_the_sampler, 3, on_added, on_removed), 0);
    CHECK_INT(list.serial, serial);
    CHECK_INT(added, 1);
    vmp_watch_list_fini(&list);
}

/* A program may close its standard streams and open others by their numbers at any moment. */
TEST(threads_are_listed_by_a_descriptor_that_stays_high)
{
    pid_t tids[8];
    vmp_os_kept by = {0};
    CHECK_INT(vmp_os_thread_list_by(&by, tids, 8), 1);
    CHECK_INT(tids[0], vmp_os_own_tid());
    int kept = by.fd;
    CHECK(by.open && kept >= 32);
    CHECK_INT(vmp_os_thread_count_by(&by), 1);
    pthread_t thread;
    sem_init(&go, 0, 0);
    pthread_create(&thread, NULL, wait_main, NULL);
    CHECK_INT(vmp_os_thread_count_by(&by), 2);
    sem_post(&go);
    pthread_join(thread, NULL);
    while (vmp_os_thread_count_by(&by) > 1) /* it may stand in /proc for a moment yet */
        ;
    CHECK_INT(vmp_os_thread_list_by(&by, tids, 8), 1);
    CHECK_INT(by.fd, kept);
    close(kept); /* as who closes all does */
    CHECK_INT(vmp_os_thread_list_by(&by, tids, 8), 1);
    CHECK_INT(by.fd, kept);
    /* A file of the program's by that number is left alone. */
    dup2(STDERR_FILENO, kept);
    CHECK_INT(vmp_os_thread_count_by(&by), 1);
    CHECK_INT(vmp_os_thread_list_by(&by, tids, 8), 1);
    CHECK(by.fd != kept);
    vmp_os_kept_close(&by);
    CHECK(fcntl(kept, F_GETFD) >= 0);
    close(kept);
}

/* Whatever their numbers are, while the table has room: files that are opened at each look take the
 * program's lowest free descriptor. */
TEST(files_of_several_threads_stay_open)
{
    enum { THREADS = 5 };
    vmp_sampler *s = &vmp_the_sampler;
    pid_t own = vmp_os_own_tid();
    vmp_os_thread_files *files[THREADS] = {vmp_thread_files_of(s, own)};
    pid_t places = (pid_t)s->thread_files.places;
    CHECK(files[0] && files[0]->stat.open && places * 2 * 16 <= vmp_os_fd_limit());
    if (places < THREADS)
        return; /* few descriptors: there is no room */
    for (int i = 1; i < THREADS; i++)
        files[i] = vmp_thread_files_of(s, own + i * places);
    for (int i = 0; i < THREADS; i++) {
        CHECK(files[i] && files[i]->tid == own + i * places);
        CHECK(vmp_thread_files_of(s, own + i * places) == files[i]);
    }
    /* One that ends makes room, and nobody else loses by it. */
    vmp_thread_files_drop(s, own + places);
    CHECK_INT(files[1]->tid, 0);
    CHECK(vmp_thread_files_of(s, own + 2 * places) == files[2]);
    CHECK(vmp_thread_files_of(s, own + THREADS * places) == files[1]);
    vmp_proc_files_close(s);
}

/* Where there is no room the one that is asked for more often has its files open; the other is read
 * all the same. */
TEST(files_of_a_thread_stay_open_while_it_is_asked_for)
{
    vmp_sampler *s = &vmp_the_sampler;
    pid_t own = vmp_os_own_tid(), other = own + 1;
    s->thread_files.places = 1;
    vmp_os_thread_files *files = vmp_thread_files_of(s, own);
    CHECK(files && files->tid == own && files->stat.open);
    int fd = files->stat.fd;
    CHECK(vmp_thread_files_of(s, other) == NULL);
    CHECK(vmp_thread_files_of(s, own) == files && files->stat.fd == fd);
    CHECK(vmp_os_thread_is_runnable(files, own) && vmp_os_thread_is_runnable(NULL, own));
    for (int i = 0; i < 10 && files->tid == own; i++)
        vmp_thread_files_of(s, other);
    CHECK_INT(files->tid, other);
    CHECK(fcntl(fd, F_GETFD) < 0);
    vmp_thread_files_drop(s, other);
    CHECK_INT(files->tid, 0);
    files = vmp_thread_files_of(s, own);
    CHECK(files && files->stat.open);
    fd = files ? files->stat.fd : -1;
    vmp_proc_files_close(s);
    CHECK(fcntl(fd, F_GETFD) < 0);
}

TEST_MAIN(RUN(threads_are_listed_by_a_descriptor_that_stays_high), /* one thread: before others */
    RUN(files_of_several_threads_stay_open), RUN(files_of_a_thread_stay_open_while_it_is_asked_for),
    RUN(threads_that_begin_and_end_are_told),
    RUN(threads_that_live_are_not_removed_while_others_end),
    RUN(an_entry_is_found_again_by_its_tid), RUN(what_was_told_is_not_listed_again))
