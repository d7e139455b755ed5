#include "cli_opts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "term_text.h"
#include "vec.h"

typedef struct parser {
    const vmp_opt *opts;
    size_t n;
    char *values;
    int argc;
    char **argv;
    int at;
    vmp_opts_result *result;
    vmp_err *err;
} parser;

static int
append(vmp_opt_list *list, const char *text)
{
    if (VMP_VEC_RESERVE(list->p, list->cap, list->n + 1) < 0)
        return -VMP_ENOMEM;
    list->p[list->n++] = vmp_str_from(text);
    return 0;
}

void
vmp_opt_list_fini(vmp_opt_list *list)
{
    free(list->p);
    *list = (vmp_opt_list){0};
}

/* Names are equal if they differ only in dashes and underscores. */
static bool
is_name(const char *name, vmp_str given)
{
    if (strlen(name) != given.n)
        return false;
    for (size_t i = 0; i < given.n; i++)
        if (name[i] != given.p[i] && !(name[i] == '-' && given.p[i] == '_'))
            return false;
    return true;
}

static int
set_choice(parser *ps, const vmp_opt *opt, int *value, const char *text)
{
    char known[160] = "";
    size_t n = 0;
    for (int i = 0; opt->choices[i]; i++) {
        if (strcmp(opt->choices[i], text) == 0) {
            *value = i;
            return 0;
        }
        int put = snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "", opt->choices[i]);
        n = n + (size_t)put < sizeof(known) ? n + (size_t)put : sizeof(known) - 1;
    }
    return vmp_err_set(
        ps->err, VMP_EINVAL, 0, 0, "--%s: '%s' is none of: %s", opt->name, text, known);
}

static int
set_number(parser *ps, const vmp_opt *opt, void *value, const char *text)
{
    char *end = NULL;
    double number = strtod(text, &end);
    bool whole = opt->kind == VMP_OPT_UINT;
    if (end == text || *end || !isfinite(number) || (whole && floor(number) < number))
        return vmp_err_set(ps->err, VMP_EINVAL, 0, 0, "--%s: '%s' is not a %snumber", opt->name,
            text, whole ? "whole " : "");
    if (number < opt->least || number > opt->most)
        return vmp_err_set(ps->err, VMP_EINVAL, 0, 0, "--%s: %s is not within %g to %g", opt->name,
            text, opt->least, opt->most);
    if (whole)
        *(uint64_t *)value = (uint64_t)number;
    else
        *(double *)value = number;
    return 0;
}

static int
set_value(parser *ps, const vmp_opt *opt, const char *text)
{
    void *value = ps->values + opt->offset;
    ps->result->seen |= 1ull << (opt - ps->opts);
    switch (opt->kind) {
    case VMP_OPT_FLAG:
        *(bool *)value = true;
        return 0;
    case VMP_OPT_LIST:
        return append(value, text);
    case VMP_OPT_CHOICE:
        return set_choice(ps, opt, value, text);
    case VMP_OPT_UINT:
    case VMP_OPT_DOUBLE:
        return set_number(ps, opt, value, text);
    }
    return -VMP_EINVAL;
}

/* Takes one option. inline_value: what stood behind '=' or the letter, or NULL. */
static int
take_option(parser *ps, const vmp_opt *opt, const char *inline_value)
{
    if (opt->kind == VMP_OPT_FLAG && inline_value)
        return vmp_err_set(ps->err, VMP_EINVAL, 0, 0, "--%s takes no value", opt->name);
    if (opt->kind != VMP_OPT_FLAG && !inline_value) {
        if (ps->at + 1 >= ps->argc)
            return vmp_err_set(
                ps->err, VMP_EINVAL, 0, 0, "--%s needs a value (%s)", opt->name, opt->argument);
        inline_value = ps->argv[++ps->at];
    }
    return set_value(ps, opt, inline_value);
}

static int
take_long(parser *ps, const char *text)
{
    const char *equals = strchr(text, '=');
    vmp_str name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    for (size_t i = 0; i < ps->n; i++)
        if (is_name(ps->opts[i].name, name))
            return take_option(ps, &ps->opts[i], equals ? equals + 1 : NULL);
    return vmp_err_set(ps->err, VMP_EINVAL, 0, 0, "no option --%.*s", (int)name.n, name.p);
}

static int
take_letters(parser *ps, const char *text)
{
    for (; *text; text++) {
        const vmp_opt *opt = NULL;
        for (size_t i = 0; i < ps->n; i++)
            if (ps->opts[i].letter == *text)
                opt = &ps->opts[i];
        if (!opt)
            return vmp_err_set(ps->err, VMP_EINVAL, 0, 0, "no option -%c", *text);
        if (opt->kind != VMP_OPT_FLAG)
            return take_option(ps, opt, text[1] ? text + 1 : NULL);
        int rc = take_option(ps, opt, NULL);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
vmp_opts_parse(const vmp_opt *opts, size_t n, void *values, int argc, char **argv,
    vmp_opts_result *ret_result, vmp_err *err)
{
    parser ps = {opts, n, values, argc, argv, 1, ret_result, err};
    bool only_arguments = false;
    *ret_result = (vmp_opts_result){0};
    for (; ps.at < argc; ps.at++) {
        const char *text = argv[ps.at];
        int rc;
        if (only_arguments || text[0] != '-' || text[1] == 0)
            rc = append(&ret_result->arguments, text);
        else if (strcmp(text, "--") == 0)
            rc = 0, only_arguments = true;
        else if (text[1] == '-')
            rc = take_long(&ps, text + 2);
        else
            rc = take_letters(&ps, text + 1);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void
vmp_opts_help(vmp_out *o, const vmp_term *t, const vmp_opt *opts, size_t n)
{
    enum { HELP_AT = 26 };
    vmp_out name, help;
    vmp_out_init(&name, -1);
    vmp_out_init(&help, -1);
    for (size_t i = 0; i < n; i++) {
        vmp_out_clear(&name);
        vmp_out_text(&name, "  ");
        if (opts[i].letter)
            vmp_out_printf(&name, "-%c, ", opts[i].letter);
        vmp_out_printf(&name, "--%s%s%s", opts[i].name, opts[i].argument ? " " : "",
            opts[i].argument ? opts[i].argument : "");
        vmp_out_str(o, vmp_out_view(&name));
        vmp_out_clear(&help);
        vmp_term_wrap(&help, t, HELP_AT, 0, vmp_str_from(opts[i].help));
        if (name.n + 2 <= HELP_AT) {
            vmp_out_fill(o, ' ', HELP_AT - name.n);
            vmp_out_bytes(o, help.p + HELP_AT, help.n - HELP_AT);
        } else {
            vmp_out_text(o, "\n");
            vmp_out_str(o, vmp_out_view(&help));
        }
    }
    vmp_out_drop(&name, o);
    vmp_out_drop(&help, o);
}
