/* The list of traces, and the guards that fail most. */
#include <inttypes.h>

#include "jit.h"
#include "term_table.h"

enum { LEAST_NAME = 12, LEAST_PLACE = 12 };

/* Cells for the function and the place of a point. */
static void
add_place(const vmp_jit *s, vmp_table *table, vmp_out *scratch, uint32_t point)
{
    const vmp_jitlog_point *at = &s->log->points[point];
    vmp_out_clear(scratch);
    vmp_out_str(scratch, vmp_jitlog_string(s->log, at->file));
    if (at->line)
        vmp_out_printf(scratch, ":%" PRIu32, at->line);
    vmp_table_text(table, VMP_STYLE_NAME, vmp_jitlog_string(s->log, at->function));
    vmp_table_text(table, VMP_STYLE_PLACE, vmp_out_view(scratch));
}

static void
add_trace(const vmp_jit *s, vmp_table *table, vmp_out *scratch, const vmp_jitlog_trace *t)
{
    vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, t->id);
    vmp_table_format(table, VMP_STYLE_PLAIN, "%s%s", vmp_jitlog_type_name(t->type),
        t->aborted        ? " (aborted)"
        : t->entry_bridge ? " (entry)"
                          : "");
    if (t->has_entered)
        vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, t->entered);
    else
        vmp_table_text(table, VMP_STYLE_PLAIN, vmp_str_from("-"));
    for (int i = 0; i < VMP_JITLOG_STAGE_COUNT; i++)
        vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu32, t->stages[i].ops);
    vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, t->end > t->start ? t->end - t->start : 0);
    if (t->point || t->driver.n == 0) {
        add_place(s, table, scratch, t->point);
        return;
    }
    /* Not a loop of the Python program: one of regular expressions, of unpacking, ... */
    vmp_out_clear(scratch);
    vmp_out_text(scratch, "jitdriver ");
    vmp_out_str(scratch, vmp_jitlog_text(s->log, t->driver));
    vmp_table_text(table, VMP_STYLE_FAINT, vmp_out_view(scratch));
    vmp_table_text(table, VMP_STYLE_PLACE, vmp_str_from(""));
}

static int
put_traces(const vmp_jit *s, vmp_out *scratch)
{
    static const vmp_table_column columns[] = {
        {"trace", .right = true},
        {"type", .right = false},
        {"entered", .right = true},
        {"noopt", .right = true},
        {"opt", .right = true},
        {"asm", .right = true},
        {"bytes", .right = true},
        {"function", .flex = LEAST_NAME},
        {"location", .flex = LEAST_PLACE, .cut = VMP_CUT_START},
    };
    size_t n = vmp_jit_limit(s, s->trace_count);
    vmp_table *table = vmp_table_new(s->term, columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < n; i++)
        add_trace(s, table, scratch, &s->log->traces[s->traces[i]]);
    int rc = vmp_table_print(table, s->out, 0, true);
    vmp_table_free(&table);
    if (n < s->trace_count)
        vmp_out_printf(s->out, "and %zu more (--limit 0 shows all)\n", s->trace_count - n);
    return rc;
}

static int
put_guards(const vmp_jit *s, vmp_out *scratch)
{
    static const vmp_table_column columns[] = {
        {"failed", .right = true},
        {"in trace", .right = true},
        {"goes to", .right = true},
        {"guard", .flex = LEAST_NAME},
        {"function", .flex = LEAST_NAME},
        {"location", .flex = LEAST_PLACE, .cut = VMP_CUT_START},
    };
    size_t n = vmp_jit_limit(s, s->guard_count);
    vmp_table *table = vmp_table_new(s->term, columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const vmp_jitlog_entry *e = &s->log->entries[s->guards[i]];
        vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, e->count);
        vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, s->log->traces[e->trace].id);
        if (e->bridge)
            vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, s->log->traces[e->bridge].id);
        else
            vmp_table_text(table, VMP_STYLE_PLAIN, vmp_str_from("-"));
        vmp_table_text(table, VMP_STYLE_PLAIN, vmp_jitlog_string(s->log, e->name));
        add_place(s, table, scratch, e->point);
    }
    vmp_out_text(s->out, "\nGuards by how often they failed into their bridge:\n");
    int rc = vmp_table_print(table, s->out, 0, true);
    vmp_table_free(&table);
    if (n < s->guard_count)
        vmp_out_printf(s->out, "and %zu more (--limit 0 shows all)\n", s->guard_count - n);
    return rc;
}

static void
put_heading(const vmp_jit *s)
{
    const vmp_jitlog *j = s->log;
    vmp_term_style(s->out, s->term, VMP_STYLE_HEAD);
    vmp_out_printf(s->out, "Jitlog of version %" PRIu32 ", ", j->version);
    vmp_term_clean(s->out, s->term, vmp_jitlog_text(j, j->machine));
    vmp_out_printf(s->out, ", %s-bit: ", j->is_32bit ? "32" : "64");
    if (s->trace_count + 1 < j->trace_count)
        vmp_out_printf(s->out, "%zu of ", s->trace_count);
    vmp_out_printf(
        s->out, "%" PRIu32 " trace%s", j->trace_count - 1, j->trace_count == 2 ? "" : "s");
    vmp_term_plain(s->out, s->term);
    vmp_out_text(s->out, "\n");
    if (j->unknown_counters)
        vmp_out_printf(s->out, "%" PRIu64 " counters are of traces that are not in the log\n",
            j->unknown_counters);
}

int
vmp_jit_list(const vmp_jit *s)
{
    vmp_out scratch;
    int rc = 0;
    vmp_out_init(&scratch, -1);
    put_heading(s);
    if (s->trace_count)
        rc = put_traces(s, &scratch);
    if (rc == 0 && s->guard_count)
        rc = put_guards(s, &scratch);
    vmp_out_drop(&scratch, s->out);
    return rc;
}
