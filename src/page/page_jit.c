#include "page_jit.h"

#include <stdlib.h>

#include "jitlog_json.h"
#include "vec.h"

enum {
    MAX_FACTS = 32 << 20,  /* bytes of the first line, */
    MAX_PLACES = 16 << 20, /* of it up to the end of the places, */
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

/* Where code begins that has a name and a file, by strings of the jitlog. */
typedef struct beginning {
    uint32_t file, name, line;
    uint32_t function; /* of the profile */
} beginning;

typedef struct beginnings {
    beginning *rows; /* sorted */
    size_t n, cap;
} beginnings;

static int
compare_beginnings(const void *a, const void *b)
{
    const beginning *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static void
sort_beginnings(beginnings *b)
{
    if (b->n)
        qsort(b->rows, b->n, sizeof(*b->rows), compare_beginnings);
}

/* The functions of the profile that the jitlog could speak of. */
static int
gather_functions(beginnings *b, const vmp_jitlog *log, const vmp_profile *p)
{
    for (uint32_t i = 1; p && i < p->function_count; i++) {
        const vmp_profile_function *f = &p->functions[i];
        beginning at = {.function = i, .line = f->first_line > 0 ? (uint32_t)f->first_line : 0};
        at.file = vmp_intern_find(&log->strings, vmp_profile_string(p, f->file));
        at.name = vmp_intern_find(&log->strings, vmp_profile_string(p, f->name));
        if (f->kind != VMP_PROFILE_PYTHON || !at.file || !at.name)
            continue;
        if (VMP_VEC_RESERVE(b->rows, b->cap, b->n + 1) < 0)
            return -VMP_ENOMEM;
        b->rows[b->n++] = at;
    }
    sort_beginnings(b);
    return 0;
}

/* The lines of first bytecodes in the jitlog, each once. */
static int
gather_first_lines(beginnings *b, const vmp_jitlog *log)
{
    vmp_pairs names = {0}, lines = {0};
    int rc = 0;
    for (uint32_t i = 1; rc == 0 && i < log->point_count; i++) {
        const vmp_jitlog_point *at = &log->points[i];
        if (at->index != 0 || at->line == 0)
            continue;
        uint32_t name = vmp_pairs_id(&names, at->file, at->function);
        uint32_t id = name ? vmp_pairs_id(&lines, name, at->line) : 0;
        if (id == 0 || VMP_VEC_RESERVE(b->rows, b->cap, id) < 0)
            rc = -VMP_ENOMEM;
        else if (id > b->n)
            b->rows[b->n++] = (beginning){at->file, at->function, at->line, 0};
    }
    vmp_pairs_fini(&names);
    vmp_pairs_fini(&lines);
    sort_beginnings(b);
    return rc;
}

/* The i-th row, counted from 1, if it has the point's name and file; else NULL. */
static const beginning *
named_row(const beginnings *b, size_t i, const vmp_jitlog_point *at)
{
    const beginning *row = i > 0 ? &b->rows[i - 1] : NULL;
    return row && row->file == at->file && row->name == at->function ? row : NULL;
}

/* Counted from 1, the last row up to the point, of this name and file if there is one. */
static size_t
last_row(const beginnings *b, const vmp_jitlog_point *at)
{
    beginning wanted = {at->file, at->function, at->line ? at->line : UINT32_MAX, 0};
    size_t from = 0, to = b->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_beginnings(&b->rows[middle], &wanted) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* The function of the profile with the name and the file of a point that begins last before
 * it, or 0. A point without a line is of the only one. Code has one first bytecode: where
 * first_lines has two of them from the function to the point, the latter is in another one,
 * which has no sample. */
static uint32_t
find_function(
    const beginnings *functions, const beginnings *first_lines, const vmp_jitlog_point *at)
{
    size_t i = last_row(functions, at);
    const beginning *found = named_row(functions, i, at);
    if (!found)
        return 0;
    if (at->line == 0)
        return named_row(functions, i - 1, at) ? 0 : found->function;
    size_t last = last_row(first_lines, at);
    const beginning *second = last > 0 ? named_row(first_lines, last - 1, at) : NULL;
    return second && second->line >= found->line ? 0 : found->function;
}

static int
make_places(writer *w)
{
    const vmp_jitlog *log = w->log;
    vmp_pairs names = {0}, pairs = {0};
    beginnings functions = {0}, first_lines = {0};
    int rc = gather_functions(&functions, log, w->profile);
    if (rc == 0 && functions.n)
        rc = gather_first_lines(&first_lines, log);
    w->place_of = calloc(log->point_count, sizeof(*w->place_of));
    if (!w->place_of || VMP_VEC_RESERVE(w->places, w->places_cap, 1) < 0)
        rc = -VMP_ENOMEM;
    if (rc == 0)
        w->places[w->place_count++] = (place){0};
    for (uint32_t i = 1; rc == 0 && i < log->point_count; i++) {
        const vmp_jitlog_point *at = &log->points[i];
        uint32_t function = find_function(&functions, &first_lines, at);
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
    free(functions.rows);
    free(first_lines.rows);
    return rc;
}

/* Points keep the numbers of those that are told. */
static void
put_places(writer *w, vmp_json *j)
{
    uint32_t told = 0;
    vmp_json_key(j, "places");
    vmp_json_begin(j, '[');
    for (; told < w->place_count && j->out->n < MAX_PLACES; told++) {
        const vmp_jitlog_point *at = &w->log->points[w->places[told].point];
        uint32_t function = w->places[told].function;
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
    vmp_json_put_uint(j, "places_left_out", w->place_count - told);
    for (uint32_t i = 1; told < w->place_count && i < w->log->point_count; i++)
        if (w->place_of[i] >= told)
            w->place_of[i] = 0;
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

/* Each place at its first point. Returns how many were left out. */
static uint32_t
put_passes(writer *w, vmp_json *j, uint32_t trace, enum vmp_jitlog_stage stage)
{
    const vmp_jitlog *log = w->log;
    uint32_t left_out = 0;
    for (uint32_t i = log->traces[trace].stages[stage].first; i; i = log->entries[i].next) {
        uint32_t at = w->place_of[log->entries[i].point];
        if (at == 0 || w->seen_in[at] != trace)
            continue;
        w->seen_in[at] = 0; /* told, or counted */
        if (j->out->n >= MAX_FACTS) {
            left_out++;
            continue;
        }
        vmp_json_begin(j, '[');
        vmp_json_uint(j, at);
        vmp_json_uint(j, w->operations[at]);
        vmp_json_end(j, ']');
    }
    return left_out;
}

static vmp_jitlog_json
json_of(const writer *w, vmp_json *j)
{
    return (vmp_jitlog_json){.j = j, .log = w->log, .places = w->place_of, .max_text = MAX_TEXT};
}

/* Keeps of w->traces those that are told. */
static void
put_traces(writer *w, vmp_json *j)
{
    vmp_jitlog_json how = json_of(w, j);
    size_t n = 0, all = w->trace_count;
    uint32_t passes_left_out = 0; /* of the last trace */
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
            passes_left_out += put_passes(w, j, w->traces[n], (enum vmp_jitlog_stage)stage);
        vmp_json_end(j, ']');
        vmp_json_end(j, '}');
    }
    vmp_json_end(j, ']');
    vmp_json_put_uint(j, "passes_left_out", passes_left_out);
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
put_stages(writer *w, uint32_t trace, size_t max_bytes)
{
    vmp_json j = vmp_json_to(&w->line);
    vmp_jitlog_json how = json_of(w, &j);
    how.max_bytes = max_bytes;
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
    size_t left = MAX_STAGES;
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
        if (i > 0 && left > 0)
            put_stages(&w, w.traces[i - 1], left < MAX_TRACE ? left : MAX_TRACE);
        else if (i > 0)
            vmp_out_text(&w.line, "null");
        vmp_out_text(&w.line, "\n");
        rc = w.line.rc < 0 ? w.line.rc : put(ctx, w.line.p, w.line.n, err);
        if (i > 0)
            left -= w.line.n < left ? w.line.n : left;
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
