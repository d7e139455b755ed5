#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "check.h"
#include "load.h"
#include "log_writer.h"
#include "report.h"
#include "wasm.h"

static vmp_wasm *
open_log(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", VMP_TEST_DATA, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    uint8_t *p = malloc((size_t)size);
    CHECK_INT(pread(fd, p, (size_t)size, 0), size);
    close(fd);
    vmp_wasm *w = vmp_wasm_open(p, (size_t)size);
    free(p);
    return w;
}

static const uint32_t *
words(const vmp_wasm_table *t, int column)
{
    return t->columns[column];
}

static const double *
doubles(const vmp_wasm_table *t, int column)
{
    return t->columns[column];
}

/* Children of a node stand side by side within it, so that what is drawn of the
 * columns is the tree. */
TEST(a_tree_s_columns_are_the_report_s)
{
    vmp_wasm *w = open_log("log_v1.1_zstd.vmprof");
    CHECK_STR(vmp_wasm_error(w), "");
    for (uint32_t flags = 0; flags < VMP_WASM_ABOVE; flags++) {
        vmp_wasm_table *t = vmp_wasm_tree(w, flags, 0);
        CHECK_INT(t->rc, 0);
        CHECK(t->count > 3);
        CHECK_INT(words(t, 3)[0], UINT32_MAX);
        for (uint32_t i = 0; i < t->count; i++) {
            double children = 0;
            uint32_t end = words(t, 1)[i];
            for (uint32_t c = i + 1; c < end; c = words(t, 1)[c]) {
                CHECK(doubles(t, 6)[c] == doubles(t, 6)[i] + children);
                CHECK_INT(words(t, 0)[c], i);
                CHECK_INT(words(t, 2)[c], words(t, 2)[i] + 1);
                children += doubles(t, 5)[c];
            }
            if (!(flags & VMP_WASM_INVERTED))
                CHECK(doubles(t, 4)[i] + children == doubles(t, 5)[i]);
        }
        double details[VMP_WASM_DETAILS] = {0};
        vmp_wasm_details(t, 0, w, details);
        CHECK(details[7] == doubles(t, 5)[0]);
        CHECK(details[9] == 1);
        CHECK(details[4] <= details[3] && details[3] <= details[5]);
        vmp_wasm_table_free(t);
    }
    vmp_wasm_close(w);
}

