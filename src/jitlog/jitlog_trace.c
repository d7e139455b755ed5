/* Puts the records of a jitlog together: traces, their stages, and which guard
 * each bridge starts from. */
#include "jitlog_internal.h"

#include <stdlib.h>

#include "vec.h"

static uint32_t
map_get(const vmp_jitlog_map *m, uint64_t key)
{
    uint32_t id = vmp_pairs_find(&m->keys, (uint32_t)key, (uint32_t)(key >> 32));
    return id ? m->values[id - 1] : 0;
}

/* A later value takes the place of an older one: addresses are used again, and so
 * are the ids of a process and its fork that write into one log. */
static int
map_set(vmp_jitlog_map *m, uint64_t key, uint32_t value)
{
    if (VMP_VEC_RESERVE(m->values, m->cap, m->keys.count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    uint32_t id = vmp_pairs_id(&m->keys, (uint32_t)key, (uint32_t)(key >> 32));
    if (id == 0)
        return -VMP_ENOMEM;
    m->values[id - 1] = value;
    return 0;
}

static void
map_fini(vmp_jitlog_map *m)
{
    vmp_pairs_fini(&m->keys);
    free(m->values);
}

int
vmp_jitlog_builder_init(vmp_jitlog_builder *b)
{
    vmp_jitlog *j = b->j;
    if (VMP_VEC_RESERVE(j->traces, b->traces_cap, 1) < 0 ||
        VMP_VEC_RESERVE(j->entries, b->entries_cap, 1) < 0 ||
        VMP_VEC_RESERVE(j->points, b->points_cap, 1) < 0 ||
        VMP_VEC_RESERVE(j->lines, b->lines_cap, 1) < 0)
        return -VMP_ENOMEM;
    j->traces[0] = (vmp_jitlog_trace){0};
    j->entries[0] = (vmp_jitlog_entry){0};
    j->points[0] = (vmp_jitlog_point){0};
    j->lines[0] = (vmp_jitlog_line){0};
    j->trace_count = j->entry_count = j->point_count = j->line_count = 1;
    return 0;
}

void
vmp_jitlog_builder_fini(vmp_jitlog_builder *b)
{
    map_fini(&b->ids);
    map_fini(&b->starts);
    map_fini(&b->descrs);
}

int
vmp_jitlog_begin_trace(vmp_jitlog_builder *b, const vmp_jitlog_trace *trace)
{
    vmp_jitlog *j = b->j;
    if (j->trace_count >= VMP_JITLOG_MAX_TRACES)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(j->traces, b->traces_cap, j->trace_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    j->traces[j->trace_count] = *trace;
    return map_set(&b->ids, trace->id, j->trace_count++);
}

int
vmp_jitlog_begin_stage(vmp_jitlog_builder *b, uint64_t id, enum vmp_jitlog_stage stage)
{
    uint32_t trace = map_get(&b->ids, id);
    if (trace == 0) {
        int rc = vmp_jitlog_begin_trace(b, &(vmp_jitlog_trace){.id = id});
        if (rc < 0)
            return rc;
        trace = map_get(&b->ids, id);
    }
    b->trace = trace;
    b->stage = stage;
    b->point = b->last_op = 0;
    return 0;
}

int
vmp_jitlog_add_entry(vmp_jitlog_builder *b, const vmp_jitlog_entry *entry)
{
    vmp_jitlog *j = b->j;
    uint32_t i = j->entry_count;
    if (i >= VMP_JITLOG_MAX_ENTRIES)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(j->entries, b->entries_cap, i + (size_t)1) < 0)
        return -VMP_ENOMEM;
    vmp_jitlog_part *part = &j->traces[b->trace].stages[b->stage];
    vmp_jitlog_entry *e = &j->entries[i];
    *e = *entry;
    e->trace = b->trace;
    e->stage = (uint8_t)b->stage;
    e->point = b->point;
    j->entry_count++;
    if (part->last)
        j->entries[part->last].next = i;
    else
        part->first = i;
    part->last = i;
    part->ops += e->kind == VMP_JITLOG_OP;
    part->guards += e->guard;
    part->points += e->kind == VMP_JITLOG_POINT;
    b->last_op = e->kind == VMP_JITLOG_OP ? i : b->last_op;
    if (e->kind != VMP_JITLOG_OP || e->descr == 0 || b->stage == VMP_JITLOG_NOOPT ||
        (!e->guard && !vmp_str_equal(vmp_jitlog_string(j, e->name), vmp_str_from("label"))))
        return 0;
    /* The assembler gets no merge points, but has the optimized stage's descrs. */
    const vmp_jitlog_entry *before = &j->entries[map_get(&b->descrs, e->descr)];
    if (e->point == 0 && before->trace == e->trace)
        e->point = before->point;
    return map_set(&b->descrs, e->descr, i);
}

int
vmp_jitlog_add_point(vmp_jitlog_builder *b, const vmp_jitlog_point *point)
{
    vmp_jitlog *j = b->j;
    vmp_jitlog_trace *t = &j->traces[b->trace];
    if (VMP_VEC_RESERVE(j->points, b->points_cap, j->point_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    j->points[j->point_count] = *point;
    b->point = j->point_count++;
    if (t->point == 0)
        t->point = b->point;
    return vmp_jitlog_add_entry(b, &(vmp_jitlog_entry){.kind = VMP_JITLOG_POINT});
}

int
vmp_jitlog_add_line(vmp_jitlog_builder *b, const vmp_jitlog_line *line)
{
    vmp_jitlog *j = b->j;
    if (j->line_count >= VMP_JITLOG_MAX_LINES)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(j->lines, b->lines_cap, j->line_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    uint32_t id = vmp_pairs_id(&j->line_ids, line->file, line->line);
    if (id == 0)
        return -VMP_ENOMEM;
    j->lines[id] = *line;
    j->line_count = j->line_ids.count + 1;
    return 0;
}

int
vmp_jitlog_add_addresses(vmp_jitlog_builder *b, uint64_t start, uint64_t end)
{
    b->j->traces[b->trace].start = start;
    b->j->traces[b->trace].end = end;
    return map_set(&b->starts, start, b->trace);
}

void
vmp_jitlog_abort(vmp_jitlog_builder *b, uint64_t id)
{
    uint32_t trace = map_get(&b->ids, id);
    if (trace)
        b->j->traces[trace].aborted = true;
}

static void
join(vmp_jitlog *j, uint32_t guard, uint32_t bridge)
{
    j->entries[guard].bridge = bridge;
    j->traces[bridge].guard = guard;
}

void
vmp_jitlog_stitch(vmp_jitlog_builder *b, uint64_t descr, uint64_t target)
{
    uint32_t guard = map_get(&b->descrs, descr), bridge = map_get(&b->starts, target);
    if (guard && bridge && b->j->entries[guard].guard)
        join(b->j, guard, bridge);
    else
        b->j->unknown_stitches++;
}

void
vmp_jitlog_count(vmp_jitlog_builder *b, char kind, uint64_t id, uint64_t count)
{
    vmp_jitlog *j = b->j;
    uint32_t trace = kind == 'e' ? map_get(&b->ids, id) : 0;
    uint32_t entry = kind == 'e' ? 0 : map_get(&b->descrs, id);
    if (trace) {
        j->traces[trace].entered += count;
        j->traces[trace].has_entered = true;
    } else if (entry && j->entries[entry].guard == (kind == 'b')) {
        j->entries[entry].count += count;
    } else {
        j->unknown_counters++;
    }
}

void
vmp_jitlog_link(vmp_jitlog_builder *b)
{
    vmp_jitlog *j = b->j;
    for (uint32_t i = 1; i < j->trace_count; i++) {
        vmp_jitlog_trace *t = &j->traces[i];
        /* Cut before its STITCH_BRIDGE, a log has told the guard all the same. */
        uint32_t guard = t->type == VMP_JITLOG_BRIDGE ? map_get(&b->descrs, t->descr) : 0;
        if (t->guard == 0 && guard && j->entries[guard].guard && j->entries[guard].bridge == 0)
            join(j, guard, i);
        if (t->guard && !t->has_entered) {
            t->entered = j->entries[t->guard].count;
            t->has_entered = t->entered > 0;
        }
    }
}

uint32_t
vmp_jitlog_find(const vmp_jitlog *j, uint64_t id)
{
    for (uint32_t i = j->trace_count; i-- > 1;)
        if (j->traces[i].id == id)
            return i;
    return 0;
}

/* What is to be sorted; qsort hands on no context. */
typedef struct counted {
    uint64_t count;
    uint32_t index;
} counted;

static int
by_count(const void *a, const void *b)
{
    const counted *ca = a, *cb = b;
    if (ca->count != cb->count)
        return ca->count < cb->count ? 1 : -1;
    return ca->index < cb->index ? -1 : 1;
}

/* Sorts rows, which it takes, to their indices. NULL: no memory. */
static uint32_t *
sort_taken(counted *rows, size_t n)
{
    uint32_t *indices = calloc(n + 1, sizeof(*indices));
    if (indices)
        qsort(rows, n, sizeof(*rows), by_count);
    for (size_t i = 0; indices && i < n; i++)
        indices[i] = rows[i].index;
    free(rows);
    return indices;
}

uint32_t *
vmp_jitlog_by_entered(const vmp_jitlog *j, size_t *ret_n)
{
    counted *rows = calloc(j->trace_count, sizeof(*rows));
    if (!rows)
        return NULL;
    *ret_n = j->trace_count - 1;
    for (uint32_t i = 1; i < j->trace_count; i++)
        rows[i - 1] = (counted){j->traces[i].entered, i};
    return sort_taken(rows, *ret_n);
}

int
vmp_jitlog_guards(const vmp_jitlog *j, uint32_t **ret_entries, size_t *ret_n)
{
    size_t n = 0;
    for (uint32_t i = 1; i < j->entry_count; i++)
        n += j->entries[i].guard && j->entries[i].count > 0;
    counted *guards = calloc(n + 1, sizeof(*guards));
    if (!guards)
        return -VMP_ENOMEM;
    n = 0;
    for (uint32_t i = 1; i < j->entry_count; i++)
        if (j->entries[i].guard && j->entries[i].count > 0)
            guards[n++] = (counted){j->entries[i].count, i};
    uint32_t *entries = sort_taken(guards, n);
    if (!entries)
        return -VMP_ENOMEM;
    *ret_entries = entries;
    *ret_n = n;
    return 0;
}
