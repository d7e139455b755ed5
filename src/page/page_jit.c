#include "page_jit.h"

#include <stdlib.h>

#include "jitlog_json.h"
#include "vec.h"

enum {
    MAX_FACTS = 32 << 20,  /* bytes of the first line, */
    MAX_STAGES = 96 << 20, /* of all others */
    MAX_TRACE = 16 << 20,  /* of each of those, */
    MAX_TEXT = 2000,       /* of the arguments, or of the machine code, of one operation */
};

/* A function of the program, as the jitlog names it. */
typedef struct place {
    uint32_t point;    /* one that is there */
    uint32_t function; /* of the profile, or 0 */
} place;

typedef struct writer {
    const vmp_jitlog *log;
    const vmp_profile *profile;
    uint32_t *place_of; /* by point */
    place *places;      /* from 1 */
    size_t places_cap;
    uint32_t place_count; /* with the unused [0] */
    uint32_t *traces;     /* most entered first */
    size_t trace_count;
    /* By place: the trace that was seen there last, and how many of its operations. */
    uint32_t *seen_in, *operations;
    vmp_out line;
} writer;

/* A function of the profile, by strings of the jitlog. */
typedef struct known {
    uint32_t file, name, line, function;
} known;

static int
compare_known(const void *a, const void *b)
{
    const known *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Those that the jitlog could speak of, sorted. NULL: no memory. */
static known *
know_functions(const vmp_jitlog *log, const vmp_profile *p, size_t *ret_n)
{
    known *all = calloc(p ? p->function_count : 1, sizeof(*all));
    size_t n = 0;
    for (uint32_t i = 1; all && p && i < p->function_count; i++) {
        const vmp_profile_function *f = &p->functions[i];
        known k = {.function = i, .line = f->first_line > 0 ? (uint32_t)f->first_line : 0};
        k.file = vmp_intern_find(&log->strings, vmp_profile_string(p, f->file));
        k.name = vmp_intern_find(&log->strings, vmp_profile_string(p, f->name));
        if (f->kind == VMP_PROFILE_PYTHON && k.file && k.name)
            all[n++] = k;
    }
    if (all)
        qsort(all, n, sizeof(*all), compare_known);
    *ret_n = n;
    return all;
}

/* Of those of this name in the file the last one that begins at the line or before; without
 * a line the only one. 0: none. */
static uint32_t
find_function(const known *all, size_t n, const vmp_jitlog_point *at)
{
    known wanted = {at->file, at->function, at->line ? at->line : UINT32_MAX, 0};
    size_t from = 0, to = n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_known(&all[middle], &wanted) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == 0 || all[from - 1].file != at->file || all[from - 1].name != at->function)
        return 0;
    bool only = from == 1 || all[from - 2].file != at->file || all[from - 2].name != at->function;
    return at->line || only ? all[from - 1].function : 0;
}

static int
make_places(writer *w)
{
    const vmp_jitlog *log = w->log;
    vmp_pairs names = {0}, pairs = {0};
    size_t n = 0;
    known *all = know_functions(log, w->profile, &n);
    w->place_of = calloc(log->point_count, sizeof(*w->place_of));
    int rc =
        all && w->place_of && VMP_VEC_RESERVE(w->places, w->places_cap, 1) == 0 ? 0 : -VMP_ENOMEM;
    if (rc == 0)
        w->places[w->place_count++] = (place){0};
    for (uint32_t i = 1; rc == 0 && i < log->point_count; i++) {
        const vmp_jitlog_point *at = &log->points[i];
        uint32_t function = find_function(all, n, at);
        uint32_t name = vmp_pairs_id(&names, at->file, at->function);
        uint32_t id = name ? vmp_pairs_id(&pairs, name, function) : 0;
        if (id == 0 || VMP_VEC_RESERVE(w->places, w->places_cap, id + (size_t)1) < 0)
            rc = -VMP_ENOMEM;
        else if (id == w->place_count)
            w->places[w->place_count++] = (place){i, function};
        w->place_of[i] = id;
    }
    vmp_pairs_fini(&names);
    vmp_pairs_fini(&pairs);
    free(all);
    return rc;
}

static void
put_places(const writer *w, vmp_json *j)
{
    vmp_json_key(j, "places");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < w->place_count && j->out->n < MAX_FACTS / 2; i++) {
        const vmp_jitlog_point *at = &w->log->points[w->places[i].point];
        uint32_t function = w->places[i].function;
        vmp_json_begin(j, '[');
        vmp_json_str(j, vmp_jitlog_string(w->log, at->function));
        vmp_json_str(j, vmp_jitlog_string(w->log, at->file));
        if (function) {
            vmp_json_str(j, vmp_profile_function_name(w->profile, (vmp_function_id){function}));
            vmp_json_int(j, w->profile->functions[function].first_line);
        }
        vmp_json_end(j, ']');
    }
    vmp_json_end(j, ']');
}

static void
count_stage(writer *w, uint32_t trace, enum vmp_jitlog_stage stage)
{
    const vmp_jitlog *log = w->log;
    for (uint32_t i = log->traces[trace].stages[stage].first; i; i = log->entries[i].next) {
        const vmp_jitlog_entry *e = &log->entries[i];
        uint32_t at = w->place_of[e->point];
        if (w->seen_in[at] != trace) {
            w->seen_in[at] = trace;
            w->operations[at] = 0;
        }
        w->operations[at] += stage == VMP_JITLOG_OPT && e->kind == VMP_JITLOG_OP;
    }
}

