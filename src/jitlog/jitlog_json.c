#include "jitlog_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vec.h"

/* Addresses and numbers of descrs, which JavaScript's numbers cannot hold. */
static void
put_address(vmp_json *j, const char *key, uint64_t address)
{
    char text[24];
    vmp_json_key(j, key);
    if (address == 0) {
        vmp_json_null(j);
        return;
    }
    snprintf(text, sizeof(text), "0x%" PRIx64, address);
    vmp_json_str(j, vmp_str_from(text));
}

static void
put_point(const vmp_jitlog_json *how, uint32_t point)
{
    const vmp_jitlog *log = how->log;
    const vmp_jitlog_point *at = &log->points[point];
    vmp_json_put_str(how->j, "function", vmp_jitlog_string(log, at->function));
    vmp_json_put_str(how->j, "file", vmp_jitlog_string(log, at->file));
    vmp_json_put_uint(how->j, "line", at->line);
    if (how->places)
        vmp_json_put_uint(how->j, "place", how->places[point]);
}

/* What stands for a trace where another names it; null for 0. */
static void
put_reference(const vmp_jitlog_json *how, const char *key, uint32_t trace)
{
    vmp_json_key(how->j, key);
    if (trace)
        vmp_json_uint(how->j, how->places ? trace : how->log->traces[trace].id);
    else
        vmp_json_null(how->j);
}

static void
put_text(const vmp_jitlog_json *how, const char *key, vmp_jitlog_piece piece)
{
    static const char more[] = "\xe2\x80\xa6";
    vmp_str text = vmp_jitlog_text(how->log, piece);
    vmp_out cut;
    if (!how->places || text.n <= how->max_text) {
        vmp_json_put_str(how->j, key, text);
        return;
    }
    vmp_out_init(&cut, -1);
    text.n = how->max_text;
    while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
        text.n--;
    vmp_out_str(&cut, text);
    vmp_out_text(&cut, more);
    vmp_json_put_str(how->j, key, vmp_out_view(&cut));
    vmp_out_drop(&cut, how->j->out);
}

static void
put_code(const vmp_jitlog_json *how, vmp_jitlog_piece piece)
{
    vmp_str code = vmp_jitlog_text(how->log, piece);
    vmp_out digits;
    vmp_out_init(&digits, -1);
    for (size_t i = 0; i < code.n && (!how->places || i < how->max_text); i++)
        vmp_out_hex(&digits, (unsigned char)code.p[i], 2);
    vmp_json_put_str(how->j, "code", vmp_out_view(&digits));
    if (how->places)
        vmp_json_put_uint(how->j, "code_bytes", code.n);
    vmp_out_drop(&digits, how->j->out);
}

static void
put_place(const vmp_jitlog_json *how, uint32_t point)
{
    const vmp_jitlog_point *at = &how->log->points[point];
    vmp_json_begin(how->j, '{');
    vmp_json_put_str(how->j, "kind", vmp_str_from("point"));
    put_point(how, point);
    vmp_json_put_uint(how->j, "index", at->index);
    vmp_json_put_str(how->j, "opcode", vmp_jitlog_string(how->log, at->opcode));
    vmp_json_end(how->j, '}');
}

/* Entries of stage asm, by their descrs. */
typedef struct counted {
    uint64_t descr;
    uint32_t entry;
} counted;

typedef struct counts {
    counted *rows;
    size_t n, cap;
} counts;

static int
by_descr(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    return x->descr < y->descr ? -1 : x->descr > y->descr;
}

static int
gather_counts(counts *c, const vmp_jitlog *log, uint32_t trace)
{
    uint32_t i = log->traces[trace].stages[VMP_JITLOG_ASM].first;
    for (; i; i = log->entries[i].next) {
        const vmp_jitlog_entry *e = &log->entries[i];
        if (e->descr == 0 || (e->count == 0 && e->bridge == 0))
            continue;
        if (VMP_VEC_RESERVE(c->rows, c->cap, c->n + 1) < 0)
            return -VMP_ENOMEM;
        c->rows[c->n++] = (counted){e->descr, i};
    }
    if (c->n)
        qsort(c->rows, c->n, sizeof(*c->rows), by_descr);
    return 0;
}

/* The entry whose counts are those of e. */
static const vmp_jitlog_entry *
counts_of(const counts *c, const vmp_jitlog *log, const vmp_jitlog_entry *e)
{
    counted key = {e->descr, 0};
    const counted *at =
        c->n && e->descr ? bsearch(&key, c->rows, c->n, sizeof(key), by_descr) : NULL;
    const vmp_jitlog_entry *found = at ? &log->entries[at->entry] : e;
    return found->guard == e->guard && found->name == e->name ? found : e;
}

