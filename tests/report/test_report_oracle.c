/* The views of random profiles against the plainest way to compute them: sample
 * by sample, frame by frame. */
#include "synth.h"

enum { FUNCTIONS = 6, LINES = 4, MAX_FRAMES = 16 };

static uint32_t
next_random(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % below;
}

static vmp_profile *
random_profile(uint64_t *state)
{
    vmp_profile_builder *b = synth_builder(0, false);
    const char *const first[] = {"1 1 f0", "2 2 f1 f0", "1 1"};
    synth_add(b, first, 3);
    for (int i = 0; i < 80; i++) {
        vmp_stack_id stack = {0};
        for (uint32_t depth = next_random(state, MAX_FRAMES); depth > 0; depth--) {
            char frame[16];
            int n = snprintf(frame, sizeof(frame), "f%u:%u", next_random(state, FUNCTIONS),
                1 + next_random(state, LINES));
            CHECK_INT(
                vmp_profile_builder_stack(b, stack, synth_frame(b, frame, (size_t)n), &stack), 0);
        }
        synth_samples(
            b, (vmp_thread_id){1 + next_random(state, 2)}, stack, 1 + next_random(state, 9));
    }
    return synth_finish(b);
}

/* f0 .. f5 by their number in the name. */
static uint32_t
number(const vmp_profile *p, vmp_function_id id)
{
    return (uint32_t)(vmp_profile_function_name(p, id).p[1] - '0');
}

typedef struct truth {
    uint64_t all, outside;
    uint64_t self[FUNCTIONS], total[FUNCTIONS];
    uint64_t line_self[FUNCTIONS][LINES + 1], line_total[FUNCTIONS][LINES + 1];
    uint64_t edge[FUNCTIONS]
                 [FUNCTIONS + 1]; /* from the caller of the second index; the last: none */
} truth;

typedef struct rules { /* by function number */
    bool hide[FUNCTIONS], focus[FUNCTIONS], has_focus;
    uint32_t thread; /* 0: all */
} rules;

static void
add_sum(truth *t, const vmp_profile *p, const vmp_profile_sum *sum, const rules *r)
{
    vmp_location_id at[MAX_FRAMES];
    bool seen[FUNCTIONS] = {false}, seen_line[FUNCTIONS][LINES + 1] = {{false}};
    bool seen_edge[FUNCTIONS][FUNCTIONS + 1] = {{false}}, focused = !r->has_focus;
    uint32_t n = vmp_profile_stack_root_first(p, sum->stack, at, MAX_FRAMES);
    uint32_t caller = FUNCTIONS, line = 0;
    for (uint32_t i = 0; i < n; i++)
        focused |= r->focus[number(p, p->locations[at[i].i].function)];
    if (!focused || (r->thread != 0 && r->thread != sum->thread.i))
        return;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t f = number(p, p->locations[at[i].i].function);
        if (r->hide[f])
            continue;
        line = p->locations[at[i].i].line;
        t->total[f] += seen[f] ? 0 : sum->weight;
        t->line_total[f][line] += seen_line[f][line] ? 0 : sum->weight;
        t->edge[f][caller] += seen_edge[f][caller] ? 0 : sum->weight;
        seen[f] = seen_line[f][line] = seen_edge[f][caller] = true;
        caller = f;
    }
    t->all += sum->weight;
    if (caller == FUNCTIONS) {
        t->outside += sum->weight;
    } else {
        t->self[caller] += sum->weight;
        t->line_self[caller][line] += sum->weight;
    }
}

static void
check_flat(const truth *t, const vmp_profile *p, const vmp_report_filter *filter)
{
    vmp_report_flat_options o = {.filter = *filter};
    vmp_report_flat *flat = NULL;
    uint32_t there = 0;
    CHECK_INT(vmp_report_flat_new(&flat, p, &o), 0);
    CHECK_INT(flat->total.weight, t->all);
    CHECK_INT(flat->outside.weight, t->outside);
    for (uint32_t i = 0; i < flat->count; i++) {
        uint32_t f = number(p, flat->rows[i].function);
        CHECK_INT(flat->rows[i].self.weight, t->self[f]);
        CHECK_INT(flat->rows[i].total.weight, t->total[f]);
        CHECK(i == 0 || flat->rows[i].total.weight <= flat->rows[i - 1].total.weight);
    }
    for (uint32_t f = 0; f < FUNCTIONS; f++)
        there += t->total[f] > 0;
    CHECK_INT(flat->count, there);
    vmp_report_flat_free(&flat);
}

