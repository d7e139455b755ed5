/* Traces with their stages: operations below the lines of the program that they
 * come from. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "jit.h"
#include "term_line.h"
#include "term_source.h"

enum {
    MAX_SOURCES = 32, /* files that are read; lines of more are shown by number */
    OP_INDENT = 8,
};

typedef struct source_file {
    uint32_t file; /* string of the log */
    vmp_source source;
} source_file;

typedef struct stages {
    const vmp_jit *s;
    vmp_line line;
    source_file files[MAX_SOURCES];
    size_t file_count;
} stages;

static void
put(stages *v, enum vmp_style style, vmp_str text)
{
    vmp_line_put(&v->line, style, text, VMP_CUT_END);
}

static void
put_plain(stages *v, const char *text)
{
    put(v, VMP_STYLE_PLAIN, vmp_str_from(text));
}

static void put_format(stages *v, const char *fmt, ...) VMP_PRINTF(2, 3);

static void
put_format(stages *v, const char *fmt, ...)
{
    char text[128]; /* numbers and a few words of ours */
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    put_plain(v, text);
}

/* "file:line in function" */
static void
put_place(stages *v, const vmp_jitlog_point *at)
{
    put(v, VMP_STYLE_PLACE, vmp_jitlog_string(v->s->log, at->file));
    if (at->line)
        put_format(v, ":%" PRIu32, at->line);
    put_plain(v, " in ");
    put(v, VMP_STYLE_NAME, vmp_jitlog_string(v->s->log, at->function));
}

/* The file, read now or before; *ret is NULL if there are too many. */
static int
find_source(stages *v, uint32_t file, const vmp_source **ret)
{
    *ret = NULL;
    for (size_t i = 0; i < v->file_count; i++)
        if (v->files[i].file == file)
            *ret = &v->files[i].source;
    if (*ret || v->file_count == MAX_SOURCES)
        return 0;
    source_file *f = &v->files[v->file_count];
    int rc = vmp_source_init(
        &f->source, vmp_jitlog_string(v->s->log, file), (vmp_str){0}, NULL, v->s->made_ns);
    if (rc < 0)
        return rc;
    f->file = file;
    v->file_count++;
    *ret = &f->source;
    if (f->source.state == VMP_SOURCE_CHANGED) {
        put(v, VMP_STYLE_NOTE,
            vmp_str_from("(the file below has changed since; lines may not fit)"));
        vmp_line_end(&v->line);
    }
    return 0;
}

/* What the program has there: as the log has it, else as the file is now. */
static int
find_text(stages *v, const vmp_jitlog_point *at, vmp_str *ret_text)
{
    const vmp_jitlog_line *told = vmp_jitlog_line_at(v->s->log, at->file, at->line);
    const vmp_source *source = NULL;
    int rc = told ? 0 : find_source(v, at->file, &source);
    *ret_text = told     ? vmp_jitlog_text(v->s->log, told->text)
                : source ? vmp_source_line(source, at->line)
                         : (vmp_str){0};
    return rc;
}

/* Tabs would be shown as \t. */
static void
put_source_text(stages *v, vmp_str text)
{
    vmp_out *o = &v->line.text;
    vmp_out_clear(o);
    for (size_t i = 0; i < text.n; i++)
        vmp_out_bytes(o, text.p[i] == '\t' ? " " : text.p + i, 1);
    put(v, VMP_STYLE_HEAD, vmp_out_view(o));
}

static int
put_point(stages *v, const vmp_jitlog_point *at, const vmp_jitlog_point *before)
{
    vmp_str opcode = vmp_jitlog_string(v->s->log, at->opcode);
    bool moved = at->file != before->file || at->function != before->function;
    if (moved || at->line != before->line) {
        vmp_str text;
        int rc = find_text(v, at, &text);
        if (rc < 0)
            return rc;
        put_plain(v, "  ");
        put_place(v, at);
        if (text.n) {
            put_plain(v, "  ");
            put_source_text(v, text);
        }
        vmp_line_end(&v->line);
    }
    put_plain(v, "    ");
    put_format(v, "%" PRIu64 " ", at->index);
    put(v, VMP_STYLE_FAINT, opcode);
    vmp_line_end(&v->line);
    return 0;
}

