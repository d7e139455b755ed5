#include "log_children.h"

#include <stdlib.h>
#include <string.h>

#include "log_format.h"
#include "vec.h"

/* Most call sites call one thing; sizes of the lists of the others. The longest have room
 * for as many entries again, so that a new one seldom moves those that are there. */
enum { FEW = 4, SOME = 16, MOST = 2 * VMP_LOG_CHILDREN };

void
vmp_log_children_fini(vmp_log_children *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->lists[i].many);
    free(c->lists);
    *c = (vmp_log_children){0};
}

int
vmp_log_children_reserve(vmp_log_children *c, uint32_t parent)
{
    if (VMP_VEC_RESERVE(c->lists, c->cap, parent + 1u) < 0)
        return -VMP_ENOMEM;
    for (; c->n <= parent; c->n++)
        c->lists[c->n] = (vmp_log_child_list){0};
    vmp_log_child_list *list = &c->lists[parent];
    uint8_t cap = list->many ? list->cap : 1;
    if (list->start + list->n < cap)
        return 0;
    if (cap == MOST) {
        memmove(list->many, list->many + list->start, list->n * sizeof(*list->many));
        list->start = 0;
        return 0;
    }
    uint8_t next = cap < FEW ? FEW : cap < SOME ? SOME : MOST;
    uint32_t *grown = realloc(list->many, next * sizeof(*grown));
    if (!grown)
        return -VMP_ENOMEM;
    if (!list->many)
        grown[0] = list->one;
    list->many = grown;
    list->cap = next;
    return 0;
}

/* Behind the latest entry. */
static uint32_t *
end_of(vmp_log_child_list *list)
{
    return list->many ? list->many + list->start + list->n : &list->one + list->n;
}

/* The place of a location, or list->n. */
static uint32_t
find(vmp_log_child_list *list, uint32_t location)
{
    const uint32_t *end = end_of(list), *p = end, *start = end - list->n;
    /* Most are not there: four at a time. */
    while (p - start >= 4 &&
           !((p[-1] == location) | (p[-2] == location) | (p[-3] == location) | (p[-4] == location)))
        p -= 4;
    while (p > start && p[-1] != location)
        p--;
    return (uint32_t)(end - p);
}

/* Moves entry `at`, or a new one if at == n, to the front. */
static void
to_front(vmp_log_child_list *list, uint32_t at, uint32_t location)
{
    uint32_t *end = end_of(list);
    if (at < list->n) {
        uint32_t *p = end - 1 - at;
        memmove(p, p + 1, at * sizeof(*p));
        end[-1] = location;
        return;
    }
    *end = location;
    if (list->n < VMP_LOG_CHILDREN)
        list->n++;
    else
        list->start++; /* the last one is dropped */
}

uint64_t
vmp_log_children_encode(vmp_log_children *c, uint32_t parent, uint32_t location)
{
    vmp_log_child_list *list = &c->lists[parent];
    uint32_t at = find(list, location), high = c->high;
    uint64_t w = at < list->n      ? at
                 : location > high ? VMP_LOG_CHILDREN + 2 * (uint64_t)(location - high) - 1
                                   : VMP_LOG_CHILDREN + 2 * (uint64_t)location;
    to_front(list, at, location);
    c->high = location > high ? location : high;
    return w;
}

uint32_t
vmp_log_children_decode(vmp_log_children *c, uint32_t parent, uint64_t w, uint32_t max)
{
    vmp_log_child_list *list = &c->lists[parent];
    if (w < VMP_LOG_CHILDREN) {
        if (w >= list->n)
            return 0;
        uint32_t known = end_of(list)[-1 - (ptrdiff_t)w];
        if (w > 0)
            to_front(list, (uint32_t)w, known);
        return known;
    }
    uint64_t x = w - VMP_LOG_CHILDREN, location = x & 1 ? c->high + x / 2 + 1 : x / 2;
    if (location == 0 || location > max)
        return 0;
    /* A writer would have given its place, but this is no error. */
    to_front(
        list, location > c->high ? list->n : find(list, (uint32_t)location), (uint32_t)location);
    if (location > c->high)
        c->high = (uint32_t)location;
    return (uint32_t)location;
}
