#include "watch_list.h"

#include <stdlib.h>
#include <string.h>

#include "sampler_internal.h"
#include "vec.h"

/* A thread may end while another begins: the number alone does not tell. */
static const int64_t LIST_AGAIN_NS = 1000000000;
/* For who sees by a look at each thread that one is gone. */
static const int64_t LIST_AGAIN_SEEN_NS = 10000000000;

static int
by_tid(const void *a, const void *b)
{
    const vmp_watch *x = a;
    const vmp_watch *y = b;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

vmp_watch *
vmp_watch_list_find(vmp_watch_list *l, pid_t tid)
{
    vmp_watch key = {.tid = tid};
    return l->count ? bsearch(&key, l->items, l->count, sizeof(key), by_tid) : NULL;
}

vmp_watch *
vmp_watch_list_add(vmp_watch_list *l, pid_t tid)
{
    if (VMP_VEC_RESERVE(l->items, l->cap, l->count + 1) < 0)
        return NULL;
    size_t at = l->count++;
    /* Mostly it is the last: numbers go up. */
    for (; at > 0 && l->items[at - 1].tid > tid; at--)
        l->items[at] = l->items[at - 1];
    memset(&l->items[at], 0, sizeof(l->items[at]));
    l->items[at].tid = tid;
    l->thread_count++;
    return &l->items[at];
}

void
vmp_watch_list_drop(vmp_watch_list *l, vmp_sampler *s, vmp_watch *watch)
{
    size_t behind = l->count - (size_t)(watch - l->items) - 1;
    vmp_thread_files_drop(s, watch->tid);
    memmove(watch, watch + 1, behind * sizeof(*watch));
    l->count--;
    l->thread_count--;
}

static int
tid_order(const void *a, const void *b)
{
    const pid_t *x = a;
    const pid_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* Both sorted: marks what is in both, appends what is new. */
static int
merge(vmp_watch_list *l, vmp_sampler *s, const pid_t *tids, size_t n,
    void (*added)(vmp_sampler *, vmp_watch *))
{
    size_t at = 0, old_count = l->count;
    for (size_t i = 0; i < n; i++) {
        if (vmp_sampler_owns(s, tids[i]))
            continue;
        while (at < old_count && l->items[at].tid < tids[i])
            at++;
        if (at < old_count && l->items[at].tid == tids[i]) {
            l->items[at].seen = l->serial;
            continue;
        }
        if (VMP_VEC_RESERVE(l->items, l->cap, l->count + 1) < 0)
            return -VMP_ENOMEM;
        vmp_watch *watch = &l->items[l->count++];
        memset(watch, 0, sizeof(*watch));
        watch->tid = tids[i];
        watch->seen = l->serial;
        if (added)
            added(s, watch);
    }
    return 0;
}

/* Where there is no listing: the main thread, and of those known the living. */
static size_t
list_known(const vmp_watch_list *l, pid_t *tids)
{
    pid_t main_tid = getpid();
    size_t n = 0;
    uint64_t cpu_ns;
    tids[n++] = main_tid;
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].tid != main_tid && vmp_os_thread_cpu_ns(l->items[i].tid, &cpu_ns) == 0)
            tids[n++] = l->items[i].tid;
    return n;
}

/* The kernel goes through the threads by their place where the one that it stopped at has
 * ended meanwhile, and passes over some that live. One that was dropped would come back as
 * new, and all that it ever did with it. */
static bool
is_gone(const vmp_sampler *s, const vmp_watch *watch)
{
    uint64_t cpu_ns;
    return vmp_sampler_owns(s, watch->tid) || vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) < 0 ||
           cpu_ns < watch->cpu_ns;
}

int
vmp_watch_list_refresh(vmp_watch_list *l, vmp_sampler *s, int64_t now_ns,
    void (*added)(vmp_sampler *, vmp_watch *), void (*removed)(vmp_sampler *, vmp_watch *))
{
    uint32_t count = vmp_os_thread_count_by(&s->tasks);
    int64_t again_ns = l->sees_ends ? LIST_AGAIN_SEEN_NS : LIST_AGAIN_NS;
    if (l->listed_ns && count == l->thread_count && now_ns - l->listed_ns < again_ns)
        return 0;
    size_t cap = (l->count > count ? l->count : count) + 64, have = 0;
    pid_t *tids = NULL;
    if (VMP_VEC_RESERVE(tids, have, cap) < 0 || !tids)
        return -VMP_ENOMEM;
    size_t n = vmp_os_thread_list_by(&s->tasks, tids, have);
    if (n > have)
        n = have; /* the rest is found at the next look: the numbers differ */
    l->blind = n == 0;
    if (l->blind)
        n = list_known(l, tids);
    l->thread_count = count;
    l->listed_ns = now_ns;
    l->serial++;
    qsort(tids, n, sizeof(*tids), tid_order);
    int rc = merge(l, s, tids, n, added);
    free(tids);
    if (rc < 0)
        return rc;
    qsort(l->items, l->count, sizeof(*l->items), by_tid);
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        bool seen = l->items[i].seen == l->serial;
        if (!seen && is_gone(s, &l->items[i])) {
            vmp_thread_files_drop(s, l->items[i].tid);
            if (removed)
                removed(s, &l->items[i]);
            continue;
        }
        if (!seen)
            l->listed_ns = 0; /* may be about to end */
        l->items[kept++] = l->items[i];
    }
    l->count = kept;
    return 0;
}

void
vmp_watch_list_fini(vmp_watch_list *l)
{
    free(l->items);
    memset(l, 0, sizeof(*l));
}