/* from: has its counts. */
static void
put_entry(const vmp_jitlog_json *how, const vmp_jitlog_entry *e, const vmp_jitlog_entry *from)
{
    bool is_operation = e->kind == VMP_JITLOG_OP;
    vmp_json *j = how->j;
    vmp_json_begin(j, '{');
    vmp_json_put_str(j, "kind", vmp_str_from(is_operation ? "operation" : "inputs"));
    put_text(how, "args", e->args);
    if (is_operation) {
        vmp_json_put_str(j, "name", vmp_jitlog_string(how->log, e->name));
        put_text(how, "fail_args", e->fails);
        put_address(j, "descr", e->descr);
        vmp_json_put_uint(j, "count", from->count);
        put_reference(how, "bridge", from->bridge);
        put_code(how, e->code);
    }
    vmp_json_end(j, '}');
}

void
vmp_jitlog_put_facts(const vmp_jitlog_json *how)
{
    const vmp_jitlog *log = how->log;
    vmp_json *j = how->j;
    vmp_json_put_bool(j, "cut", log->cut);
    vmp_json_put_uint(j, "version", log->version);
    vmp_json_put_uint(j, "word_bits", log->is_32bit ? 32 : 64);
    put_text(how, "machine", log->machine);
    vmp_json_put_uint(j, "unknown_counters", log->unknown_counters);
    vmp_json_put_uint(j, "unknown_stitches", log->unknown_stitches);
    vmp_json_put_uint(j, "redirects", log->redirects);
    vmp_json_put_uint(j, "callbacks", log->callbacks);
}

void
vmp_jitlog_put_guard(const vmp_jitlog_json *how, uint32_t entry)
{
    const vmp_jitlog_entry *e = &how->log->entries[entry];
    vmp_json *j = how->j;
    if (!entry) {
        vmp_json_null(j);
        return;
    }
    vmp_json_begin(j, '{');
    put_reference(how, "trace", e->trace);
    vmp_json_put_str(j, "name", vmp_jitlog_string(how->log, e->name));
    put_address(j, "descr", e->descr);
    vmp_json_put_uint(j, "failed", e->count);
    put_reference(how, "bridge", e->bridge);
    put_point(how, e->point);
    vmp_json_end(j, '}');
}

void
vmp_jitlog_put_trace(const vmp_jitlog_json *how, uint32_t trace)
{
    const vmp_jitlog_trace *t = &how->log->traces[trace];
    vmp_json *j = how->j;
    uint32_t guards = 0;
    vmp_json_put_uint(j, "trace", t->id);
    if (how->places)
        vmp_json_put_uint(j, "index", trace);
    vmp_json_put_str(j, "type", vmp_str_from(vmp_jitlog_type_name(t->type)));
    vmp_json_put_bool(j, "entry_bridge", t->entry_bridge);
    vmp_json_put_bool(j, "aborted", t->aborted);
    put_text(how, "jitdriver", t->driver);
    vmp_json_key(j, "entered");
    if (t->has_entered)
        vmp_json_uint(j, t->entered);
    else
        vmp_json_null(j);
    put_point(how, t->point);
    vmp_json_key(j, "operations");
    vmp_json_begin(j, '{');
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++) {
        const vmp_jitlog_part *part = &t->stages[stage];
        vmp_json_put_uint(j, vmp_jitlog_stage_name((enum vmp_jitlog_stage)stage), part->ops);
        guards = part->first ? part->guards : guards;
    }
    vmp_json_end(j, '}');
    vmp_json_put_uint(j, "guards", guards);
    put_address(j, "code_start", t->start);
    put_address(j, "code_end", t->end);
    vmp_json_put_uint(j, "code_bytes", t->end > t->start ? t->end - t->start : 0);
    vmp_json_key(j, "guard");
    vmp_jitlog_put_guard(how, t->guard);
}

uint32_t
vmp_jitlog_put_stage(const vmp_jitlog_json *how, uint32_t trace, enum vmp_jitlog_stage stage)
{
    const vmp_jitlog *log = how->log;
    uint32_t before = 0, left_out = 0;
    counts told = {0};
    if (how->places && stage == VMP_JITLOG_OPT && gather_counts(&told, log, trace) < 0)
        how->j->out->rc = -VMP_ENOMEM;
    vmp_json_begin(how->j, '[');
    for (uint32_t i = log->traces[trace].stages[stage].first; i; i = log->entries[i].next) {
        const vmp_jitlog_entry *e = &log->entries[i];
        bool is_point = e->kind == VMP_JITLOG_POINT;
        if (how->places && how->j->out->n > how->max_bytes) {
            left_out += !is_point;
            continue;
        }
        if (how->places ? e->point && e->point != before : is_point)
            put_place(how, e->point);
        before = e->point ? e->point : before;
        if (!is_point)
            put_entry(how, e, counts_of(&told, log, e));
    }
    vmp_json_end(how->j, ']');
    free(told.rows);
    return left_out;
}
