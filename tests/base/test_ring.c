#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "check.h"
#include "ring.h"

TEST(records_come_out_in_order_with_their_sizes)
{
    _Alignas(8) uint8_t mem[128];
    vmp_ring r;
    uint32_t n = 0;
    CHECK(vmp_ring_init(&r, mem, sizeof(mem)));
    CHECK(vmp_ring_peek(&r, &n) == NULL);
    memcpy(vmp_ring_reserve(&r, 3), "abc", 3);
    vmp_ring_commit(&r, 3);
    memcpy(vmp_ring_reserve(&r, 20), "defgh", 5);
    vmp_ring_commit(&r, 5);
    CHECK_INT(vmp_ring_used(&r), 32);
    CHECK(memcmp(vmp_ring_peek(&r, &n), "abc", 3) == 0 && n == 3);
    vmp_ring_release(&r);
    CHECK(memcmp(vmp_ring_peek(&r, &n), "defgh", 5) == 0 && n == 5);
    vmp_ring_release(&r);
    CHECK(vmp_ring_peek(&r, &n) == NULL);
    CHECK_INT(vmp_ring_used(&r), 0);
}

TEST(a_reservation_without_commit_does_not_exist)
{
    _Alignas(8) uint8_t mem[64];
    vmp_ring r;
    uint32_t n;
    CHECK(vmp_ring_init(&r, mem, sizeof(mem)));
    CHECK(vmp_ring_reserve(&r, 40) != NULL);
    CHECK(vmp_ring_peek(&r, &n) == NULL);
    CHECK(vmp_ring_reserve(&r, 56) != NULL);
    vmp_ring_commit(&r, 56);
    CHECK(vmp_ring_peek(&r, &n) != NULL && n == 56);
}

TEST(a_full_ring_refuses_and_goes_on_when_read)
{
    _Alignas(8) uint8_t mem[64];
    vmp_ring r;
    uint32_t n;
    CHECK(vmp_ring_init(&r, mem, sizeof(mem)));
    CHECK(vmp_ring_reserve(&r, 57) == NULL);
    CHECK(vmp_ring_reserve(&r, UINT32_MAX) == NULL);
    for (int i = 0; i < 4; i++) {
        CHECK(vmp_ring_reserve(&r, 8) != NULL);
        vmp_ring_commit(&r, 8);
    }
    CHECK(vmp_ring_reserve(&r, 0) == NULL);
    CHECK(vmp_ring_peek(&r, &n) != NULL);
    vmp_ring_release(&r);
    CHECK(vmp_ring_reserve(&r, 9) == NULL);
    CHECK(vmp_ring_reserve(&r, 8) != NULL);
}

TEST(an_emptied_ring_begins_anew_and_touches_no_more_of_its_memory)
{
    enum { PAYLOAD = 120, SPAN = VMP_RING_HEAD + PAYLOAD };
    static _Alignas(8) uint8_t mem[64 * SPAN];
    vmp_ring r;
    uint32_t n;
    size_t touched = sizeof(mem);
    CHECK(vmp_ring_init(&r, mem, sizeof(mem)));
    for (int i = 0; i < 1000; i++) {
        memset(vmp_ring_reserve(&r, PAYLOAD), i | 1, PAYLOAD);
        vmp_ring_commit(&r, PAYLOAD);
        const uint8_t *got = vmp_ring_peek(&r, &n);
        CHECK(got && n == PAYLOAD && got[0] == (uint8_t)(i | 1) && got[n - 1] == got[0]);
        vmp_ring_release(&r);
    }
    while (touched > 0 && mem[touched - 1] == 0)
        touched--;
    CHECK(touched <= sizeof(mem) / VMP_RING_NEAR + SPAN);
    CHECK_INT(vmp_ring_committed(&r), 1000 * SPAN);

    /* Wherever it began, all of it is there for the next burst. */
    for (int i = 0; i < 64; i++) {
        uint8_t *at = vmp_ring_reserve(&r, PAYLOAD);
        CHECK(at != NULL);
        memset(at, i, PAYLOAD);
        vmp_ring_commit(&r, PAYLOAD);
    }
    CHECK(vmp_ring_reserve(&r, PAYLOAD) == NULL);
    /* What is still to be read is not written over: it begins anew only when all is read. */
    for (int i = 0; i < 64; i++) {
        const uint8_t *got = vmp_ring_peek(&r, &n);
        CHECK(got && n == PAYLOAD && got[0] == i && got[n - 1] == i);
        if (i == 62) {
            CHECK(vmp_ring_reserve(&r, PAYLOAD) != NULL);
            vmp_ring_commit(&r, PAYLOAD);
        }
        vmp_ring_release(&r);
    }
    CHECK_INT(vmp_ring_used(&r), SPAN);
}

