/* Every view of any log (fuzz_log.h), as text, JSON and page: what a terminal or
 * a browser gets is harmless (fuzz_shown.h).
 *
 * The first bytes: view, form (bits below), sort, by, number of the options. With
 * DIFF in the view also what changed between the first part of the log and all, with
 * CHART the chart of a part of the run: a forest of rectangles within each other. */
#include <locale.h>
#include <stdbool.h>

#include "diff.h"
#include "fuzz.h"
#include "fuzz_log.h"
#include "fuzz_shown.h"
#include "load.h"
#include "report_chart.h"
#include "show.h"

enum { HEAD_BYTES = 5, VIEW_COUNT = 8, CHART = 64, DIFF = 128 };
enum {
    FORM_JSON = 1,
    FORM_HTML = 2, /* where there is one, and not JSON */
    FORM_ASCII = 4,
    FORM_COLOR = 8,
    FORM_LOSSLESS = 16,
    FORM_THREADS = 32,
    FORM_FILTER = 64,
    FORM_TOTAL = 128,
};

/* What cmd_stats.c prints. */
static int
stats(const vmp_show *s)
{
    vmp_view_stats v = {.limit = (size_t)s->options->limit};
    vmp_report_info *info = NULL;
    vmp_report_flat *flat = NULL;
    vmp_report_tree *tree = NULL;
    vmp_report_tree_options how = {.filter = vmp_report_filter_default(),
        .group = s->options->threads ? VMP_REPORT_GROUP_THREADS : VMP_REPORT_GROUP_NONE,
        .fold_recursion = true,
        .prune_percent = 1};
    PROMISE(vmp_report_info_new(&info, s->profile) == 0);
    PROMISE(vmp_report_flat_new(&flat, s->profile, NULL) == 0);
    PROMISE(vmp_report_tree_new(&tree, s->profile, &how) == 0);
    v.info = info;
    v.flat = flat;
    v.tree = tree;
    int rc = vmp_view_stats_text(&s->view, &v);
    vmp_report_info_free(&info);
    vmp_report_flat_free(&flat);
    vmp_report_tree_free(&tree);
    return rc;
}

static void
show(const vmp_profile *p, const uint8_t *head)
{
    static int (*const views[VIEW_COUNT])(const vmp_show *) = {vmp_show_tree, vmp_show_flat,
        vmp_show_callers, vmp_show_lines, vmp_show_threads, vmp_show_memory, vmp_show_info, stats};
    int (*view)(const vmp_show *) = views[head[0] % VIEW_COUNT];
    const uint8_t form = head[1], number = head[4];
    vmp_str text = {"a", 1};
    vmp_show_options options = {
        .json = form & FORM_JSON && view != stats,
        .html = form & FORM_HTML && !(form & FORM_JSON) && view == vmp_show_tree,
        .threads = form & FORM_THREADS,
        .include_callees = form & FORM_TOTAL,
        .no_native = form & FORM_TOTAL,
        .sort = head[2] % (VMP_SHOW_SORT_DEFAULT + 1),
        .by = head[3] % (VMP_REPORT_BY_POSITION + 1),
        .prune_percent = number % 3,
        .prune_level = number % 7,
        .indent = number % 9,
        .limit = number % 5,
        .hide = {.p = &text, .n = form & FORM_FILTER && number & 1},
        .filter = {.p = &text, .n = form & FORM_FILTER && !(number & 1)},
    };
    const vmp_term term = {
        .width = number & 0x80 ? 1 + VMP_TERM_MIN_WIDTH : VMP_TERM_TTY_WIDTH,
        .utf8 = !(form & FORM_ASCII),
        .color = form & FORM_COLOR,
        .lossless = form & FORM_LOSSLESS,
    };
    vmp_out out;
    vmp_out_init(&out, -1);
    vmp_show s = {
        .path = "a.log",
        .profile = p,
        .options = &options,
        .limit_given = number & 8,
        .prune_given = number & 16,
        .level_given = number & 32,
        .view = {&out, &term, p},
    };
    int rc = view(&s);
    PROMISE(rc == 0 && out.rc == 0 && out.n > 0);
    if (options.json)
        fuzz_shown_json(vmp_out_view(&out));
    else if (options.html)
        fuzz_shown_html(vmp_out_view(&out));
    else
        fuzz_shown_text(vmp_out_view(&out), &term);
    vmp_out_fini(&out);
}

