/* Jitlogs, as the pages of vmprof before 1.0 asked for them. Traces go by their id in decimal,
 * descrs, and traces where others refer to them, in hexadecimal.
 *
 * An operation's number is ours: "resops" of the meta data gives each its name. The index of an
 * operation is its place among those of its stage; that of a merge point is that of the
 * operation behind it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

enum { WITH_DRIVER = 2 }; /* version of the format that brought names of jitdrivers */

/* Many traces and points may share one long name: a few megabytes of log could make a reply of
 * gigabytes. */
static const size_t max_reply_bytes = 256 << 20;

typedef struct jit_reply {
    vmp_json *j;
    vmp_out *scratch;
    const vmp_jitlog *log;
} jit_reply;

/* "0x" and digits, as Python's hex() writes them. */
static const char *
to_hex(char text[24], uint64_t v)
{
    snprintf(text, 24, "0x%" PRIx64, v);
    return text;
}

static const char *
trace_hex(const vmp_jitlog *log, char text[24], uint32_t trace)
{
    return to_hex(text, trace ? log->traces[trace].id : 0);
}

static void
key_of_number(vmp_json *j, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    vmp_json_key(j, text);
}

static bool
is_named(const vmp_jitlog *log, const vmp_jitlog_entry *e, const char *name)
{
    return vmp_str_equal(vmp_jitlog_string(log, e->name), vmp_str_from(name));
}

/* ------------------------------------------------------------------ meta */

static int
put_resops(jit_reply *a)
{
    uint32_t end = 1;
    for (uint32_t i = 1; i < a->log->entry_count; i++)
        if (a->log->entries[i].name >= end)
            end = a->log->entries[i].name + 1;
    bool *told = calloc(end, sizeof(*told));
    if (!told)
        return -VMP_ENOMEM;
    vmp_json_key(a->j, "resops");
    vmp_json_begin(a->j, '{');
    for (uint32_t i = 1; i < a->log->entry_count; i++) {
        const vmp_jitlog_entry *e = &a->log->entries[i];
        if (e->kind != VMP_JITLOG_OP || told[e->name])
            continue;
        told[e->name] = true;
        key_of_number(a->j, e->name);
        vmp_json_str(a->j, vmp_jitlog_string(a->log, e->name));
    }
    vmp_json_end(a->j, '}');
    free(told);
    return 0;
}

/* How often the trace was entered, and how often each label of it was passed: those stand at
 * the operation that counts, which is behind the label. */
static void
put_counters(jit_reply *a, const vmp_jitlog_trace *t)
{
    uint32_t index = 0;
    vmp_json_key(a->j, "counter_points");
    vmp_json_begin(a->j, '{');
    vmp_json_put_uint(a->j, "0", t->entered);
    for (uint32_t i = t->stages[VMP_JITLOG_ASM].first; i; i = a->log->entries[i].next) {
        const vmp_jitlog_entry *e = &a->log->entries[i];
        if (e->kind != VMP_JITLOG_OP)
            continue;
        index++;
        if (e->count > 0 && !e->guard) {
            key_of_number(a->j, index);
            vmp_json_uint(a->j, e->count);
        }
    }
    vmp_json_end(a->j, '}');
}

/* The first point of the optimized trace. */
static uint32_t
first_point(const vmp_jitlog *log, const vmp_jitlog_trace *t)
{
    for (uint32_t i = t->stages[VMP_JITLOG_OPT].first; i; i = log->entries[i].next)
        if (log->entries[i].kind == VMP_JITLOG_POINT)
            return log->entries[i].point;
    return 0;
}

static void
put_place(jit_reply *a, const vmp_jitlog_trace *t)
{
    uint32_t point = first_point(a->log, t);
    const vmp_jitlog_point *at = &a->log->points[point];
    vmp_json_put_str(
        a->j, "scope", point ? vmp_jitlog_string(a->log, at->function) : vmp_str_from("unknown"));
    vmp_json_key(a->j, "lineno");
    vmp_json_int(a->j, point ? (int64_t)at->line : -1);
    vmp_json_key(a->j, "filename");
    if (point && at->file == 0)
        vmp_json_null(a->j);
    else
        vmp_json_str(a->j, vmp_jitlog_string(a->log, at->file));
}