static void
check_lines(const truth *t, const vmp_profile *p, const vmp_report_filter *filter)
{
    vmp_report_lines_options o = {.filter = *filter};
    vmp_report_lines *view = NULL;
    CHECK_INT(vmp_report_lines_new(&view, p, &o), 0);
    for (uint32_t i = 0; i < view->count; i++) {
        const vmp_report_lines_row *row = &view->rows[i];
        uint32_t f = number(p, row->function), there = 0;
        CHECK_INT(row->self.weight, t->self[f]);
        CHECK_INT(row->total.weight, t->total[f]);
        for (size_t k = row->first_line; k < row->first_line + row->line_count; k++) {
            const vmp_report_line *line = &view->lines[k];
            CHECK_INT(line->self.weight, t->line_self[f][line->line]);
            CHECK_INT(line->total.weight, t->line_total[f][line->line]);
            CHECK(k == row->first_line || line->line > view->lines[k - 1].line);
        }
        for (uint32_t line = 0; line <= LINES; line++)
            there += t->line_total[f][line] > 0;
        CHECK_INT(row->line_count, there);
    }
    vmp_report_lines_free(&view);
}

static void
check_callers(const truth *t, const vmp_profile *p, const vmp_report_filter *filter, bool callees)
{
    vmp_report_callers_options o = {.filter = *filter, .callees = callees};
    vmp_report_callers *view = NULL;
    CHECK_INT(vmp_report_callers_new(&view, p, &o), 0);
    for (uint32_t i = 0; i < view->count; i++) {
        const vmp_report_callers_row *row = &view->rows[i];
        uint32_t f = number(p, row->function), there = 0;
        CHECK_INT(row->self.weight, t->self[f]);
        CHECK_INT(row->total.weight, t->total[f]);
        for (size_t k = row->first_edge; k < row->first_edge + row->edge_count; k++) {
            const vmp_report_edge *e = &view->edges[k];
            uint32_t other = e->outside ? FUNCTIONS : number(p, e->other);
            CHECK_INT(e->value.weight, callees ? t->edge[other][f] : t->edge[f][other]);
            CHECK(k == row->first_edge || e->value.weight <= view->edges[k - 1].value.weight);
        }
        for (uint32_t other = 0; other < FUNCTIONS; other++)
            there += (callees ? t->edge[other][f] : t->edge[f][other]) > 0;
        CHECK_INT(row->edge_count, there + (!callees && t->edge[f][FUNCTIONS] > 0));
    }
    vmp_report_callers_free(&view);
}

TEST(views_agree_with_counting_frame_by_frame)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t state = seed;
        int before = check_failures;
        vmp_profile *p = random_profile(&state);
        for (int variant = 0; variant < 8; variant++) {
            rules r = {.has_focus = variant & 2, .thread = variant & 4 ? 2 : 0};
            vmp_str hide[] = {synth_str("f3"), synth_str("f5.py")};
            vmp_str focus[] = {synth_str("f1")};
            vmp_thread_id threads[] = {{2}};
            vmp_report_filter filter = {.hide = hide,
                .hide_count = variant & 1 ? 2 : 0,
                .focus = focus,
                .focus_count = variant & 2 ? 1 : 0,
                .threads = threads,
                .thread_count = variant & 4 ? 1 : 0};
            r.hide[3] = r.hide[5] = variant & 1;
            r.focus[1] = true;
            truth t = {0};
            for (size_t i = 0; i < p->sum_count; i++)
                add_sum(&t, p, &p->sums[i], &r);
            check_flat(&t, p, &filter);
            check_lines(&t, p, &filter);
            check_callers(&t, p, &filter, false);
            check_callers(&t, p, &filter, true);
        }
        if (check_failures != before)
            printf("# seed %llu\n", (unsigned long long)seed);
        vmp_profile_free(&p);
    }
}

