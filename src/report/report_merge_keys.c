/* Step 1 of a merge: every location gets a key. See report_internal.h. */
#include <stdlib.h>

#include "report_merge_internal.h"
#include "vec.h"

static int
key_add(vmp_keys *k, vmp_function_id function, vmp_location_id location)
{
    size_t need = k->count + (size_t)1;
    if (VMP_VEC_RESERVE(k->function, k->function_cap, need) < 0 ||
        VMP_VEC_RESERVE(k->location, k->location_cap, need) < 0)
        return -VMP_ENOMEM;
    k->function[k->count] = function;
    k->location[k->count++] = location;
    return 0;
}

typedef struct place {
    uint32_t parts[6]; /* function, line, has columns, end line, columns */
    uint32_t location;
} place;

static int
compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    for (size_t i = 0; i < sizeof(x->parts) / sizeof(x->parts[0]); i++)
        if (x->parts[i] != y->parts[i])
            return x->parts[i] < y->parts[i] ? -1 : 1;
    return x->location < y->location ? -1 : x->location > y->location;
}

/* Gives equal places one key, the first location of each stands for it. */
static int
place_keys(vmp_merger *g, vmp_keys *k)
{
    const vmp_profile *p = g->p;
    bool columns = g->request->key == VMP_REPORT_BY_POSITION;
    place *places = calloc(p->location_count, sizeof(*places));
    if (!places)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < p->location_count; i++) {
        const vmp_profile_location *l = &p->locations[i];
        bool narrow = columns && l->has_columns;
        places[i] = (place){{l->function.i, l->line, narrow, narrow ? l->end_line : 0,
                                narrow ? l->col : 0, narrow ? l->end_col : 0},
            i};
    }
    qsort(places, p->location_count, sizeof(*places), compare_places);
    int rc = 0;
    for (uint32_t i = 0; i < p->location_count && rc == 0; i++) {
        vmp_location_id location = {places[i].location};
        if (i == 0 || memcmp(places[i].parts, places[i - 1].parts, sizeof(places[i].parts)) != 0)
            rc = key_add(k, (vmp_function_id){places[i].parts[0]}, location);
        k->of_location[location.i] = k->count - 1;
    }
    free(places);
    return rc;
}

int
vmp_merge_make_keys(vmp_merger *g)
{
    const vmp_profile *p = g->p;
    vmp_keys *k = &g->m->keys;
    k->of_location = malloc(p->location_count * sizeof(*k->of_location));
    if (!k->of_location || key_add(k, (vmp_function_id){0}, (vmp_location_id){0}) < 0)
        return -VMP_ENOMEM;
    if (g->request->key != VMP_REPORT_BY_FUNCTION) {
        if (place_keys(g, k) < 0)
            return -VMP_ENOMEM;
    } else {
        for (uint32_t i = 0; i < p->function_count; i++)
            if (key_add(k, (vmp_function_id){i}, (vmp_location_id){0}) < 0)
                return -VMP_ENOMEM;
        for (uint32_t i = 0; i < p->location_count; i++)
            k->of_location[i] = p->locations[i].function.i + 1;
    }
    for (uint32_t i = 0; i < p->location_count; i++)
        if (g->functions[p->locations[i].function.i] & VMP_MERGE_FUNCTION_HIDDEN)
            k->of_location[i] = 0;
    return 0;
}