static void
put_trace_meta(jit_reply *a, const vmp_jitlog_trace *t, uint32_t stamp)
{
    char text[24];
    vmp_str driver = vmp_jitlog_text(a->log, t->driver);
    key_of_number(a->j, t->id);
    vmp_json_begin(a->j, '{');
    put_place(a, t);
    vmp_json_put_str(a->j, "type", vmp_str_from(vmp_jitlog_type_name(t->type)));
    put_counters(a, t);
    if (t->end) {
        vmp_json_key(a->j, "addr");
        vmp_json_begin(a->j, '[');
        vmp_json_uint(a->j, t->start);
        vmp_json_uint(a->j, t->end);
        vmp_json_end(a->j, ']');
    }
    vmp_json_key(a->j, "jd_name");
    if (a->log->version >= WITH_DRIVER)
        vmp_json_str(a->j, driver);
    else
        vmp_json_null(a->j);
    if (t->guard)
        vmp_json_put_str(
            a->j, "parent", vmp_str_from(trace_hex(a->log, text, a->log->entries[t->guard].trace)));
    vmp_json_put_uint(a->j, "stamp", stamp);
    vmp_json_end(a->j, '}');
}

/* Where the compiled operations of a trace lead to other traces. */
static void
put_links(jit_reply *a, const vmp_jitlog_trace *t)
{
    uint32_t index = 0, count = 0;
    for (uint32_t i = t->stages[VMP_JITLOG_ASM].first; i; i = a->log->entries[i].next) {
        const vmp_jitlog_entry *e = &a->log->entries[i];
        if (e->kind == VMP_JITLOG_OP && e->bridge) {
            if (count++ == 0) {
                key_of_number(a->j, t->id);
                vmp_json_begin(a->j, '{');
            }
            key_of_number(a->j, index);
            vmp_json_uint(a->j, a->log->traces[e->bridge].id);
        }
        index += e->kind == VMP_JITLOG_OP;
    }
    if (count)
        vmp_json_end(a->j, '}');
}

static int
put_meta(jit_reply *a, uint32_t trace)
{
    const vmp_jitlog *log = a->log;
    (void)trace;
    vmp_json_begin(a->j, '{');
    int rc = put_resops(a);
    vmp_json_key(a->j, "traces");
    vmp_json_begin(a->j, '{');
    for (uint32_t i = 1; i < log->trace_count && a->j->out->rc == 0; i++)
        if (log->traces[i].type != VMP_JITLOG_UNKNOWN)
            put_trace_meta(a, &log->traces[i], i - 1);
    vmp_json_end(a->j, '}');
    vmp_json_key(a->j, "links");
    vmp_json_begin(a->j, '{');
    for (uint32_t i = 1; i < log->trace_count; i++)
        put_links(a, &log->traces[i]);
    vmp_json_end(a->j, '}');
    vmp_json_put_uint(a->j, "word_size", log->is_32bit ? 4 : 8);
    vmp_json_put_str(a->j, "machine", vmp_jitlog_text(log, log->machine));
    vmp_json_end(a->j, '}');
    return rc;
}

/* ------------------------------------------------------------- one trace */

/* Takes what is before the first comma, or all. */
static vmp_str
take_word(vmp_str *words)
{
    const char *comma = words->n ? memchr(words->p, ',', words->n) : NULL;
    size_t n = comma ? (size_t)(comma - words->p) : words->n;
    vmp_str word = {words->p, n};
    n += comma != NULL;
    *words = (vmp_str){words->p + n, words->n - n};
    return word;
}

static void
put_words(vmp_json *j, const char *key, vmp_str words)
{
    vmp_json_key(j, key);
    vmp_json_begin(j, '[');
    while (words.n)
        vmp_json_str(j, take_word(&words));
    vmp_json_end(j, ']');
}

/* Takes the word behind the last comma. */
static vmp_str
take_last(vmp_str *words)
{
    size_t at = words->n;
    while (at > 0 && words->p[at - 1] != ',')
        at--;
    vmp_str last = {words->p + at, words->n - at};
    words->n = at > 0 ? at - 1 : 0;
    return last;
}

static void
put_operation(jit_reply *a, const vmp_jitlog_entry *e, uint32_t index)
{
    char text[24];
    vmp_json *j = a->j;
    vmp_str args = vmp_jitlog_text(a->log, e->args), code = vmp_jitlog_text(a->log, e->code);
    vmp_str result = take_word(&args), descr = e->descr ? take_last(&args) : (vmp_str){NULL, 0};
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "num", e->name);
    vmp_json_put_uint(j, "i", index);
    if (args.n)
        put_words(j, "args", args);
    if (result.n)
        vmp_json_put_str(j, "res", result);
    if (descr.n)
        vmp_json_put_str(j, "descr", descr);
    if (code.n) {
        vmp_out_clear(a->scratch);
        vmp_out_base64(a->scratch, code.p, code.n);
        vmp_json_put_str(j, "dump", vmp_out_view(a->scratch));
    }
    vmp_json_put_str(j, "descr_number", vmp_str_from(e->descr ? to_hex(text, e->descr) : "-0x1"));
    vmp_json_end(j, '}');
}