TEST(marks_threads_and_ranges_choose_what_is_counted)
{
    vmp_wasm *w = open_log("log_v1.1_zstd.vmprof");
    vmp_wasm_table *flat = vmp_wasm_flat(w), *all = vmp_wasm_tree(w, 0, 0);
    uint32_t hottest = words(flat, 0)[0];
    double total = doubles(flat, 5)[0], everything = doubles(all, 5)[0];
    for (uint32_t i = 0; i < flat->count; i++) {
        for (int k = 0; k < 2; k++) { /* self, total */
            double share = doubles(flat, 4 + k)[i] / everything;
            CHECK(doubles(flat, 8 + 2 * k)[i] <= share && share <= doubles(flat, 9 + 2 * k)[i]);
        }
        CHECK(doubles(flat, 10)[i] < doubles(flat, 11)[i]);
    }
    CHECK(total < everything);
    vmp_wasm_marks(w)[hottest] = VMP_REPORT_MARK_FOCUS;
    CHECK(vmp_wasm_share(all, w, vmp_wasm_marks(w)) == total);
    vmp_wasm_table *t = vmp_wasm_tree(w, 0, 0);
    CHECK(doubles(t, 5)[0] == total);
    vmp_wasm_table_free(t);
    vmp_wasm_marks(w)[hottest] = 0;
    vmp_wasm_threads(w)[1] = 1;
    t = vmp_wasm_tree(w, 0, 0);
    CHECK(doubles(t, 5)[0] < everything && doubles(t, 5)[0] > 0);
    vmp_wasm_table_free(t);
    vmp_wasm_threads(w)[1] = 0;
    vmp_wasm_range(w, 1e5, 2e5);
    t = vmp_wasm_tree(w, 0, 0);
    CHECK(doubles(t, 5)[0] == 0);
    vmp_wasm_table_free(t);
    vmp_wasm_range(w, 0, 0);
    vmp_wasm_table *line = vmp_wasm_timeline(w, 10);
    double binned = 0;
    for (uint32_t i = 0; i < line->count; i++)
        binned += doubles(line, 4)[i];
    CHECK(binned == everything);
    vmp_wasm_table_free(line);
    for (uint32_t flags = 0; flags <= VMP_WASM_ABOVE; flags += VMP_WASM_ABOVE) {
        t = vmp_wasm_tree(w, flags, hottest);
        CHECK(doubles(t, 5)[0] == total);
        vmp_wasm_table_free(t);
    }
    t = vmp_wasm_lines(w, hottest);
    CHECK(t->count > 0);
    double self = 0;
    for (uint32_t i = 0; i < t->count; i++)
        self += doubles(t, 4)[i];
    CHECK(self == doubles(flat, 4)[0]);
    double at_lines = self;
    vmp_wasm_table *e = vmp_wasm_expressions(w, hottest);
    CHECK_INT(e->rc, 0);
    for (uint32_t i = 0, k = 0; i < e->count; i++) {
        while (words(t, 0)[k] < words(e, 0)[i])
            k++;
        CHECK_INT(words(t, 0)[k], words(e, 0)[i]);
        CHECK(words(e, 1)[i] > words(e, 0)[i] || words(e, 2)[i] < words(e, 3)[i]);
        CHECK(doubles(e, 4)[i] <= doubles(t, 4)[k] && doubles(e, 5)[i] <= doubles(t, 5)[k]);
        at_lines -= doubles(e, 4)[i];
    }
    CHECK(e->count > 0 && at_lines == 0);
    vmp_wasm_table_free(e);
    vmp_wasm_table_free(t);
    vmp_wasm_table_free(flat);
    vmp_wasm_table_free(all);
    vmp_wasm_close(w);
}

/* Of six columns of a change the last is what it is of the larger share. */
static void
check_strength(const vmp_wasm_table *t, int column, uint32_t row)
{
    double before = doubles(t, column)[row], after = doubles(t, column + 1)[row],
           most = before > after ? before : after, strength = doubles(t, column + 5)[row];
    CHECK(fabs(strength * most - (after - before)) < 1e-12);
    CHECK(fabs(strength) <= 1 && (most > 0 || strength == 0));
    CHECK(before > 0 || after == 0 || strength == 1);
}

