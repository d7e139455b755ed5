#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns_internal.h"
#include "compat_tree.h"
#include "report.h"

static vmp_columns *
columns_begin(vmp_column_error *error)
{
    vmp_columns *c = calloc(1, sizeof(*c));
    if (!c)
        vmp_columns_fail(error, -VMP_ENOMEM, NULL);
    return c;
}

/* A column of one row. */
static void
one_u32(vmp_columns *c, uint32_t value)
{
    vmp_columns_copy(c, &value, 1, sizeof(value));
}

static void
one_u64(vmp_columns *c, uint64_t value)
{
    vmp_columns_copy(c, &value, 1, sizeof(value));
}

static void
one_i64(vmp_columns *c, int64_t value)
{
    vmp_columns_copy(c, &value, 1, sizeof(value));
}

static void
one_double(vmp_columns *c, double value)
{
    vmp_columns_copy(c, &value, 1, sizeof(value));
}

int
vmp_columns_info(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error)
{
    vmp_report_info *facts = NULL;
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    int rc = vmp_report_info_new(&facts, p);
    if (rc == 0) {
        one_u64(c, facts->samples);
        one_u64(c, p->total_weight);
        one_u64(c, p->tick_weight);
        one_u64(c, facts->lost);
        one_u64(c, p->process_count > 1 ? p->processes[1].interval_ns : 0);
        one_u32(c, facts->mode);
        one_i64(c, facts->start_unix_ns);
        one_i64(c, facts->end_unix_ns);
        one_double(c, facts->cpu_seconds);
        one_double(c, facts->wall_seconds);
        one_u32(c, p->cut);
    }
    vmp_report_info_free(&facts);
    return vmp_columns_finish(ret_c, &c, rc, error);
}

/* Texts on their way into two columns. */
typedef struct texts {
    uint64_t *ends; /* of as many texts as there will be */
    uint32_t count;
    vmp_buf bytes;
} texts;

static void
text_end(texts *t)
{
    t->ends[t->count++] = t->bytes.n;
}

static void
text_put(texts *t, vmp_str s)
{
    vmp_buf_put(&t->bytes, s.p, s.n);
}

int
vmp_columns_meta(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error)
{
    texts t = {0};
    size_t rows = 0;
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < p->meta_count; i++)
        rows += p->metas[i].process.i <= 1;
    t.ends = vmp_columns_new(c, 2 * rows, sizeof(*t.ends));
    for (size_t i = 0; t.ends && i < p->meta_count; i++) {
        if (p->metas[i].process.i > 1)
            continue;
        text_put(&t, vmp_profile_string(p, p->metas[i].key));
        text_end(&t);
        text_put(&t, vmp_profile_string(p, p->metas[i].value));
        text_end(&t);
    }
    vmp_columns_take(c, &t.bytes);
    return vmp_columns_finish(ret_c, &c, 0, error);
}

static void
function_put(texts *t, const vmp_profile *p, const vmp_profile_function *f)
{
    static const char *const languages[] = {
        [VMP_PROFILE_UNKNOWN] = "",
        [VMP_PROFILE_PYTHON] = "py:",
        [VMP_PROFILE_NATIVE] = "n:",
        [VMP_PROFILE_ELIDED] = "",
        [VMP_PROFILE_JIT] = "py:",
    };
    char line[16];
    if (f->kind == VMP_PROFILE_UNKNOWN) { /* of an old log: a text of another form */
        text_put(t, vmp_profile_string(p, f->name));
    } else if (*languages[f->kind]) {
        snprintf(line, sizeof(line), ":%" PRId32 ":", f->first_line);
        text_put(t, vmp_str_from(languages[f->kind]));
        text_put(t, vmp_profile_string(p, f->name));
        text_put(t, vmp_str_from(line));
        text_put(t, vmp_profile_string(p, f->file));
    }
    text_end(t);
}

int
vmp_columns_functions(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error)
{
    texts t = {0};
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    t.ends = vmp_columns_new(c, p->function_count, sizeof(*t.ends));
    for (uint32_t i = 0; t.ends && i < p->function_count; i++)
        function_put(&t, p, &p->functions[i]);
    vmp_columns_take(c, &t.bytes);
    return vmp_columns_finish(ret_c, &c, 0, error);
}

