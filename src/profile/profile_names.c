/* Strings, functions, locations, stacks: tables whose equal rows are one row. */
#include <stdlib.h>

#include "profile_internal.h"

int
vmp_tuple_index_find(vmp_tuple_index *t, const uint32_t *key, size_t n, uint32_t **ret_row)
{
    uint32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        node = vmp_pairs_id(&t->edges, node, key[i]);
        if (node == 0)
            return -VMP_ENOMEM;
    }
    if (VMP_VEC_RESERVE(t->row_of, t->row_of_cap, t->edges.count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    while (t->row_of_count <= t->edges.count)
        t->row_of[t->row_of_count++] = 0;
    *ret_row = &t->row_of[node];
    return 0;
}

void
vmp_tuple_index_fini(vmp_tuple_index *t)
{
    vmp_pairs_fini(&t->edges);
    free(t->row_of);
    *t = (vmp_tuple_index){0};
}

int
vmp_profile_builder_string(vmp_profile_builder *b, vmp_str text, vmp_string_id *ret_id)
{
    vmp_profile *p = &b->p;
    if (text.n == 0) {
        *ret_id = (vmp_string_id){0};
        return 0;
    }
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_str, p->strings), b->strings_cap, p->string_count + 1u) < 0)
        return -VMP_ENOMEM;
    bool is_new;
    uint32_t id = vmp_intern_id(&b->texts, text, &is_new);
    if (id == 0)
        return -VMP_ENOMEM;
    if (is_new)
        VMP_OWN(vmp_str, p->strings)[p->string_count++] = vmp_intern_text(&b->texts, id);
    *ret_id = (vmp_string_id){id};
    return 0;
}

static vmp_string_id
known_string(const vmp_profile *p, vmp_string_id id)
{
    return id.i < p->string_count ? id : (vmp_string_id){0};
}

static int
function_id(vmp_profile_builder *b, const vmp_profile_function *f, vmp_function_id *ret_id)
{
    vmp_profile *p = &b->p;
    uint32_t key[] = {f->kind, f->name.i, f->qualname.i, f->file.i, (uint32_t)f->first_line};
    uint32_t *row;
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_profile_function, p->functions), b->functions_cap,
            p->function_count + 1u) < 0 ||
        vmp_tuple_index_find(&b->functions, key, sizeof(key) / sizeof(key[0]), &row) < 0)
        return -VMP_ENOMEM;
    if (*row == 0) {
        *row = p->function_count++;
        VMP_OWN(vmp_profile_function, p->functions)[*row] = *f;
    }
    *ret_id = (vmp_function_id){*row};
    return 0;
}

int
vmp_profile_builder_code(vmp_profile_builder *b, enum vmp_profile_kind kind, vmp_string_id name,
    vmp_string_id qualname, vmp_string_id file, int32_t first_line, vmp_code_id *ret_id)
{
    vmp_profile *p = &b->p;
    vmp_function_id function;
    vmp_profile_function f = {kind, known_string(p, name), known_string(p, qualname),
        known_string(p, file), first_line, 0};
    if (p->code_count == UINT32_MAX || function_id(b, &f, &function) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_function_id, p->code_function), b->codes_cap,
            p->code_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    VMP_OWN(vmp_profile_function, p->functions)[function.i].codes++;
    *ret_id = (vmp_code_id){p->code_count};
    VMP_OWN(vmp_function_id, p->code_function)[p->code_count++] = function;
    return 0;
}

/* The one function that all elided frames are shown under. */
static int
elided_function(vmp_profile_builder *b, vmp_function_id *ret_id)
{
    int rc = 0;
    if (b->elided.i == 0) {
        vmp_profile_function f = {.kind = VMP_PROFILE_ELIDED};
        rc = vmp_profile_builder_string(b, vmp_str_from("<frames left out>"), &f.name);
        if (rc == 0)
            rc = function_id(b, &f, &b->elided);
    }
    *ret_id = b->elided;
    return rc;
}

/* A location as it goes into the table. */
static vmp_profile_location
completed(const vmp_profile *p, const vmp_profile_location *location)
{
    vmp_profile_location l = *location;
    if (l.code.i >= p->code_count)
        l.code.i = 0;
    l.function = p->code_function[l.code.i];
    if (!l.has_columns)
        l.end_line = l.col = l.end_col = 0;
    return l;
}

int
vmp_profile_builder_location_new(vmp_profile_builder *b, vmp_location_id *ret_id)
{
    vmp_profile *p = &b->p;
    if (p->location_count == UINT32_MAX ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_location, p->locations), b->locations_cap,
            p->location_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    *ret_id = (vmp_location_id){p->location_count};
    VMP_OWN(vmp_profile_location, p->locations)[p->location_count++] = (vmp_profile_location){0};
    return 0;
}

void
vmp_profile_builder_location_tell(
    vmp_profile_builder *b, vmp_location_id id, const vmp_profile_location *location)
{
    if (id.i > 0 && id.i < b->p.location_count)
        VMP_OWN(vmp_profile_location, b->p.locations)[id.i] = completed(&b->p, location);
}