/* A log compared with itself, without a function that is then new in it. */
TEST(changes_are_columns_beside_those_of_the_tree)
{
    vmp_wasm *w = open_log("log_v1.1_zstd.vmprof"), *before = open_log("log_v1.1_zstd.vmprof");
    const uint32_t flags[] = {VMP_WASM_MERGED, VMP_WASM_MERGED | VMP_WASM_INVERTED};
    vmp_wasm_table *same = vmp_wasm_match(w, before), *flat = vmp_wasm_flat(w);
    uint32_t hottest = words(flat, 0)[0];
    for (uint32_t i = 0; i < same->count; i++)
        CHECK_INT(words(same, 0)[i], i);
    for (int hidden = 0; hidden < 2; hidden++) {
        vmp_wasm_marks(before)[hottest] = hidden ? VMP_REPORT_MARK_HIDE : 0;
        for (size_t k = 0; k < 2; k++) {
            vmp_wasm_table *t = vmp_wasm_tree(w, flags[k], 0);
            vmp_wasm_table *c = vmp_wasm_tree_changes(t, w, before, flags[k]);
            CHECK_INT(c->rc, 0);
            CHECK_INT(c->count, t->count);
            for (uint32_t i = 0; i < c->count; i++) {
                bool is_new = hidden && words(t, 3)[i] == hottest;
                double part = doubles(t, 5)[i] / doubles(t, 5)[0]; /* rounded, on an i387 too */
                CHECK(doubles(c, 4)[i] == part);
                CHECK(doubles(c, 6)[i] <= doubles(c, 5)[i] && doubles(c, 5)[i] <= doubles(c, 7)[i]);
                if (!hidden)
                    CHECK(words(c, 0)[i] == 0 && fabs(doubles(c, 8)[i]) <= 0);
                else if (is_new && k == 0) /* inverted ones are not whole: was it there? */
                    CHECK((words(c, 0)[i] & VMP_WASM_NEW) && doubles(c, 8)[i] >= 1);
            }
            vmp_wasm_table_free(c);
            vmp_wasm_table_free(t);
        }
        vmp_wasm_table *rows = vmp_wasm_changes(w, before, 0);
        CHECK_INT(rows->count, flat->count);
        CHECK((words(rows, 0)[0] == hottest && (words(rows, 2)[0] & VMP_WASM_NEW)) || !hidden);
        for (uint32_t i = 0; !hidden && i < rows->count; i++) {
            CHECK_INT(words(rows, 0)[i], words(rows, 1)[i]);
            CHECK_INT(words(rows, 2)[i], 0);
            CHECK(doubles(rows, 5)[i] == 0 && doubles(rows, 11)[i] == 0);
        }
        for (uint32_t i = 0; hidden && i < rows->count; i++) {
            check_strength(rows, 3, i);
            check_strength(rows, 9, i);
        }
        vmp_wasm_table_free(rows);
        uint32_t by_total = VMP_WASM_SECONDS | VMP_WASM_BY_TOTAL;
        vmp_wasm_table *times = vmp_wasm_changes(w, before, by_total);
        vmp_wasm_table *t = vmp_wasm_tree(w, VMP_WASM_MERGED, 0);
        vmp_wasm_table *c = vmp_wasm_tree_changes(t, w, before, VMP_WASM_MERGED | VMP_WASM_SECONDS);
        for (uint32_t i = 0; i < times->count; i++)
            CHECK(doubles(times, 10)[i] <= doubles(t, 7)[0] * (1 + 1e-9));
        for (uint32_t i = 0; i < c->count; i++) {
            double share = doubles(t, 5)[i] / doubles(t, 5)[0];
            CHECK(fabs(doubles(c, 4)[i] - share * doubles(t, 7)[0]) < 1e-9);
        }
        vmp_wasm_table_free(c);
        vmp_wasm_table_free(t);
        vmp_wasm_table_free(times);
    }
    vmp_wasm_table *grouped = vmp_wasm_tree(w, VMP_WASM_BY_THREAD, 0);
    vmp_wasm_table *none = vmp_wasm_tree_changes(grouped, w, before, 0);
    CHECK_INT(none->rc, -VMP_EINVAL);
    vmp_wasm_table_free(none);
    vmp_wasm_table_free(grouped);
    vmp_wasm_table_free(same);
    vmp_wasm_table_free(flat);
    vmp_wasm_close(before);
    vmp_wasm_close(w);
}

TEST(groups_of_a_whole_tree_are_those_of_the_profile)
{
    static const char *const logs[] = {"log_v1.1_zstd.vmprof", "states/pypy-8.0.vmprof"};
    enum { GROUPS = 3, FUNCTIONS = 4096 };
    uint32_t group_of[FUNCTIONS]; /* every fourth is in none */
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        group_of[i] = i % (GROUPS + 1);
    for (size_t l = 0; l < sizeof(logs) / sizeof(logs[0]); l++) {
        vmp_wasm *w = open_log(logs[l]);
        CHECK_STR(vmp_wasm_error(w), "");
        vmp_wasm_table *all = vmp_wasm_groups(w, group_of, GROUPS);
        CHECK(doubles(all, 5)[0] + doubles(all, 5)[1] + doubles(all, 5)[2] > 0);
        for (uint32_t flags = 0; flags < VMP_WASM_ABOVE; flags += VMP_WASM_FOLD_RECURSION) {
            vmp_wasm_table *t = vmp_wasm_tree(w, flags, 0);
            vmp_wasm_table *same = vmp_wasm_tree_groups(t, w, group_of, GROUPS);
            CHECK_INT(same->rc, 0);
            for (uint32_t i = 0; i < GROUPS; i++) {
                CHECK(doubles(same, 4)[i] == doubles(all, 4)[i]);
                CHECK(doubles(same, 5)[i] == doubles(all, 5)[i]);
            }
            vmp_wasm_table_free(same);
            vmp_wasm_table_free(t);
        }
        vmp_wasm_table_free(all);
        vmp_wasm_close(w);
    }
}

