/* Lets every allocation of a piece of code fail in turn.
 *
 *   ALLOC_FAIL_LOOP(rc, do_work(&thing));
 *
 * runs do_work again and again, with the first allocation failing, then the
 * second, ... until a run gets through, and checks that each failing run gave
 * -VMP_ENOMEM. Only for programs linked with -Wl,--wrap=malloc,--wrap=calloc,
 * --wrap=realloc (see alloc_fail_args in tests/meson.build). */
#ifndef VMP_TESTS_ALLOC_FAIL_H
#define VMP_TESTS_ALLOC_FAIL_H

#include "check.h"
#include "err.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long alloc_fail_at = -1; /* allocations until the one that fails; < 0: none fails */

static int
alloc_fails(void)
{
    return alloc_fail_at >= 0 && alloc_fail_at-- == 0;
}

void *
__wrap_malloc(size_t n)
{
    return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
    return alloc_fails() ? NULL : __real_realloc(p, n);
}

#define ALLOC_FAIL_LOOP(rc, call)                                                                  \
    do {                                                                                           \
        long alloc_fail_step = 0;                                                                  \
        for (;; alloc_fail_step++) {                                                               \
            alloc_fail_at = alloc_fail_step;                                                       \
            rc = (call);                                                                           \
            int alloc_fail_done = alloc_fail_at >= 0;                                              \
            alloc_fail_at = -1;                                                                    \
            if (alloc_fail_done)                                                                   \
                break;                                                                             \
            CHECK_INT(rc, -VMP_ENOMEM);                                                            \
        }                                                                                          \
        CHECK_INT(rc, 0);                                                                          \
        CHECK(alloc_fail_step > 0);                                                                \
    } while (0)

#endif