int
vmp_profile_builder_location(
    vmp_profile_builder *b, const vmp_profile_location *location, vmp_location_id *ret_id)
{
    vmp_profile *p = &b->p;
    vmp_profile_location l = completed(p, location);
    if (l.kind == VMP_PROFILE_ELIDED && elided_function(b, &l.function) < 0)
        return -VMP_ENOMEM;

    uint32_t key[9], n = 0;
    key[n++] = (uint32_t)l.kind << 2 | (uint32_t)l.has_columns << 1 | (l.detail != 0);
    key[n++] = l.function.i;
    key[n++] = l.line;
    key[n++] = l.instr;
    if (l.has_columns) {
        key[n++] = l.end_line;
        key[n++] = l.col;
        key[n++] = l.end_col;
    }
    if (l.detail != 0) {
        key[n++] = (uint32_t)l.detail;
        key[n++] = (uint32_t)(l.detail >> 32);
    }
    uint32_t *row;
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_profile_location, p->locations), b->locations_cap,
            p->location_count + 1u) < 0 ||
        vmp_tuple_index_find(&b->locations, key, n, &row) < 0)
        return -VMP_ENOMEM;
    if (*row == 0) {
        *row = p->location_count++;
        VMP_OWN(vmp_profile_location, p->locations)[*row] = l;
    }
    *ret_id = (vmp_location_id){*row};
    return 0;
}

/* ------------------------------------------------------------------ stacks */

enum { FIRST_BITS = 10 };

/* The row that equals (parent, location), or the slot where it belongs. */
static uint32_t *
stack_slot(const vmp_profile_builder *b, uint32_t parent, uint32_t location)
{
    const vmp_profile *p = &b->p;
    const vmp_stack_table *t = &b->stacks;
    size_t i = (size_t)(vmp_hash_pair(t->mul, parent, location) >> t->shift);
    for (;; i = (i + 1) & t->mask) {
        uint32_t row = t->slots[i];
        if (row == 0 || (p->stack_parent[row].i == parent && p->stack_location[row].i == location))
            return &t->slots[i];
    }
}

/* Enters the rows that are not in the table yet. */
static int
stack_table_catch_up(vmp_profile_builder *b)
{
    vmp_profile *p = &b->p;
    vmp_stack_table *t = &b->stacks;
    unsigned bits = t->slots ? 64 - t->shift : FIRST_BITS;
    while (((size_t)1 << bits) / 2 <= p->stack_count)
        bits++;
    if (!t->slots || bits > 64 - t->shift) {
        uint32_t *fresh = calloc((size_t)1 << bits, sizeof(*fresh));
        if (!fresh)
            return -VMP_ENOMEM;
        if (!t->slots) {
            t->mul[0] = vmp_hash_secret(t, 1) | 1;
            t->mul[1] = vmp_hash_secret(t, 2) | 1;
        }
        free(t->slots);
        t->slots = fresh;
        t->mask = ((size_t)1 << bits) - 1;
        t->shift = 64 - bits;
        t->covered = 1;
    }
    for (; t->covered < p->stack_count; t->covered++) {
        uint32_t row = t->covered;
        uint32_t *slot = stack_slot(b, p->stack_parent[row].i, p->stack_location[row].i);
        if (*slot == 0)
            *slot = row;
    }
    return 0;
}

void
vmp_profile_builder_stack_get(const vmp_profile_builder *b, vmp_stack_id id,
    vmp_stack_id *ret_parent, vmp_location_id *ret_location)
{
    bool known = id.i < b->p.stack_count;
    *ret_parent = known ? b->p.stack_parent[id.i] : (vmp_stack_id){0};
    *ret_location = known ? b->p.stack_location[id.i] : (vmp_location_id){0};
}

int
vmp_profile_stacks_reserve(vmp_profile_builder *b, size_t n)
{
    vmp_profile *p = &b->p;
    if (VMP_VEC_RESERVE(VMP_OWN(vmp_stack_id, p->stack_parent), b->parents_cap, n) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_location_id, p->stack_location), b->stack_locations_cap, n) <
            0 ||
        VMP_VEC_RESERVE(b->owners, b->owners_cap, n) < 0)
        return -VMP_ENOMEM;
    return 0;
}

int
vmp_profile_builder_stack_new(
    vmp_profile_builder *b, vmp_stack_id parent, vmp_location_id location, vmp_stack_id *ret_id)
{
    vmp_profile *p = &b->p;
    if (parent.i >= p->stack_count)
        parent.i = 0;
    if (location.i >= p->location_count)
        location.i = 0;
    if (p->stack_count == UINT32_MAX ||
        vmp_profile_stacks_reserve(b, p->stack_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    uint32_t id = p->stack_count++;
    VMP_OWN(vmp_stack_id, p->stack_parent)[id] = parent;
    VMP_OWN(vmp_location_id, p->stack_location)[id] = location;
    b->owners[id] = (vmp_sum_owner){0, 0};
    *ret_id = (vmp_stack_id){id};
    return 0;
}

int
vmp_profile_builder_stack(
    vmp_profile_builder *b, vmp_stack_id parent, vmp_location_id location, vmp_stack_id *ret_id)
{
    vmp_profile *p = &b->p;
    if (parent.i >= p->stack_count)
        parent.i = 0;
    if (location.i >= p->location_count)
        location.i = 0;
    if (stack_table_catch_up(b) < 0)
        return -VMP_ENOMEM;
    uint32_t *slot = stack_slot(b, parent.i, location.i);
    if (*slot != 0) {
        *ret_id = (vmp_stack_id){*slot};
        return 0;
    }
    int rc = vmp_profile_builder_stack_new(b, parent, location, ret_id);
    if (rc == 0) {
        *slot = ret_id->i;
        b->stacks.covered = p->stack_count;
    }
    return rc;
}
