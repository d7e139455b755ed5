/* Keys: what is one row or one node. */
#include <stdlib.h>

#include "report_internal.h"
#include "vec.h"

void
vmp_keys_fini(vmp_keys *k)
{
    free(k->of_location);
    free(k->function);
    free(k->location);
    free(k->rank);
    *k = (vmp_keys){0};
}

static int
compare_entries(const void *a, const void *b)
{
    const vmp_sort_entry *x = a, *y = b;
    if (x->first != y->first)
        return x->first > y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second > y->second ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Most lists are the children of one node, and short. */
enum { SHORT_LIST = 12 };

void
vmp_sort_entries(vmp_sort_entry *entries, size_t n)
{
    if (n > SHORT_LIST) {
        qsort(entries, n, sizeof(*entries), compare_entries);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        vmp_sort_entry e = entries[i];
        size_t at = i;
        for (; at > 0 && compare_entries(&e, &entries[at - 1]) < 0; at--)
            entries[at] = entries[at - 1];
        entries[at] = e;
    }
}

vmp_sort_entry
vmp_sort_entry_of(enum vmp_report_sort sort, const vmp_report_value *self,
    const vmp_report_value *total, uint32_t rank, uint32_t index)
{
    switch (sort) {
    case VMP_REPORT_SORT_TOTAL:
        return (vmp_sort_entry){total->weight, self->weight, rank, index};
    case VMP_REPORT_SORT_SELF:
        return (vmp_sort_entry){self->weight, total->weight, rank, index};
    case VMP_REPORT_SORT_NAME:
        break;
    }
    return (vmp_sort_entry){0, 0, rank, index};
}

typedef struct named_key {
    vmp_str name, file;
    uint32_t place[5]; /* first line, line, columns */
    uint32_t key;
} named_key;

static int
compare_named(const void *a, const void *b)
{
    const named_key *x = a, *y = b;
    int c = vmp_str_compare(x->name, y->name);
    if (c == 0)
        c = vmp_str_compare(x->file, y->file);
    for (size_t i = 0; c == 0 && i < sizeof(x->place) / sizeof(x->place[0]); i++)
        c = x->place[i] < y->place[i] ? -1 : x->place[i] > y->place[i];
    return c != 0 ? c : x->key < y->key ? -1 : x->key > y->key;
}

int
vmp_keys_rank(vmp_keys *k, const vmp_profile *p)
{
    named_key *named = calloc(k->count, sizeof(*named));
    uint32_t *rank = malloc(k->count * sizeof(*rank));
    if (!named || !rank) {
        free(named);
        free(rank);
        return -VMP_ENOMEM;
    }
    for (uint32_t i = 0; i < k->count; i++) {
        const vmp_profile_function *f = &p->functions[k->function[i].i];
        const vmp_profile_location *l = &p->locations[k->location[i].i];
        named[i] = (named_key){vmp_profile_function_name(p, k->function[i]),
            vmp_profile_string(p, f->file),
            {(uint32_t)f->first_line, l->line, l->col, l->end_line, l->end_col}, i};
    }
    qsort(named, k->count, sizeof(*named), compare_named);
    for (uint32_t i = 0; i < k->count; i++)
        rank[named[i].key] = i;
    free(named);
    free(k->rank);
    k->rank = rank;
    return 0;
}
