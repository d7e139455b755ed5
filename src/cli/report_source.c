#include "report_source.h"

#include <stdlib.h>

#include "json_out.h"
#include "report.h"
#include "term_source.h"

enum {
    CONTEXT = 3,    /* lines on either side of one with samples */
    MAX_LINE = 400, /* bytes that are taken of a line */
};

/* Of the files that are read, by the log and on the disk: a log from elsewhere may
 * name any, and a name may be a link. */
static const char SUFFIX[] = ".py";

typedef struct entry {
    uint32_t file, row;
} entry;

static int
compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static bool
is_source(const vmp_profile *p, const vmp_profile_function *f)
{
    enum { N = sizeof(SUFFIX) - 1 };
    vmp_str file = vmp_profile_string(p, f->file);
    return f->kind == VMP_PROFILE_PYTHON && file.n > N &&
           memcmp(file.p + file.n - N, SUFFIX, N) == 0;
}

/* A line, cut between two characters if it is too long. */
static vmp_str
cut_line(vmp_str text)
{
    enum { MOST_CONTINUED = 3 }; /* bytes of a character behind its first, in UTF-8 */
    size_t n = text.n < MAX_LINE ? text.n : MAX_LINE;
    for (int i = 0; i < MOST_CONTINUED && n < text.n && (text.p[n] & 0xC0) == 0x80; i++)
        n--;
    return (vmp_str){text.p, n};
}

/* Puts the lines from `from` to `to` that are there; returns the one after them. */
static uint64_t
put_lines(vmp_json *j, const vmp_source *s, uint64_t from, uint64_t to)
{
    for (; from <= to && from <= s->count; from++) {
        vmp_json_begin(j, '[');
        vmp_json_uint(j, from);
        vmp_json_str(j, cut_line(vmp_source_line(s, (uint32_t)from)));
        vmp_json_end(j, ']');
    }
    return from;
}

static void
put_function(vmp_json *j, const vmp_profile *p, const vmp_source *s, const vmp_report_lines *lines,
    const vmp_report_lines_row *row)
{
    const vmp_profile_function *f = &p->functions[row->function.i];
    uint64_t first = f->first_line > 0 ? (uint64_t)f->first_line : 1;
    vmp_json_begin(j, '{');
    vmp_json_put_str(j, "name", vmp_profile_function_name(p, row->function));
    vmp_json_put_str(j, "file", vmp_profile_string(p, f->file));
    vmp_json_key(j, "line");
    vmp_json_int(j, f->first_line);
    vmp_json_put_bool(j, "changed", s->state == VMP_SOURCE_CHANGED);
    vmp_json_key(j, "lines");
    vmp_json_begin(j, '[');
    uint64_t next = put_lines(j, s, first, first);
    for (size_t i = 0; i < row->line_count; i++) {
        uint64_t line = lines->lines[row->first_line + i].line;
        if (line < first)
            continue;
        next = put_lines(j, s, line > next + CONTEXT ? line - CONTEXT : next, line + CONTEXT);
    }
    vmp_json_end(j, ']');
    vmp_json_end(j, '}');
}

static bool
is_full(const vmp_json *j)
{
    return j->out->n >= VMP_REPORT_SOURCE_MAX_BYTES;
}

/* The functions of one file, n of them, less those for which there is no room;
 * gives how many these are. */
static int
put_file(vmp_json *j, const vmp_profile *p, const vmp_report_lines *lines, int64_t made_unix_ns,
    const entry *entries, uint32_t n, uint32_t *ret_left_out)
{
    vmp_source source;
    uint32_t i = 0;
    vmp_str cwd =
        p->process_count > 1 ? vmp_profile_meta_get(p, (vmp_process_id){1}, "cwd") : (vmp_str){0};
    int rc = vmp_source_init(&source, p->strings[entries[0].file], cwd, SUFFIX, made_unix_ns);
    if (rc < 0)
        return rc;
    for (; i < n && source.state != VMP_SOURCE_MISSING && !is_full(j); i++)
        put_function(j, p, &source, lines, &lines->rows[entries[i].row]);
    *ret_left_out = source.state == VMP_SOURCE_MISSING ? 0 : n - i;
    vmp_source_fini(&source);
    return 0;
}

/* The files of all entries, as long as there is room: then none is opened. */
static int
put_files(vmp_json *j, const vmp_profile *p, const vmp_report_lines *lines, int64_t made_unix_ns,
    const entry *entries, uint32_t n, uint32_t *ret_left_out)
{
    int rc = 0;
    *ret_left_out = 0;
    for (uint32_t i = 0, end = 0; rc == 0 && i < n; i = end) {
        uint32_t left_out = 0;
        if (is_full(j)) {
            *ret_left_out += n - i;
            break;
        }
        while (end < n && entries[end].file == entries[i].file)
            end++;
        rc = put_file(j, p, lines, made_unix_ns, entries + i, end - i, &left_out);
        *ret_left_out += left_out;
    }
    return rc;
}

int
vmp_report_source_json(vmp_out *o, const vmp_profile *p, uint32_t *ret_left_out)
{
    vmp_report_lines *lines = NULL;
    vmp_report_info *info = NULL;
    vmp_report_lines_options how = {.filter = vmp_report_filter_default()};
    entry *entries = NULL;
    uint32_t n = 0;
    vmp_json j = vmp_json_to(o);
    int rc = vmp_report_lines_new(&lines, p, &how);
    if (rc == 0)
        rc = vmp_report_info_new(&info, p);
    if (rc == 0 && !(entries = calloc(lines->count + (size_t)1, sizeof(*entries))))
        rc = -VMP_ENOMEM;
    for (uint32_t i = 0; rc == 0 && i < lines->count; i++) {
        const vmp_profile_function *f = &p->functions[lines->rows[i].function.i];
        if (is_source(p, f))
            entries[n++] = (entry){f->file.i, i};
    }
    if (rc == 0)
        qsort(entries, n, sizeof(*entries), compare_entries);
    vmp_json_begin(&j, '[');
    if (rc == 0)
        rc = put_files(&j, p, lines, info->end_unix_ns, entries, n, ret_left_out);
    vmp_json_end(&j, ']');
    free(entries);
    vmp_report_info_free(&info);
    vmp_report_lines_free(&lines);
    return rc;
}
