/* The lines of the program that a trace of a jitlog passes through, as the pages of vmprof before
 * 1.0 asked for them: {file: {line: [columns before the text, text]}}. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_internal.h"

static int
by_place(const void *a, const void *b)
{
    const vmp_jitlog_line *la = *(const vmp_jitlog_line *const *)a;
    const vmp_jitlog_line *lb = *(const vmp_jitlog_line *const *)b;
    if (la->file != lb->file)
        return la->file < lb->file ? -1 : 1;
    return (la->line > lb->line) - (la->line < lb->line);
}

/* Those of all points, in the order of places; some more than once. */
static size_t
find_lines(const vmp_jitlog *log, const vmp_jitlog_trace *t, const vmp_jitlog_line **ret_lines)
{
    size_t n = 0;
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++) {
        for (uint32_t i = t->stages[stage].first; i; i = log->entries[i].next) {
            const vmp_jitlog_point *at = &log->points[log->entries[i].point];
            if (log->entries[i].kind != VMP_JITLOG_POINT)
                continue;
            ret_lines[n] = vmp_jitlog_line_at(log, at->file, at->line);
            n += ret_lines[n] != NULL;
        }
    }
    if (n)
        qsort(ret_lines, n, sizeof(*ret_lines), by_place);
    return n;
}

int
vmp_old_put_lines(vmp_json *j, const vmp_jitlog *log, const vmp_jitlog_trace *t)
{
    size_t room = 1;
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++)
        room += t->stages[stage].points;
    const vmp_jitlog_line **lines = calloc(room, sizeof(*lines));
    if (!lines)
        return -VMP_ENOMEM;
    size_t n = find_lines(log, t, lines);
    uint32_t file = 0;
    vmp_json_begin(j, '{');
    for (size_t i = 0; i < n; i++) {
        char number[16];
        if (i > 0 && lines[i] == lines[i - 1])
            continue;
        if (lines[i]->file != file) {
            if (file)
                vmp_json_end(j, '}');
            file = lines[i]->file;
            vmp_json_key_str(j, vmp_jitlog_string(log, file));
            vmp_json_begin(j, '{');
        }
        snprintf(number, sizeof(number), "%" PRIu32, lines[i]->line);
        vmp_json_key(j, number);
        vmp_json_begin(j, '[');
        vmp_json_uint(j, lines[i]->indent);
        vmp_json_str(j, vmp_jitlog_text(log, lines[i]->text));
        vmp_json_end(j, ']');
    }
    if (file)
        vmp_json_end(j, '}');
    vmp_json_end(j, '}');
    free(lines);
    return 0;
}