/* Each sample was taken in one state, so that a node's are its total. */
TEST(states_of_a_node_are_its_total)
{
    vmp_wasm *w = open_log("states/pypy-8.0.vmprof");
    vmp_wasm_table *flat = vmp_wasm_flat(w);
    double of_all[VMP_PROFILE_STATES] = {0};
    for (uint32_t flags = 0; flags < VMP_WASM_MERGED; flags++) {
        vmp_wasm_table *t = vmp_wasm_tree(w, flags, flags & VMP_WASM_ABOVE ? words(flat, 0)[0] : 0);
        vmp_wasm_table *states = vmp_wasm_tree_states(t, w);
        CHECK_INT(states->count, t->count);
        for (uint32_t i = 0; i < states->count; i++) {
            double sum = 0;
            for (int s = 0; s < VMP_PROFILE_STATES; s++)
                sum += doubles(states, s)[i];
            CHECK(fabs(sum - doubles(t, 5)[i]) < 1e-6);
        }
        for (int s = 0; s < VMP_PROFILE_STATES && !(flags & VMP_WASM_ABOVE); s++) {
            of_all[s] = flags == 0 ? doubles(states, s)[0] : of_all[s];
            CHECK(fabs(doubles(states, s)[0] - of_all[s]) < 1e-6);
        }
        vmp_wasm_table_free(states);
        vmp_wasm_table_free(t);
    }
    CHECK(of_all[VMP_PROFILE_STATE_JIT] > 0 && of_all[VMP_PROFILE_STATE_GC_MINOR] > 0);
    vmp_wasm_table_free(flat);
    vmp_wasm_close(w);
    w = open_log("log_v1.1_zstd.vmprof");
    vmp_wasm_table *t = vmp_wasm_tree(w, 0, 0), *states = vmp_wasm_tree_states(t, w);
    CHECK_INT(states->rc, 0);
    CHECK_INT(states->count, 0);
    vmp_wasm_table_free(states);
    vmp_wasm_table_free(t);
    vmp_wasm_close(w);
}

/* Adds a function below a stack, with ticks of its own. Returns its stack. */
static uint32_t
put_child(vmp_log_writer *log, uint32_t parent, const char *name, uint64_t ticks_self)
{
    vmp_log_pos pos = {.line = 1};
    uint32_t code =
        vmp_log_writer_code(log, vmp_str_from(name), vmp_str_from(name), vmp_str_from("app.py"), 1);
    uint32_t location = vmp_log_writer_location(log, code, 0, 1, &pos);
    uint32_t stack = vmp_log_writer_stack(log, parent, location);
    vmp_log_sample sample = {.thread = 1, .stack = stack, .time_ns = 10, .weight = ticks_self};
    if (ticks_self > 0)
        vmp_log_writer_sample(log, &sample);
    return stack;
}

/* Two heavy children, and before the second one many that are too light for a rough
 * tree: without them all behind them has other numbers. */
static void
put_heavy_and_light(vmp_log_writer *log)
{
    enum { HEAVY = 20000, LIGHT = 50 };
    char name[16];
    vmp_log_writer_thread(log, 1, 700, 0x7f00, vmp_str_from("MainThread"), 0);
    uint32_t module = put_child(log, 0, "<module>", 0);
    uint32_t first = put_child(log, module, "first", HEAVY);
    uint32_t middle = put_child(log, first, "middle", HEAVY / 100);
    for (int i = 0; i < LIGHT; i++) {
        snprintf(name, sizeof(name), "light%d", i);
        uint32_t light = put_child(log, i % 5 == 0 ? middle : first, name, 1);
        if (i % 3 == 0)
            put_child(log, light, "below", 1);
    }
    uint32_t second = put_child(log, module, "second", HEAVY);
    put_child(log, second, "under", HEAVY / 100);
    put_child(log, module, "last", 1);
    vmp_log_writer_batch(log, 1, 1000, 0);
}