int
vmp_columns_totals(
    vmp_columns **ret_c, const vmp_profile *p, uint32_t below, vmp_column_error *error)
{
    vmp_report_flat *flat = NULL;
    vmp_report_flat_options options = {
        .sort = VMP_REPORT_SORT_TOTAL, .below = {below < p->function_count ? below : 0}};
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    int rc = vmp_report_flat_new(&flat, p, &options);
    if (rc == 0) {
        uint32_t *functions = vmp_columns_new(c, flat->count, sizeof(*functions));
        uint64_t *weights = vmp_columns_new(c, flat->count, sizeof(*weights));
        for (uint32_t i = 0; functions && weights && i < flat->count; i++) {
            functions[i] = flat->rows[i].function.i;
            weights[i] = flat->rows[i].total.weight;
        }
        one_u64(c, flat->total.weight);
    }
    vmp_report_flat_free(&flat);
    return vmp_columns_finish(ret_c, &c, rc, error);
}

int
vmp_columns_tree(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error)
{
    vmp_compat_tree *tree = NULL;
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    int rc = vmp_compat_tree_new(&tree, p);
    if (rc == 0) {
        size_t n = tree->count, lines = tree->line_count;
        vmp_columns_copy(c, tree->parent, n, sizeof(*tree->parent));
        vmp_columns_copy(c, tree->function, n, sizeof(*tree->function));
        vmp_columns_copy(c, tree->weight, n, sizeof(*tree->weight));
        vmp_columns_copy(c, tree->self_weight, n, sizeof(*tree->self_weight));
        vmp_columns_copy(c, tree->native_weight, n, sizeof(*tree->native_weight));
        vmp_columns_copy(c, tree->jit_weight, n, sizeof(*tree->jit_weight));
        uint32_t *nodes = vmp_columns_new(c, lines, sizeof(*nodes));
        uint32_t *numbers = vmp_columns_new(c, lines, sizeof(*numbers));
        uint64_t *weights = vmp_columns_new(c, lines, sizeof(*weights));
        for (size_t i = 0; nodes && numbers && weights && i < lines; i++) {
            nodes[i] = tree->lines[i].node;
            numbers[i] = tree->lines[i].line;
            weights[i] = tree->lines[i].weight;
        }
        one_u32(c, tree->top);
        n = p->has_states ? n : 0;
        vmp_columns_copy(c, tree->gc_minor_weight, n, sizeof(*tree->gc_minor_weight));
        vmp_columns_copy(c, tree->gc_major_weight, n, sizeof(*tree->gc_major_weight));
        vmp_columns_copy(c, tree->warm_up_weight, n, sizeof(*tree->warm_up_weight));
    }
    vmp_compat_tree_free(&tree);
    return vmp_columns_finish(ret_c, &c, rc, error);
}

int
vmp_columns_stacks(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error)
{
    size_t n = p->stack_count;
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    vmp_columns_borrow(c, p->stack_parent, n, sizeof(*p->stack_parent));
    uint32_t *functions = vmp_columns_new(c, n, sizeof(*functions));
    uint32_t *lines = vmp_columns_new(c, n, sizeof(*lines));
    uint8_t *jitted = vmp_columns_new(c, n, sizeof(*jitted));
    for (uint32_t i = 0; functions && lines && jitted && i < n; i++) {
        const vmp_profile_location *at = &p->locations[p->stack_location[i].i];
        functions[i] = at->kind == VMP_PROFILE_ELIDED ? 0 : at->function.i;
        lines[i] = at->line;
        jitted[i] = vmp_profile_location_is_jit(at);
    }
    return vmp_columns_finish(ret_c, &c, 0, error);
}

int
vmp_columns_samples(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error)
{
    if (!p->has_samples) {
        vmp_err err;
        int rc = vmp_err_set(&err, VMP_EINVAL, 0, 0, "the samples were not kept");
        return vmp_columns_fail(error, rc, &err);
    }
    size_t n = p->samples.count;
    vmp_columns *c = columns_begin(error);
    if (!c)
        return -VMP_ENOMEM;
    vmp_columns_borrow(c, p->samples.stack, n, sizeof(*p->samples.stack));
    vmp_columns_borrow(c, p->samples.weight, n, sizeof(*p->samples.weight));
    uint64_t *idents = vmp_columns_new(c, n, sizeof(*idents));
    for (size_t i = 0; idents && i < n; i++) {
        const vmp_profile_thread *thread = &p->threads[p->samples.thread[i].i];
        idents[i] = thread->ident ? thread->ident : thread->os_tid;
    }
    vmp_columns_borrow(c, p->samples.rss_kb, n, sizeof(*p->samples.rss_kb));
    return vmp_columns_finish(ret_c, &c, 0, error);
}
