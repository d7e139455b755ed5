/* Whether so many threads end that their ticks are missed.
 *
 * A thread that ends takes half an interval with it, on average, that no tick told of. Where
 * that is more than a part in LOST_SHARE of what the program does, what there is against it is
 * worth its price: events of their own for threads that begin (first_ticks.c) and for those that
 * start them (starters.c). The kernel exchanges events at a switch between threads that have
 * inherited all theirs, which costs little, and else stops one timer and sets another, which takes
 * 10 us on some machines: threads of a pool that hand work to each other on one processor
 * would wait for that five times as long as they work. */
#include "sampler_internal.h"

enum {
    LOST_SHARE = 200,
    LOW_SHARE = 800,  /* below, it is not high any more */
    ENDED_LEAST = 8,  /* fewer are chance */
    BEGUN_A_LOOK = 16 /* there is no wait for the drain's look beyond */
};

static const double WINDOW_NS = 1e9;

bool
vmp_turnover_begins(vmp_sampler *s)
{
    return ++s->perf.turnover.begun % BEGUN_A_LOOK == 0;
}

void
vmp_turnover_look(vmp_sampler *s, int64_t now_ns, uint64_t cpu_ns, uint32_t threads)
{
    vmp_turnover *t = &s->perf.turnover;
    if (t->looked_ns != 0 && t->threads != 0 && threads != 0) {
        double passed_ns = (double)(now_ns - t->looked_ns);
        double kept = passed_ns < WINDOW_NS ? 1 - passed_ns / WINDOW_NS : 0;
        int64_t ended = (int64_t)t->begun + t->threads - threads;
        t->ended = t->ended * kept + (ended > 0 ? (double)ended : 0);
        t->used_ns = t->used_ns * kept + (double)(cpu_ns - t->cpu_ns);
        double lost_ns = t->ended * (double)s->interval_ns / 2;
        t->high =
            t->ended >= ENDED_LEAST && lost_ns > t->used_ns / (t->high ? LOW_SHARE : LOST_SHARE);
    }
    t->begun = 0;
    t->threads = threads;
    t->looked_ns = now_ns;
    t->cpu_ns = cpu_ns;
}