static vmp_wasm *
open_heavy_and_light(void)
{
    vmp_log_session session = {.pid = 1, .interval_ns = 1, .quantum_ns = 1};
    vmp_log_writer *log = NULL;
    FILE *file = tmpfile();
    CHECK_INT(vmp_log_writer_open(&log, fileno(file), &session, false, NULL), 0);
    put_heavy_and_light(log);
    CHECK_INT(vmp_log_writer_flush(log, NULL), 0);
    size_t size = (size_t)vmp_log_writer_bytes(log);
    uint8_t *p = malloc(size);
    CHECK_INT(pread(fileno(file), p, size, 0), size);
    vmp_wasm *w = vmp_wasm_open(p, size);
    free(p);
    vmp_log_writer_close(&log);
    fclose(file);
    return w;
}

/* Each node of the rough tree is the one of the whole tree with the same places among
 * siblings from the root on, and has its figures; no other one is heavy enough. */
static void
check_rough(const vmp_wasm_table *rough, const vmp_wasm_table *whole)
{
    uint32_t *at = calloc(rough->count, sizeof(*at)), *next = calloc(rough->count, sizeof(*next));
    uint32_t heavy = 0;
    for (uint32_t i = 0; i < rough->count; i++) {
        uint32_t parent = words(rough, 0)[i];
        if (i > 0) {
            at[i] = next[parent];
            next[parent] = words(whole, 1)[at[i]];
            CHECK_INT(words(whole, 0)[at[i]], at[parent]);
        }
        next[i] = at[i] + 1;
        for (int column = 2; column < 4; column++) /* depth, what */
            CHECK_INT(words(rough, column)[i], words(whole, column)[at[i]]);
        for (int column = 4; column < 8; column++) /* self, total, left, seconds */
            CHECK(doubles(rough, column)[i] == doubles(whole, column)[at[i]]);
    }
    for (uint32_t i = 0; i < whole->count; i++)
        heavy += doubles(whole, 5)[i] * 10000 >= doubles(whole, 5)[0];
    CHECK_INT(rough->count, heavy);
    free(at);
    free(next);
}

/* A node of it is found in the whole tree by its places among its siblings. */
TEST(a_rough_tree_leaves_out_last_children_alone)
{
    for (int made = 0; made < 2; made++) {
        vmp_wasm *w = made ? open_heavy_and_light() : open_log("log_v1.1_zstd.vmprof");
        CHECK_STR(vmp_wasm_error(w), "");
        vmp_wasm_table *whole = vmp_wasm_tree(w, 0, 0);
        vmp_wasm_table *rough = vmp_wasm_tree(w, VMP_WASM_ROUGH, 0);
        CHECK(made ? rough->count < whole->count : rough->count <= whole->count);
        check_rough(rough, whole);
        vmp_wasm_table_free(whole);
        vmp_wasm_table_free(rough);
        vmp_wasm_close(w);
    }
}

