/* Which name a slot's thread has, and when names go. The slots are filled here, as handlers do;
 * the threads are the process's own. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "sampler_internal.h"

typedef struct living {
    pthread_t thread;
    _Atomic pid_t tid;
    _Atomic bool over;
} living;

static vmp_sampler s;
static vmp_slot slots[2];

static void *
live(void *arg)
{
    living *l = arg;
    atomic_store(&l->tid, vmp_os_own_tid());
    while (!atomic_load(&l->over))
        sched_yield();
    return NULL;
}

static void
begin(living *l)
{
    memset(l, 0, sizeof(*l));
    CHECK_INT(pthread_create(&l->thread, NULL, live, l), 0);
    while (atomic_load(&l->tid) == 0)
        sched_yield();
}

static void
end(living *l)
{
    uint64_t cpu_ns;
    atomic_store(&l->over, true);
    pthread_join(l->thread, NULL);
    while (vmp_os_thread_cpu_ns(l->tid, &cpu_ns) == 0)
        sched_yield(); /* joined is not yet gone */
}

static void
setup(void)
{
    living other;
    memset(&s, 0, sizeof(s));
    memset(slots, 0, sizeof(slots));
    CHECK_INT(vmp_mem_self_open(&s.name_mem, NULL), 0);
    begin(&other);
    s.tid_in_pthread = vmp_thread_tid_place(other.thread, other.tid);
    end(&other);
    for (uint32_t i = 0; i < 2; i++)
        atomic_store(&s.slots[i], &slots[i]);
    atomic_store(&s.slot_count, 2);
}

static void
teardown(void)
{
    vmp_thread_names_fini(&s.names);
    vmp_mem_self_close(&s.name_mem);
}

/* As by the handler of the thread, which the drain has not met. */
static void
claim(vmp_slot *slot, pid_t tid, uint64_t ident)
{
    atomic_store(&slot->tid, tid);
    slot->ident = ident;
    atomic_store(&slot->state, VMP_SLOT_CLAIMED);
}

static void
tell(const living *l, const char *name)
{
    vmp_thread_names_tell(&s, (uint64_t)l->thread, l->tid, vmp_str_from(name));
}

static bool
is_named(const vmp_slot *slot, const char *name)
{
    return vmp_str_equal(vmp_thread_names_of(&s, slot), vmp_str_from(name));
}

TEST(a_name_is_of_one_thread_though_the_next_has_its_pthread_id)
{
    living first, second;
    setup();
    begin(&first);
    claim(&slots[0], first.tid, (uint64_t)first.thread);
    tell(&first, "first");
    end(&first);
    begin(&second);
    claim(&slots[1], second.tid, (uint64_t)first.thread);
    /* The C library may or may not have given it away by now: in the log it has. */
    CHECK(is_named(&slots[0], "first"));
    CHECK(is_named(&slots[1], ""));
    slots[1].ident = (uint64_t)second.thread;
    tell(&second, "second");
    CHECK(is_named(&slots[0], "first") && is_named(&slots[1], "second"));
    vmp_thread_names_slot_ends(&s, &slots[0]);
    CHECK(is_named(&slots[0], "") && is_named(&slots[1], "second"));
    end(&second);
    teardown();
}

TEST(a_thread_that_has_ended_is_named_while_its_slot_waits)
{
    living l;
    setup();
    begin(&l);
    end(&l);
    tell(&l, "nobody");
    CHECK_INT(s.names.count, 0);
    claim(&slots[0], l.tid, (uint64_t)l.thread);
    tell(&l, "late");
    CHECK(is_named(&slots[0], "late"));
    teardown();
}

TEST(ids_that_do_not_belong_together_name_nobody)
{
    living one, other;
    setup();
    begin(&one);
    begin(&other);
    vmp_thread_names_tell(&s, (uint64_t)one.thread, other.tid, vmp_str_from("greenlet"));
    vmp_thread_names_tell(&s, 8, one.tid, vmp_str_from("greenlet"));
    CHECK_INT(s.names.count, 0);
    /* The main thread's struct is its own for ever. */
    vmp_thread_names_tell(&s, (uint64_t)pthread_self(), other.tid, vmp_str_from("main"));
    claim(&slots[0], getpid(), (uint64_t)pthread_self());
    CHECK(is_named(&slots[0], "main"));
    end(&one);
    end(&other);
    teardown();
}

TEST(a_slot_that_knows_no_pthread_id_has_the_name_too)
{
    setup();
    claim(&slots[0], vmp_os_own_tid(), 0);
    vmp_thread_names_tell(&s, (uint64_t)pthread_self(), 0, vmp_str_from("asleep"));
    CHECK(is_named(&slots[0], "asleep"));
    CHECK(vmp_thread_names_ident(&s, vmp_os_own_tid()) == (uint64_t)pthread_self());
    vmp_thread_names_tell(&s, (uint64_t)pthread_self(), 0, vmp_str_from(""));
    CHECK(is_named(&slots[0], ""));
    teardown();
}

TEST(names_of_threads_that_never_ticked_do_not_pile_up)
{
    enum { THREADS = 1000, MOST = 100 };
    living l, waits;
    size_t most = 0;
    setup();
    begin(&waits);
    tell(&waits, "lives");
    begin(&l);
    claim(&slots[0], l.tid, (uint64_t)l.thread);
    tell(&l, "not met");
    end(&l);
    for (int i = 0; i < THREADS; i++) {
        begin(&l);
        tell(&l, "short");
        end(&l);
        vmp_thread_names_sweep(&s);
        most = s.names.count > most ? s.names.count : most;
    }
    CHECK(most < MOST);
    CHECK(is_named(&slots[0], "not met"));
    CHECK(vmp_thread_names_ident(&s, waits.tid) == (uint64_t)waits.thread);
    end(&waits);
    teardown();
}

TEST(where_tids_cannot_be_known_the_pthread_id_has_to_do)
{
    setup();
    s.tid_in_pthread = 0;
    claim(&slots[0], vmp_os_own_tid(), (uint64_t)pthread_self());
    vmp_thread_names_tell(&s, (uint64_t)pthread_self(), vmp_os_own_tid(), vmp_str_from("a"));
    CHECK(is_named(&slots[0], "a"));
    vmp_thread_names_tell(&s, (uint64_t)pthread_self(), 0, vmp_str_from(""));
    CHECK(is_named(&slots[0], ""));
    vmp_thread_names_sweep(&s);
    teardown();
}

TEST_MAIN(RUN(a_name_is_of_one_thread_though_the_next_has_its_pthread_id),
    RUN(a_thread_that_has_ended_is_named_while_its_slot_waits),
    RUN(ids_that_do_not_belong_together_name_nobody),
    RUN(a_slot_that_knows_no_pthread_id_has_the_name_too),
    RUN(names_of_threads_that_never_ticked_do_not_pile_up),
    RUN(where_tids_cannot_be_known_the_pthread_id_has_to_do))
