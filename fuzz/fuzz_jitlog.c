/* A jitlog from any bytes: the tables hold together as jitlog.h says, and what
 * `vmprof jit` and the page show of it is harmless (fuzz_shown.h).
 *
 * The first bytes: form (bits below), and which stages. With FORM_HEADER a
 * header is put before the rest, so that it is records from the start. The name
 * of the machine serves as a query too. */
#include <locale.h>
#include <stdbool.h>

#include "fuzz.h"
#include "fuzz_shown.h"
#include "jit.h"
#include "jitlog_bytes.h"
#include "page_jit.h"
#include "profile_builder.h"

enum { HEAD_BYTES = 2 };
enum {
    FORM_JSON = 1,
    FORM_WHOLE = 2,
    FORM_ASCII = 4,
    FORM_COLOR = 8,
    FORM_LOSSLESS = 16,
    FORM_HEADER = 32,
    FORM_32BIT = 64,
    FORM_PAGE = 128, /* with FORM_WHOLE: beside a profile */
};

static void
check_piece(const vmp_jitlog *j, vmp_jitlog_piece piece)
{
    PROMISE(piece.at <= j->byte_count && piece.n <= j->byte_count - piece.at);
}

static void
check_entry(const vmp_jitlog *j, uint32_t i)
{
    const vmp_jitlog_entry *e = &j->entries[i];
    PROMISE(e->next == 0 || (e->next > i && e->next < j->entry_count));
    PROMISE(e->trace > 0 && e->trace < j->trace_count && e->stage < VMP_JITLOG_STAGE_COUNT);
    PROMISE(e->name <= j->strings.count && (e->kind != VMP_JITLOG_OP || e->name > 0));
    PROMISE(e->point < j->point_count && (e->kind != VMP_JITLOG_POINT || e->point > 0));
    PROMISE(e->bridge < j->trace_count && (e->bridge == 0 || e->guard));
    check_piece(j, e->args);
    check_piece(j, e->fails);
    check_piece(j, e->code);
}

static void
check_tables(const vmp_jitlog *j)
{
    uint64_t listed = 0;
    PROMISE(j->version <= 4 && j->trace_count >= 1);
    PROMISE(j->version >= 1 || (j->cut && j->cut_at == 0));
    PROMISE(!j->cut || j->cut_at < j->byte_count);
    for (uint32_t i = 1; i < j->entry_count; i++)
        check_entry(j, i);
    for (uint32_t i = 1; i < j->point_count; i++)
        PROMISE(j->points[i].file <= j->strings.count &&
                j->points[i].function <= j->strings.count &&
                j->points[i].opcode <= j->strings.count);
    for (uint32_t i = 1; i < j->line_count; i++) {
        const vmp_jitlog_line *line = &j->lines[i];
        PROMISE(vmp_jitlog_line_at(j, line->file, line->line) == line);
        PROMISE(line->file > 0 && line->file <= j->strings.count);
        check_piece(j, line->text);
    }
    for (uint32_t i = 1; i < j->trace_count; i++) {
        const vmp_jitlog_trace *t = &j->traces[i];
        PROMISE(t->point < j->point_count && t->guard < j->entry_count);
        PROMISE(t->guard == 0 || j->entries[t->guard].guard);
        check_piece(j, t->driver);
        for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++)
            for (uint32_t k = t->stages[stage].first; k; k = j->entries[k].next) {
                PROMISE(j->entries[k].trace == i && j->entries[k].stage == stage);
                listed++;
            }
    }
    PROMISE(listed == j->entry_count - 1);
}

static void
check_query(const vmp_jitlog *j)
{
    vmp_jitlog_query *q = NULL;
    vmp_err err = {0};
    vmp_str text = vmp_jitlog_text(j, j->machine);
    int rc = vmp_jitlog_query_new(&q, text, &err);
    PROMISE((rc == 0) == (q != NULL));
    PROMISE(rc == 0 || (rc == -VMP_EINVAL && err.where >= 1 && err.where <= text.n + 1));
    for (uint32_t i = 1; q && i < j->trace_count; i++)
        (void)vmp_jitlog_query_matches(q, j, i);
    vmp_jitlog_query_free(&q);
}

