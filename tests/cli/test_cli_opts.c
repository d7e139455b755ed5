#include "check.h"

#include "cli_opts.h"
#include "term_text.h"

typedef struct values {
    bool json;
    uint64_t limit;
    double percent;
    int sort;
    vmp_opt_list hide;
} values;

#define AT(member) offsetof(values, member)

static const char *const sorts[] = {"total", "self", NULL};

static const vmp_opt opts[] = {
    {"json", 'j', VMP_OPT_FLAG, AT(json), NULL, NULL, 0, 0, 0, "print JSON"},
    {"limit", 'l', VMP_OPT_UINT, AT(limit), "N", NULL, 0, 100, 0, "at most N"},
    {"prune-percent", 0, VMP_OPT_DOUBLE, AT(percent), "P", NULL, 0, 100, 0, "leave out"},
    {"sort", 0, VMP_OPT_CHOICE, AT(sort), "BY", sorts, 0, 0, 0, "total or self"},
    {"hide", 0, VMP_OPT_LIST, AT(hide), "TEXT", NULL, 0, 0, 0, "leave out functions"},
};

enum { COUNT = sizeof(opts) / sizeof(opts[0]), MAX_ARGS = 12 };

/* Parses words separated by spaces. */
static int
parse(const char *line, values *v, vmp_opts_result *r, vmp_err *err)
{
    static char copy[256];
    char *argv[MAX_ARGS] = {(char[]){"show"}};
    int argc = 1;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *at = copy; *at && argc < MAX_ARGS; argc++) {
        argv[argc] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = 0;
    }
    *v = (values){.limit = 7};
    *err = (vmp_err){0};
    return vmp_opts_parse(opts, COUNT, v, argc, argv, r, err);
}

static void
drop(values *v, vmp_opts_result *r)
{
    vmp_opt_list_fini(&v->hide);
    vmp_opt_list_fini(&r->arguments);
}

TEST(options_stand_before_and_after_arguments)
{
    values v;
    vmp_opts_result r;
    vmp_err err;
    CHECK_INT(parse("--json a.log --limit 3 flat --hide=x --hide y", &v, &r, &err), 0);
    CHECK(v.json);
    CHECK_INT(v.limit, 3);
    CHECK_INT(v.hide.n, 2);
    CHECK_STR(v.hide.p[1].p, "y");
    CHECK_INT(r.arguments.n, 2);
    CHECK_STR(r.arguments.p[1].p, "flat");
    CHECK_INT(r.seen, 1 | 2 | 16);
    drop(&v, &r);
}

TEST(what_is_not_given_stays_as_it_was)
{
    values v;
    vmp_opts_result r;
    vmp_err err;
    CHECK_INT(parse("", &v, &r, &err), 0);
    CHECK_INT(v.limit, 7);
    CHECK_INT(r.seen, 0);
    drop(&v, &r);
}

TEST(letters_can_be_joined)
{
    values v;
    vmp_opts_result r;
    vmp_err err;
    CHECK_INT(parse("-jl5", &v, &r, &err), 0);
    CHECK(v.json);
    CHECK_INT(v.limit, 5);
    drop(&v, &r);
    CHECK_INT(parse("-l 6", &v, &r, &err), 0);
    CHECK_INT(v.limit, 6);
    drop(&v, &r);
}

TEST(underscores_are_dashes)
{
    values v;
    vmp_opts_result r;
    vmp_err err;
    CHECK_INT(parse("--prune_percent 2.5", &v, &r, &err), 0);
    CHECK(v.percent > 2.49 && v.percent < 2.51);
    drop(&v, &r);
    CHECK_INT(parse("--prune+percent 2.5", &v, &r, &err), -VMP_EINVAL);
    drop(&v, &r);
}

TEST(two_dashes_end_the_options)
{
    values v;
    vmp_opts_result r;
    vmp_err err;
    CHECK_INT(parse("-- --json -", &v, &r, &err), 0);
    CHECK(!v.json);
    CHECK_INT(r.arguments.n, 2);
    drop(&v, &r);
}

TEST(wrong_values_are_named)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        {"--limit", "--limit needs a value (N)"},
        {"--limit x", "--limit: 'x' is not a whole number"},
        {"--limit 1.5", "--limit: '1.5' is not a whole number"},
        {"--limit 101", "--limit: 101 is not within 0 to 100"},
        {"--limit -1", "--limit: -1 is not within 0 to 100"},
        {"--prune-percent inf", "--prune-percent: 'inf' is not a number"},
        {"--sort up", "--sort: 'up' is none of: total, self"},
        {"--json=1", "--json takes no value"},
        {"--jso", "no option --jso"},
        {"--=3", "no option --"},
        {"-x", "no option -x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        values v;
        vmp_opts_result r;
        vmp_err err;
        CHECK_INT(parse(cases[i].line, &v, &r, &err), -VMP_EINVAL);
        CHECK_STR(err.text, cases[i].text);
        drop(&v, &r);
    }
}

TEST(the_help_has_each_option)
{
    vmp_out o;
    vmp_term t = {.width = 50};
    vmp_out_init(&o, -1);
    vmp_opts_help(&o, &t, opts, COUNT);
    vmp_out_bytes(&o, "", 1);
    CHECK(strstr(o.p, "  -j, --json              print JSON\n") == o.p);
    CHECK(strstr(o.p, "\n  --prune-percent P       leave out\n") != NULL);
    vmp_out_fini(&o);
}

TEST_MAIN(RUN(options_stand_before_and_after_arguments), RUN(what_is_not_given_stays_as_it_was),
    RUN(letters_can_be_joined), RUN(underscores_are_dashes), RUN(two_dashes_end_the_options),
    RUN(wrong_values_are_named), RUN(the_help_has_each_option))
