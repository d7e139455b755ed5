#include <pthread.h>
#include <semaphore.h>

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

TEST(an_entry_is_found_again_by_its_tid)
{
    vmp_watch_list list = {0};
    vmp_watch *watch = vmp_watch_list_get(&list, 7);
    CHECK(watch && watch->tid == 7);
    vmp_watch_list_get(&list, 3);
    CHECK_INT(list.count, 2);
    CHECK_INT(vmp_watch_list_get(&list, 7)->tid, 7);
    CHECK_INT(list.count, 2);
    vmp_watch_list_fini(&list);
}

TEST_MAIN(RUN(threads_that_begin_and_end_are_told), RUN(an_entry_is_found_again_by_its_tid))