/* With the places of the log as its functions, each beginning at the line. */
static vmp_profile *
profile_of(const vmp_jitlog *j)
{
    vmp_profile_builder *b = NULL;
    vmp_profile *p = NULL;
    PROMISE(vmp_profile_builder_new(&b, false) == 0);
    for (uint32_t i = 1; i < j->point_count; i++) {
        const vmp_jitlog_point *at = &j->points[i];
        vmp_string_id name, file;
        vmp_code_id code;
        PROMISE(vmp_profile_builder_string(b, vmp_jitlog_string(j, at->function), &name) == 0);
        PROMISE(vmp_profile_builder_string(b, vmp_jitlog_string(j, at->file), &file) == 0);
        PROMISE(vmp_profile_builder_code(
                    b, VMP_PROFILE_PYTHON, name, name, file, (int32_t)at->line, &code) == 0);
    }
    PROMISE(vmp_profile_builder_finish(&b, 0, false, &p) == 0);
    return p;
}

static int
check_line(void *ctx, const void *p, size_t n, vmp_err *err)
{
    static const char none[] = "null\n";
    uint32_t *lines = ctx;
    (void)err;
    if (*lines == 0 || n != strlen(none) || memcmp(p, none, n) != 0)
        fuzz_shown_json((vmp_str){p, n});
    ++*lines;
    return 0;
}

static void
check_page(const vmp_jitlog *j, bool with_profile)
{
    vmp_profile *p = with_profile ? profile_of(j) : NULL;
    uint32_t lines = 0;
    PROMISE(vmp_page_jit(j, p, check_line, &lines, NULL) == 0);
    PROMISE(lines >= 1 && lines <= j->trace_count);
    vmp_profile_free(&p);
}

static void
show(const vmp_jitlog *j, const uint8_t *head)
{
    enum { ENOUGH = 64 }; /* traces that are shown */
    uint32_t traces[ENOUGH], *guards = NULL;
    vmp_out out;
    const vmp_term term = {.width = VMP_TERM_TTY_WIDTH,
        .utf8 = !(head[0] & FORM_ASCII),
        .color = head[0] & FORM_COLOR,
        .lossless = head[0] & FORM_LOSSLESS};
    vmp_jit s = {.path = "a.jit",
        .log = j,
        .traces = traces,
        .whole = head[0] & FORM_WHOLE,
        .stage = head[1] / 4 % (VMP_JIT_ALL_STAGES + 1),
        .limit = head[1] / 16,
        .made_ns = INT64_MAX,
        .out = &out,
        .term = &term};
    for (uint32_t i = 1; i < j->trace_count && s.trace_count < ENOUGH; i++)
        traces[s.trace_count++] = i;
    PROMISE(vmp_jitlog_guards(j, &guards, &s.guard_count) == 0);
    s.guards = guards;
    for (size_t i = 0; i < s.guard_count; i++)
        PROMISE(j->entries[guards[i]].guard && j->entries[guards[i]].count > 0 &&
                (i == 0 || j->entries[guards[i - 1]].count >= j->entries[guards[i]].count));
    vmp_out_init(&out, -1);
    int rc = head[0] & FORM_JSON ? vmp_jit_json(&s)
             : s.whole           ? vmp_jit_stages(&s)
                                 : vmp_jit_list(&s);
    PROMISE(rc == 0 && out.rc == 0);
    if (head[0] & FORM_JSON)
        fuzz_shown_json(vmp_out_view(&out));
    else
        fuzz_shown_text(vmp_out_view(&out), &term);
    vmp_out_fini(&out);
    free(guards);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool has_locale; /* which characters have a width is the locale's to say */
    jitlog_bytes l = {.version = 4};
    vmp_jitlog *j = NULL;
    vmp_err err = {0};
    if (!has_locale)
        has_locale = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    PROMISE(has_locale);
    if (size < HEAD_BYTES)
        return 0;
    l.is_32bit = data[0] & FORM_32BIT;
    l.version = 1 + data[1] % 4;
    if (data[0] & FORM_HEADER)
        put_header(&l);
    vmp_buf_put(&l.b, data + HEAD_BYTES, size - HEAD_BYTES);
    int rc = vmp_jitlog_read_bytes(&j, l.b.p, l.b.n, &err);
    PROMISE((rc == 0) == (j != NULL) && (rc < 0) == (err.text[0] != '\0'));
    PROMISE(rc != -VMP_ECORRUPT || err.where < l.b.n);
    if (j) {
        check_tables(j);
        check_query(j);
        if (data[0] & FORM_PAGE)
            check_page(j, data[0] & FORM_WHOLE);
        else
            show(j, data);
    }
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
    return 0;
}