static void
check_same_tree(const vmp_report_tree *a, const vmp_report_tree *b)
{
    CHECK_INT(a->count, b->count);
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        const vmp_report_node *x = &a->nodes[i], *y = &b->nodes[i];
        CHECK(x->kind == y->kind && x->parent == y->parent && x->end == y->end &&
              x->depth == y->depth && x->function.i == y->function.i &&
              x->location.i == y->location.i && x->elided_frames == y->elided_frames);
        CHECK(memcmp(&x->self, &y->self, sizeof(x->self)) == 0);
        CHECK(memcmp(&x->total, &y->total, sizeof(x->total)) == 0);
        for (int s = 0; a->self_states && s < VMP_PROFILE_STATES; s++) {
            CHECK_INT(a->self_states[i].weight[s], b->self_states[i].weight[s]);
            CHECK_INT(a->total_states[i].weight[s], b->total_states[i].weight[s]);
        }
    }
}

static void
check_pruned(const vmp_profile *p, vmp_report_tree_options o)
{
    vmp_report_tree *counted = NULL, *uncounted = NULL;
    CHECK_INT(vmp_report_tree_new(&counted, p, &o), 0);
    o.pruned_uncounted = true;
    CHECK_INT(vmp_report_tree_new(&uncounted, p, &o), 0);
    check_same_tree(counted, uncounted);
    vmp_report_tree_free(&counted);
    vmp_report_tree_free(&uncounted);
}

TEST(a_pruned_tree_is_the_same_where_what_is_left_out_is_not_counted)
{
    vmp_str hide[] = {synth_str("f3"), synth_str("f5.py")}, fold[] = {synth_str("f0.py")},
            focus[] = {synth_str("f1")};
    vmp_thread_id threads[] = {{2}};
    static const double percents[] = {0.1, 1, 3, 20, 1000};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t state = seed;
        vmp_profile *p = random_profile(&state);
        for (int variant = 0; variant < 64; variant++) {
            vmp_report_tree_options o = {.fold_recursion = variant & 1,
                .key = variant & 2 ? VMP_REPORT_BY_LINE : VMP_REPORT_BY_FUNCTION,
                .filter = {.hide = hide,
                    .hide_count = variant & 4 ? 2 : 0,
                    .fold = fold,
                    .fold_count = variant & 8 ? 1 : 0,
                    .threads = threads,
                    .thread_count = variant & 16 ? 1 : 0,
                    .focus = focus,
                    .focus_count = variant & 32 ? 1 : 0}};
            for (int i = 0; i < 5; i++) {
                o.prune_percent = percents[i];
                check_pruned(p, o);
            }
        }
        vmp_profile_free(&p);
    }
    vmp_profile *p = SYNTH("1 20 main ~10 j!f a", "1 30 main ~30 f j!a", "1 1 main ~90 m!g", "1 5");
    for (int i = 0; i < 5; i++)
        check_pruned(p, (vmp_report_tree_options){.prune_percent = percents[i]});
    vmp_profile_free(&p);
}

/* A node with more children than are kept as a list, at several levels. */
TEST(wide_nodes_find_their_children)
{
    enum { WIDTH = 40, ROUNDS = 3 };
    vmp_profile_builder *b = synth_builder(0, false);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WIDTH; i++) {
            for (int k = 0; k < WIDTH; k += 3) {
                char frames[64];
                snprintf(frames, sizeof(frames), "main:%d g%d:%d h%d:%d", round + 1, i, round + 1,
                    (i + k) % WIDTH, round + 2);
                synth_samples(b, (vmp_thread_id){0}, synth_stack(b, frames), 1);
            }
        }
    }
    vmp_profile *p = synth_finish(b);
    vmp_report_tree *tree = NULL;
    CHECK_INT(vmp_report_tree_new(&tree, p, NULL), 0);
    enum { LEAVES = (WIDTH + 2) / 3 };
    CHECK_INT(tree->count, 2 + WIDTH + WIDTH * LEAVES);
    for (uint32_t i = 0; i < tree->count; i++) {
        const vmp_report_node *n = &tree->nodes[i];
        if (n->depth == 3)
            CHECK_INT(n->self.weight, ROUNDS);
        if (n->depth == 2)
            CHECK_INT(n->total.weight, ROUNDS * LEAVES);
    }
    vmp_report_tree_free(&tree);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(views_agree_with_counting_frame_by_frame),
    RUN(a_pruned_tree_is_the_same_where_what_is_left_out_is_not_counted),
    RUN(wide_nodes_find_their_children))