static void
put_point(jit_reply *a, const vmp_jitlog_point *at, uint32_t index)
{
    vmp_json_begin(a->j, '{');
    vmp_json_put_uint(a->j, "i", index);
    if (at->file)
        vmp_json_put_str(a->j, "filename", vmp_jitlog_string(a->log, at->file));
    if (at->line)
        vmp_json_put_uint(a->j, "lineno", at->line);
    vmp_json_put_uint(a->j, "index", at->index);
    if (at->function)
        vmp_json_put_str(a->j, "scope", vmp_jitlog_string(a->log, at->function));
    if (at->opcode)
        vmp_json_put_str(a->j, "opcode", vmp_jitlog_string(a->log, at->opcode));
    vmp_json_end(a->j, '}');
}

/* The entries of one kind. */
static void
put_entries(jit_reply *a, const vmp_jitlog_part *part, const char *key, uint8_t kind)
{
    uint32_t index = 0;
    vmp_json_key(a->j, key);
    vmp_json_begin(a->j, '[');
    for (uint32_t i = part->first; i && a->j->out->rc == 0; i = a->log->entries[i].next) {
        const vmp_jitlog_entry *e = &a->log->entries[i];
        if (e->kind == kind && kind == VMP_JITLOG_OP)
            put_operation(a, e, index);
        else if (e->kind == kind)
            put_point(a, &a->log->points[e->point], index);
        index += e->kind == VMP_JITLOG_OP;
    }
    vmp_json_end(a->j, ']');
}

/* Place of an operation in its stage. */
static uint32_t
index_of(const vmp_jitlog *log, uint32_t entry)
{
    const vmp_jitlog_entry *e = &log->entries[entry];
    uint32_t index = 0;
    for (uint32_t i = log->traces[e->trace].stages[e->stage].first; i != entry;
         i = log->entries[i].next)
        index += log->entries[i].kind == VMP_JITLOG_OP;
    return index;
}

static int
put_trace(jit_reply *a, uint32_t trace)
{
    char text[24];
    const vmp_jitlog_trace *t = &a->log->traces[trace];
    vmp_str inputs = {NULL, 0};
    vmp_json_begin(a->j, '{');
    vmp_json_key(a->j, "stages");
    vmp_json_begin(a->j, '{');
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++) {
        const vmp_jitlog_part *part = &t->stages[stage];
        if (!part->first)
            continue;
        vmp_json_key(a->j, vmp_jitlog_stage_name((enum vmp_jitlog_stage)stage));
        vmp_json_begin(a->j, '{');
        put_entries(a, part, "ops", VMP_JITLOG_OP);
        put_entries(a, part, "merge_points", VMP_JITLOG_POINT);
        vmp_json_end(a->j, '}');
        for (uint32_t i = part->first; i; i = a->log->entries[i].next)
            if (a->log->entries[i].kind == VMP_JITLOG_INPUTS)
                inputs = vmp_jitlog_text(a->log, a->log->entries[i].args);
    }
    vmp_json_end(a->j, '}');
    put_words(a->j, "args", inputs);
    vmp_json_key(a->j, "code");
    int rc = vmp_old_put_lines(a->j, a->log, t);
    if (t->guard) {
        vmp_json_key(a->j, "failing_guard");
        put_operation(a, &a->log->entries[t->guard], index_of(a->log, t->guard));
    }
    if (t->end) {
        vmp_json_key(a->j, "addr");
        vmp_json_begin(a->j, '[');
        vmp_json_str(a->j, vmp_str_from(to_hex(text, t->start)));
        vmp_json_str(a->j, vmp_str_from(to_hex(text, t->end)));
        vmp_json_end(a->j, ']');
    }
    vmp_json_end(a->j, '}');
    return rc;
}

/* -------------------------------------------------------------- stitches */

/* "g,index,descr,bridge" for a guard; 'l', 'j' or 'f' without the last for the operations that
 * a trace begins and ends with. */