/* Each place at its first point. */
static void
put_passes(writer *w, vmp_json *j, uint32_t trace, enum vmp_jitlog_stage stage)
{
    const vmp_jitlog *log = w->log;
    for (uint32_t i = log->traces[trace].stages[stage].first; i; i = log->entries[i].next) {
        uint32_t at = w->place_of[log->entries[i].point];
        if (at == 0 || w->seen_in[at] != trace)
            continue;
        w->seen_in[at] = 0; /* told */
        vmp_json_begin(j, '[');
        vmp_json_uint(j, at);
        vmp_json_uint(j, w->operations[at]);
        vmp_json_end(j, ']');
    }
}

static vmp_jitlog_json
json_of(const writer *w, vmp_json *j)
{
    return (vmp_jitlog_json){
        .j = j, .log = w->log, .places = w->place_of, .max_text = MAX_TEXT, .max_bytes = MAX_TRACE};
}

/* Keeps of w->traces those that are told. */
static void
put_traces(writer *w, vmp_json *j)
{
    vmp_jitlog_json how = json_of(w, j);
    size_t n = 0, all = w->trace_count;
    vmp_json_key(j, "traces");
    vmp_json_begin(j, '[');
    for (; n < all && j->out->n < MAX_FACTS; n++) {
        vmp_json_begin(j, '{');
        vmp_jitlog_put_trace(&how, w->traces[n]);
        vmp_json_key(j, "passes");
        vmp_json_begin(j, '[');
        for (int stage = VMP_JITLOG_NOOPT; stage <= VMP_JITLOG_OPT; stage++)
            count_stage(w, w->traces[n], (enum vmp_jitlog_stage)stage);
        for (int stage = VMP_JITLOG_NOOPT; stage <= VMP_JITLOG_OPT; stage++)
            put_passes(w, j, w->traces[n], (enum vmp_jitlog_stage)stage);
        vmp_json_end(j, ']');
        vmp_json_end(j, '}');
    }
    vmp_json_end(j, ']');
    vmp_json_put_uint(j, "left_out", all - n);
    w->trace_count = n;
}

static void
put_facts(writer *w)
{
    vmp_json j = vmp_json_to(&w->line);
    vmp_jitlog_json how = json_of(w, &j);
    vmp_json_begin(&j, '{');
    vmp_jitlog_put_facts(&how);
    put_places(w, &j);
    put_traces(w, &j);
    vmp_json_end(&j, '}');
}

static void
put_stages(writer *w, uint32_t trace)
{
    vmp_json j = vmp_json_to(&w->line);
    vmp_jitlog_json how = json_of(w, &j);
    uint32_t left_out[VMP_JITLOG_STAGE_COUNT];
    vmp_json_begin(&j, '{');
    vmp_json_key(&j, "stages");
    vmp_json_begin(&j, '{');
    for (int i = 0; i < VMP_JITLOG_STAGE_COUNT; i++) {
        vmp_json_key(&j, vmp_jitlog_stage_name((enum vmp_jitlog_stage)i));
        left_out[i] = vmp_jitlog_put_stage(&how, trace, (enum vmp_jitlog_stage)i);
    }
    vmp_json_end(&j, '}');
    vmp_json_key(&j, "left_out");
    vmp_json_begin(&j, '{');
    for (int i = 0; i < VMP_JITLOG_STAGE_COUNT; i++)
        vmp_json_put_uint(&j, vmp_jitlog_stage_name((enum vmp_jitlog_stage)i), left_out[i]);
    vmp_json_end(&j, '}');
    vmp_json_end(&j, '}');
}

int
vmp_page_jit(const vmp_jitlog *log, const vmp_profile *profile,
    int (*put)(void *ctx, const void *p, size_t n, vmp_err *err), void *ctx, vmp_err *err)
{
    writer w = {.log = log, .profile = profile};
    uint64_t bytes = 0;
    vmp_out_init(&w.line, -1);
    int rc = make_places(&w);
    if (rc == 0) {
        w.traces = vmp_jitlog_by_entered(log, &w.trace_count);
        w.seen_in = calloc(w.place_count, sizeof(*w.seen_in));
        w.operations = calloc(w.place_count, sizeof(*w.operations));
        rc = w.traces && w.seen_in && w.operations ? 0 : -VMP_ENOMEM;
    }
    if (rc == 0)
        put_facts(&w);
    for (size_t i = 0; rc == 0 && i <= w.trace_count; i++) {
        if (i > 0 && bytes < MAX_STAGES)
            put_stages(&w, w.traces[i - 1]);
        else if (i > 0)
            vmp_out_text(&w.line, "null");
        vmp_out_text(&w.line, "\n");
        rc = w.line.rc < 0 ? w.line.rc : put(ctx, w.line.p, w.line.n, err);
        bytes += i > 0 ? w.line.n : 0;
        vmp_out_clear(&w.line);
    }
    vmp_out_fini(&w.line);
    free(w.place_of);
    free(w.places);
    free(w.traces);
    free(w.seen_in);
    free(w.operations);
    return rc;
}