/* "result = name(arg0,arg1)", of the log's "result,arg0,arg1". */
static void
put_op(stages *v, const vmp_jitlog_entry *e)
{
    const vmp_jitlog *j = v->s->log;
    vmp_str args = vmp_jitlog_text(j, e->args), result = args;
    vmp_str fails = vmp_jitlog_text(j, e->fails);
    const char *comma = memchr(args.p, ',', args.n);
    if (comma) {
        result.n = (size_t)(comma - args.p);
        args = (vmp_str){comma + 1, args.n - result.n - 1};
    } else {
        args.n = 0;
    }
    vmp_line_put(&v->line, VMP_STYLE_PLAIN, (vmp_str){"        ", OP_INDENT}, VMP_CUT_END);
    if (result.n && !vmp_str_equal(result, vmp_str_from("?"))) {
        put(v, VMP_STYLE_PLAIN, result);
        put_plain(v, " = ");
    }
    put(v, e->guard ? VMP_STYLE_WARM : VMP_STYLE_NAME, vmp_jitlog_string(j, e->name));
    put_plain(v, "(");
    put(v, VMP_STYLE_PLAIN, args);
    put_plain(v, ")");
    if (fails.n) {
        put_plain(v, " [");
        put(v, VMP_STYLE_FAINT, fails);
        put_plain(v, "]");
    }
    if (e->bridge)
        put_format(v, "  goes to trace %" PRIu64, j->traces[e->bridge].id);
    if (e->count)
        put_format(v, "  %s %" PRIu64 " times", e->guard ? "failed" : "passed", e->count);
    vmp_line_end(&v->line);
}

static int
put_stage(stages *v, const vmp_jitlog_trace *t, int stage)
{
    const vmp_jitlog *j = v->s->log;
    const vmp_jitlog_part *part = &t->stages[stage];
    const vmp_jitlog_point *before = &j->points[0];
    vmp_line_end(&v->line);
    put(v, VMP_STYLE_HEAD, vmp_str_from(vmp_jitlog_stage_name((enum vmp_jitlog_stage)stage)));
    put_format(v, ": %" PRIu32 " operation%s", part->ops, part->ops == 1 ? "" : "s");
    vmp_line_end(&v->line);
    for (uint32_t i = part->first; i && v->s->out->rc == 0; i = j->entries[i].next) {
        const vmp_jitlog_entry *e = &j->entries[i];
        int rc = 0;
        switch ((enum vmp_jitlog_entry_kind)e->kind) {
        case VMP_JITLOG_OP:
        case VMP_JITLOG_POINT:
            if (e->point && &j->points[e->point] != before)
                rc = put_point(v, &j->points[e->point], before);
            before = e->point ? &j->points[e->point] : before;
            if (e->kind == VMP_JITLOG_OP)
                put_op(v, e);
            break;
        case VMP_JITLOG_INPUTS:
            put_plain(v, "  inputs ");
            put(v, VMP_STYLE_PLAIN, vmp_jitlog_text(j, e->args));
            vmp_line_end(&v->line);
            break;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void
put_heading(stages *v, const vmp_jitlog_trace *t)
{
    const vmp_jitlog *j = v->s->log;
    vmp_str driver = vmp_jitlog_text(j, t->driver);
    put_format(v, "Trace %" PRIu64 ": %s%s", t->id, vmp_jitlog_type_name(t->type),
        t->aborted ? ", aborted" : "");
    if (t->point) {
        put_plain(v, ", begins at ");
        put_place(v, &j->points[t->point]);
    }
    vmp_line_end(&v->line);
    if (t->guard) {
        const vmp_jitlog_entry *guard = &j->entries[t->guard];
        put_plain(v, "  from ");
        put(v, VMP_STYLE_WARM, vmp_jitlog_string(j, guard->name));
        put_format(v, " of trace %" PRIu64, j->traces[guard->trace].id);
        if (guard->point) {
            put_plain(v, ", ");
            put_place(v, &j->points[guard->point]);
        }
        vmp_line_end(&v->line);
    }
    if (t->has_entered) {
        put_format(v, "  entered %" PRIu64 " times", t->entered);
        vmp_line_end(&v->line);
    }
    if (t->end > t->start) {
        put_format(v, "  machine code from 0x%" PRIx64 " to 0x%" PRIx64 ", %" PRIu64 " bytes",
            t->start, t->end, t->end - t->start);
        vmp_line_end(&v->line);
    }
    if (driver.n) {
        put_plain(v, "  jitdriver ");
        put(v, VMP_STYLE_PLAIN, driver);
        vmp_line_end(&v->line);
    }
}

int
vmp_jit_stages(const vmp_jit *s)
{
    stages *v = calloc(1, sizeof(*v));
    int rc = 0;
    if (!v)
        return -VMP_ENOMEM;
    v->s = s;
    vmp_line_init(&v->line, s->out, s->term);
    for (size_t i = 0; i < s->trace_count && rc == 0; i++) {
        const vmp_jitlog_trace *t = &s->log->traces[s->traces[i]];
        if (i > 0)
            vmp_line_end(&v->line);
        put_heading(v, t);
        for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT && rc == 0; stage++)
            if (s->stage == stage || (s->stage == VMP_JIT_ALL_STAGES && t->stages[stage].first))
                rc = put_stage(v, t, stage);
    }
    vmp_line_fini(&v->line);
    for (size_t i = 0; i < v->file_count; i++)
        vmp_source_fini(&v->files[i].source);
    free(v);
    return rc;
}