/* A range that is all has all samples, those of a lane in their order. */
TEST(a_chart_s_lanes_have_what_the_tree_has)
{
    static const char *const logs[] = {"log_v1.1_zstd.vmprof", "states/pypy-8.0.vmprof"};
    for (size_t l = 0; l < sizeof(logs) / sizeof(logs[0]); l++) {
        vmp_wasm *w = open_log(logs[l]);
        vmp_wasm_table *threads = vmp_wasm_tree(w, VMP_WASM_BY_THREAD, 0);
        vmp_wasm_table *chart = vmp_wasm_chart(w, 0);
        CHECK_INT(chart->rc, 0);
        CHECK(chart->count > 0);
        vmp_wasm_table *all = vmp_wasm_chart_view(chart, 0, 1e6, 100, 0, chart->count, 0);
        CHECK_INT(words(all, 3)[0], UINT32_MAX);
        CHECK(fabs(doubles(all, 6)[0] - doubles(threads, 7)[0]) < 1e-6);
        for (uint32_t lane = 0, i = 1; lane < chart->count; lane++, i = words(all, 1)[i]) {
            uint32_t what = 3u << 30 | words(chart, 0)[lane], node = 1;
            CHECK_INT(words(all, 3)[i], what);
            while (words(threads, 3)[node] != what)
                node = words(threads, 1)[node];
            CHECK(fabs(doubles(all, 6)[i] - doubles(threads, 7)[node]) < 1e-6);
            for (uint32_t at = i + 1; at < words(all, 1)[i]; at++) {
                CHECK(words(all, 2)[at] <= words(chart, 1)[lane] + 1);
                CHECK(doubles(all, 4)[at] <= doubles(all, 5)[at]);
                CHECK(doubles(all, 7)[at] >= 1);
            }
        }
        vmp_wasm_table *states =
            vmp_wasm_chart_view(chart, 0, 1e6, 100, 0, chart->count, VMP_WASM_STATES);
        CHECK((states->count > 0) == (l == 1));
        for (uint32_t i = 0; i < states->count; i++) {
            CHECK_INT(words(all, 2)[words(states, 0)[i]], 1);
            CHECK(words(states, 1)[i] < VMP_PROFILE_STATES);
            CHECK(doubles(states, 4)[i] <= doubles(states, 5)[i]);
        }
        vmp_wasm_table_free(states);
        vmp_wasm_table_free(all);
        all = vmp_wasm_chart_view(chart, 2, 1, 100, 0, 1, 0);
        CHECK_INT(all->rc, -VMP_EINVAL);
        vmp_wasm_table_free(all);
        vmp_wasm_table_free(chart);
        vmp_wasm_table_free(threads);
        vmp_wasm_close(w);
    }
}

TEST(what_is_wrong_is_told)
{
    vmp_wasm *w = vmp_wasm_open("hello", 5);
    CHECK(strstr(vmp_wasm_error(w), "not a vmprof log") != NULL);
    vmp_wasm_close(w);
    w = open_log("log_v1.1_zstd.vmprof");
    vmp_wasm_table *t = vmp_wasm_tree(w, 0, 1u << 30);
    CHECK_INT(t->rc, -VMP_EINVAL);
    CHECK_INT(t->count, 0);
    vmp_wasm_table_free(t);
    t = vmp_wasm_lines(w, 1u << 30);
    CHECK_INT(t->rc, -VMP_EINVAL);
    vmp_wasm_table_free(t);
    t = vmp_wasm_expressions(w, 1u << 30);
    CHECK_INT(t->rc, -VMP_EINVAL);
    vmp_wasm_table_free(t);
    t = vmp_wasm_timeline(w, 0);
    CHECK_INT(t->rc, -VMP_EINVAL);
    vmp_wasm_table_free(t);
    vmp_wasm_close(w);
}

TEST(facts_name_functions_files_and_threads)
{
    vmp_wasm *w = open_log("log_v1.1_zstd.vmprof");
    char *facts = vmp_wasm_facts(w);
    CHECK(facts && facts[0] == '{' && facts[strlen(facts) - 1] == '}');
    CHECK(strstr(facts, "\"functions\":[[\"\",") != NULL);
    CHECK(strstr(facts, "\"threads\":[{\"id\":") != NULL);
    CHECK(strstr(facts, "\"untimed\":false") != NULL);
    vmp_wasm_free(facts);
    vmp_wasm_close(w);
    w = open_log("old/vmprof-0.4_plain.vmprof");
    facts = vmp_wasm_facts(w);
    CHECK(facts && strstr(facts, "\"untimed\":true") != NULL);
    vmp_wasm_free(facts);
    vmp_wasm_close(w);
}

TEST_MAIN(RUN(a_tree_s_columns_are_the_report_s),
    RUN(marks_threads_and_ranges_choose_what_is_counted),
    RUN(changes_are_columns_beside_those_of_the_tree),
    RUN(groups_of_a_whole_tree_are_those_of_the_profile), RUN(states_of_a_node_are_its_total),
    RUN(a_rough_tree_leaves_out_last_children_alone), RUN(a_chart_s_lanes_have_what_the_tree_has),
    RUN(what_is_wrong_is_told), RUN(facts_name_functions_files_and_threads))