static void
put_stitch(jit_reply *a, const vmp_jitlog_entry *e, uint32_t index)
{
    static const char *const names[] = {"label", "jump", "finish"};
    char descr[24], bridge[24];
    char kind = e->guard ? 'g' : '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_named(a->log, e, names[i]))
            kind = names[i][0];
    if (!kind)
        return;
    vmp_out_clear(a->scratch);
    vmp_out_printf(a->scratch, "%c,%" PRIu32 ",%s", kind, index, to_hex(descr, e->descr));
    if (e->guard)
        vmp_out_printf(a->scratch, ",%s", trace_hex(a->log, bridge, e->bridge));
    vmp_json_str(a->j, vmp_out_view(a->scratch));
}

/* All traces that can be reached from one by guards that failed. */
static int
put_stitches(jit_reply *a, uint32_t trace)
{
    char text[24];
    const vmp_jitlog *log = a->log;
    bool *seen = calloc(log->trace_count, sizeof(*seen));
    uint32_t *left = calloc(log->trace_count, sizeof(*left));
    size_t n = 0;
    if (!seen || !left) {
        free(seen);
        free(left);
        return -VMP_ENOMEM;
    }
    vmp_json_begin(a->j, '{');
    vmp_json_put_str(a->j, "root", vmp_str_from(trace_hex(log, text, trace)));
    vmp_json_key(a->j, "stitches");
    vmp_json_begin(a->j, '{');
    seen[trace] = true;
    for (left[n++] = trace; n > 0;) {
        const vmp_jitlog_trace *t = &log->traces[left[--n]];
        uint32_t index = 0;
        if (!t->stages[VMP_JITLOG_ASM].first)
            continue;
        vmp_json_key(a->j, to_hex(text, t->id));
        vmp_json_begin(a->j, '[');
        for (uint32_t i = t->stages[VMP_JITLOG_ASM].first; i; i = log->entries[i].next) {
            const vmp_jitlog_entry *e = &log->entries[i];
            if (e->kind != VMP_JITLOG_OP)
                continue;
            put_stitch(a, e, index++);
            if (e->bridge && !seen[e->bridge]) {
                seen[e->bridge] = true;
                left[n++] = e->bridge;
            }
        }
        vmp_json_end(a->j, ']');
    }
    vmp_json_end(a->j, '}');
    vmp_json_end(a->j, '}');
    free(seen);
    free(left);
    return 0;
}

/* --------------------------------------------------------------- replies */

/* Finds the trace of "?id=". */
static int
find_trace(vmp_http_request *r, const vmp_jitlog *log, uint32_t *ret_trace)
{
    vmp_str name, value;
    uint64_t id = 0;
    bool told = false;
    while (vmp_http_query_next(&r->arena, &r->query, &name, &value) > 0)
        if (vmp_str_equal(name, vmp_str_from("id")))
            told = vmp_http_uint(value, &id);
    if (!told)
        return vmp_http_bad(r, "which trace? id= is its number");
    *ret_trace = vmp_jitlog_find(log, id);
    if (!*ret_trace)
        return vmp_err_set(&r->err, VMP_ENOTFOUND, 0, 0, "there is no such trace");
    return 0;
}

static int
reply(vmp_http_request *r, bool of_trace, int (*put)(jit_reply *a, uint32_t trace))
{
    vmp_jitlog *log = NULL;
    vmp_out scratch;
    uint32_t trace = 0;
    vmp_http_loading_begin(r->server);
    int rc = vmp_http_jitlog(r, r->captured[0], &log);
    if (rc == 0 && of_trace)
        rc = find_trace(r, log, &trace);
    if (rc == 0) {
        vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
        vmp_out_init(&scratch, -1);
        r->out.limit = max_reply_bytes;
        rc = put(&(jit_reply){&j, &scratch, log}, trace);
        vmp_out_drop(&scratch, &r->out);
        if (rc == 0 && r->out.rc == -VMP_ELIMIT)
            rc = vmp_err_set(&r->err, VMP_ELIMIT, 0, 0,
                "the reply would be larger than %zu bytes; vmprof jit shows the log",
                max_reply_bytes);
    }
    vmp_jitlog_free(&log);
    vmp_http_loading_end(r->server);
    return rc;
}

int
vmp_old_jit_meta(vmp_http_request *r)
{
    return reply(r, false, put_meta);
}

int
vmp_old_jit_trace(vmp_http_request *r)
{
    return reply(r, true, put_trace);
}

int
vmp_old_jit_stitches(vmp_http_request *r)
{
    return reply(r, true, put_stitches);
}