TEST(only_sizes_that_are_powers_of_two_and_aligned_memory_will_do)
{
    _Alignas(8) uint8_t mem[136];
    vmp_ring r;
    CHECK(!vmp_ring_init(&r, mem, 32));
    CHECK(!vmp_ring_init(&r, mem, 96));
    CHECK(!vmp_ring_init(&r, mem + 4, 64));
    CHECK(vmp_ring_init(&r, mem + 8, 128));
}

/* Deterministic payload of record i, with sizes that wrap in every way. */
static uint32_t
fill(uint8_t *p, uint32_t i)
{
    uint32_t n = i * 2654435761u >> 26;
    for (uint32_t k = 0; p && k < n; k++)
        p[k] = (uint8_t)(i + k * 3);
    return n;
}

enum { RECORDS = 300000 };

static void *
produce(void *arg)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t *p;
        while (!(p = vmp_ring_reserve(arg, 64)))
            sched_yield();
        vmp_ring_commit(arg, fill(p, i));
    }
    return NULL;
}

TEST(two_threads_pass_every_record_whole)
{
    static _Alignas(8) uint8_t mem[1024];
    static vmp_ring r;
    pthread_t thread;
    int bad = 0;
    CHECK(vmp_ring_init(&r, mem, sizeof(mem)));
    CHECK(pthread_create(&thread, NULL, produce, &r) == 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t want[64];
        uint32_t n;
        const uint8_t *p;
        while (!(p = vmp_ring_peek(&r, &n)))
            sched_yield();
        bad += n != fill(want, i) || memcmp(p, want, n) != 0;
        vmp_ring_release(&r);
    }
    pthread_join(thread, NULL);
    CHECK_INT(bad, 0);
}

static vmp_ring signal_ring;
static uint32_t signals_taken, signals_lost;

static void
on_signal(int signo)
{
    uint8_t *p = vmp_ring_reserve(&signal_ring, 64);
    (void)signo;
    if (p)
        vmp_ring_commit(&signal_ring, fill(p, signals_taken++));
    else
        signals_lost++;
}

TEST(a_handler_produces_for_the_code_that_it_interrupts)
{
    static _Alignas(8) uint8_t mem[256];
    struct sigaction sa = {.sa_handler = on_signal}, old;
    uint32_t read = 0, bad = 0;
    CHECK(vmp_ring_init(&signal_ring, mem, sizeof(mem)));
    sigaction(SIGUSR1, &sa, &old);
    for (int i = 0; i < 20000; i++) {
        raise(SIGUSR1);
        uint8_t want[64];
        uint32_t n;
        const uint8_t *p;
        while (i % 5 == 0 && (p = vmp_ring_peek(&signal_ring, &n))) {
            bad += n != fill(want, read++) || memcmp(p, want, n) != 0;
            vmp_ring_release(&signal_ring);
        }
    }
    sigaction(SIGUSR1, &old, NULL);
    CHECK_INT(bad, 0);
    CHECK(signals_lost > 0);
    CHECK_INT(signals_taken + signals_lost, 20000);
    CHECK(read <= signals_taken && signals_taken - read < 10);
}

TEST_MAIN(RUN(records_come_out_in_order_with_their_sizes),
    RUN(a_reservation_without_commit_does_not_exist),
    RUN(a_full_ring_refuses_and_goes_on_when_read),
    RUN(an_emptied_ring_begins_anew_and_touches_no_more_of_its_memory),
    RUN(only_sizes_that_are_powers_of_two_and_aligned_memory_will_do),
    RUN(two_threads_pass_every_record_whole),
    RUN(a_handler_produces_for_the_code_that_it_interrupts))