static void
show_diff(const vmp_profile *p, const vmp_buf *log, const uint8_t *head)
{
    const uint8_t form = head[1];
    const vmp_term term = {.width = VMP_TERM_TTY_WIDTH,
        .utf8 = !(form & FORM_ASCII),
        .color = form & FORM_COLOR,
        .lossless = form & FORM_LOSSLESS};
    const vmp_diff_options options = {.json = form & FORM_JSON,
        .tree = form & FORM_THREADS,
        .seconds = form & FORM_TOTAL,
        .limit = head[4],
        .sort = head[2] % 3};
    vmp_profile *part = NULL;
    vmp_out out;
    if (vmp_load_bytes(&part, log->p, log->n * head[4] / 256, NULL, NULL) < 0)
        return;
    vmp_out_init(&out, -1);
    int rc = vmp_diff_show(&(vmp_diff){.paths = {"a.log", "b.log"},
        .profiles = {part, p},
        .options = &options,
        .limit_given = head[4] & 1,
        .out = &out,
        .term = &term});
    PROMISE(rc == 0 && out.rc == 0 && out.n > 0);
    if (options.json)
        fuzz_shown_json(vmp_out_view(&out));
    else
        fuzz_shown_text(vmp_out_view(&out), &term);
    vmp_out_fini(&out);
    vmp_profile_free(&part);
}

static void
show_chart(const vmp_buf *log, const uint8_t *head)
{
    const uint8_t form = head[1], number = head[4];
    vmp_load_options keep = {.keep_samples = true};
    vmp_str text = {"a", 1};
    vmp_report_chart_options options = {.fold_recursion = form & FORM_THREADS,
        .filter = {.hide = &text,
            .hide_count = form & FORM_FILTER && number & 1,
            .focus = &text,
            .focus_count = form & FORM_FILTER && !(number & 1)}};
    vmp_report_chart_request request = {
        0, form & FORM_TOTAL ? INT64_MAX : INT64_C(1) << number % 63, 1u + head[3], 0, UINT32_MAX};
    vmp_profile *p = NULL;
    vmp_report_chart *c = NULL;
    vmp_report_chart_view *v = NULL;
    request.from_ns = form & FORM_COLOR ? request.to_ns / 2 : 0;
    if (vmp_load_bytes(&p, log->p, log->n, &keep, NULL) < 0)
        return;
    PROMISE(vmp_report_chart_new(&c, p, &options) == 0);
    PROMISE(vmp_report_chart_view_new(&v, c, &request) == 0);
    for (uint32_t i = 1; i < v->count; i++) {
        const vmp_report_chart_rect *r = &v->rects[i], *parent = &v->rects[r->parent];
        PROMISE(r->parent < i && r->depth == parent->depth + 1);
        PROMISE(r->end > i && r->end <= parent->end);
        PROMISE(r->begin_ns <= r->end_ns && r->samples <= parent->samples);
        PROMISE(r->begin_ns >= parent->begin_ns && r->end_ns <= parent->end_ns);
    }
    vmp_report_chart_view_free(&v);
    vmp_report_chart_free(&c);
    vmp_profile_free(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool has_locale; /* which characters have a width is the locale's to say */
    vmp_buf log = {0};
    vmp_profile *p = NULL;
    if (!has_locale)
        has_locale = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    PROMISE(has_locale);
    if (size < HEAD_BYTES)
        return 0;
    fuzz_log_make(&log, data + HEAD_BYTES, size - HEAD_BYTES);
    if (vmp_load_bytes(&p, log.p, log.n, NULL, NULL) == 0) {
        show(p, data);
        if (data[0] & DIFF)
            show_diff(p, &log, data);
        if (data[0] & CHART)
            show_chart(&log, data);
    }
    vmp_profile_free(&p);
    vmp_buf_fini(&log);
    return 0;
}
