/* Which functions of two profiles are the same.
 *
 * Kind and name must be equal (the qualified name, where it is known). Pairs
 * are looked for in four rounds, each among what the rounds before have left,
 * and are made only where one function of either side fits:
 *
 *   1. same file, same first line;
 *   2. same file, another line: something above was edited. Not if a function
 *      that is further down in both has kept its line, since then nothing above
 *      was: these are two functions of one name, such as `run` of two classes;
 *   3. same last part of the path, same line: another folder, virtual
 *      environment or version of Python;
 *   4. same last part of the path, another line. */
#include <stdlib.h>

#include "report_diff.h"

typedef struct candidate {
    vmp_str name, file; /* as much of the path as the round looks at */
    int64_t line;
    uint32_t kind;
    bool is_after;
    vmp_function_id id;
} candidate;

typedef struct matcher {
    const vmp_profile *profiles[2];
    vmp_function_id *after_of; /* by function of `before` */
    bool *taken;               /* by function of `after` */
    int64_t *unmoved;          /* by file of `before`: largest line that round 1 matched */
    candidate *candidates;
} matcher;

static vmp_str
last_part(vmp_str path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return (vmp_str){path.p + at, path.n - at};
}

/* Without sides and ids: 0 for what fits. */
static int
compare_keys(const candidate *a, const candidate *b)
{
    int c = vmp_str_compare(a->name, b->name);
    if (c == 0)
        c = vmp_str_compare(a->file, b->file);
    if (c == 0)
        c = a->line < b->line ? -1 : a->line > b->line;
    if (c == 0)
        c = a->kind < b->kind ? -1 : a->kind > b->kind;
    return c;
}

static int
compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    int c = compare_keys(x, y);
    if (c == 0 && x->is_after != y->is_after)
        return x->is_after ? 1 : -1;
    return c != 0 ? c : x->id.i < y->id.i ? -1 : x->id.i > y->id.i;
}

/* Lists what has no match yet, by the keys of the round. */
static size_t
list_candidates(const matcher *m, bool whole_path, bool lines)
{
    size_t n = 0;
    for (int side = 0; side < 2; side++) {
        const vmp_profile *p = m->profiles[side];
        for (uint32_t i = 1; i < p->function_count; i++) {
            const vmp_profile_function *f = &p->functions[i];
            vmp_str file = vmp_profile_string(p, f->file);
            if (side == 0 ? m->after_of[i].i != 0 : m->taken[i])
                continue;
            m->candidates[n++] = (candidate){
                .name = vmp_profile_function_name(p, (vmp_function_id){i}),
                .file = whole_path ? file : last_part(file),
                .line = lines ? f->first_line : 0,
                .kind = (uint32_t)f->kind,
                .is_after = side == 1,
                .id = {i},
            };
        }
    }
    return n;
}

static bool
has_not_moved(const matcher *m, const vmp_profile_function *before, int64_t after_line)
{
    int64_t unmoved = m->unmoved[before->file.i];
    return unmoved >= before->first_line && unmoved >= after_line;
}

static bool
is_same_file(const matcher *m, vmp_function_id before, vmp_function_id after)
{
    const vmp_profile *b = m->profiles[0], *a = m->profiles[1];
    return vmp_str_equal(vmp_profile_string(b, b->functions[before.i].file),
        vmp_profile_string(a, a->functions[after.i].file));
}

static void
round_run(matcher *m, bool whole_path, bool lines)
{
    size_t n = list_candidates(m, whole_path, lines);
    qsort(m->candidates, n, sizeof(*m->candidates), compare_candidates);
    for (size_t i = 0, end; i < n; i = end) {
        const candidate *c = &m->candidates[i];
        for (end = i + 1; end < n && compare_keys(c, &m->candidates[end]) == 0;)
            end++;
        if (end - i != 2 || c[0].is_after || !c[1].is_after)
            continue;
        const vmp_profile_function *f = &m->profiles[0]->functions[c[0].id.i];
        int64_t line = m->profiles[1]->functions[c[1].id.i].first_line;
        if (whole_path && !lines && has_not_moved(m, f, line))
            continue;
        if (!whole_path && is_same_file(m, c[0].id, c[1].id)) /* refused by round 2 */
            continue;
        m->after_of[c[0].id.i] = c[1].id;
        m->taken[c[1].id.i] = true;
        if (whole_path && lines && line > m->unmoved[f->file.i])
            m->unmoved[f->file.i] = line;
    }
}

int
vmp_report_match_functions(
    vmp_function_id **ret_after_of, const vmp_profile *before, const vmp_profile *after)
{
    matcher m = {{before, after}, NULL, NULL, NULL, NULL};
    size_t most = (size_t)before->function_count + after->function_count;
    m.after_of = calloc(before->function_count, sizeof(*m.after_of));
    m.taken = calloc(after->function_count, sizeof(*m.taken));
    m.unmoved = calloc(before->string_count, sizeof(*m.unmoved));
    m.candidates = calloc(most, sizeof(*m.candidates));
    int rc = m.after_of && m.taken && m.unmoved && m.candidates ? 0 : -VMP_ENOMEM;
    if (rc == 0) {
        round_run(&m, true, true);
        round_run(&m, true, false);
        round_run(&m, false, true);
        round_run(&m, false, false);
        *ret_after_of = m.after_of;
        m.after_of = NULL;
    }
    free(m.after_of);
    free(m.taken);
    free(m.unmoved);
    free(m.candidates);
    return rc;
}
