#include "report_internal.h"

/* The outermost frames of a program that `python -m vmprof` runs; PyPy's start is
 * Python too. */
static const vmp_str default_fold[] = {
    {"<builtin>/app_main.py", 21},
    {"<frozen runpy>", 14},
    {"/runpy.py", 9},
    {"/vmprof/_*.py", 13},
};

vmp_report_filter
vmp_report_filter_default(void)
{
    return (vmp_report_filter){
        .fold = default_fold,
        .fold_count = sizeof(default_fold) / sizeof(default_fold[0]),
    };
}

static bool
contains(vmp_str text, vmp_str part)
{
    if (part.n == 0)
        return true;
    if (part.n > text.n)
        return false;
    const char *p = text.p, *last = text.p + (text.n - part.n);
    while (p <= last && (p = memchr(p, part.p[0], (size_t)(last - p) + 1))) {
        if (memcmp(p, part.p, part.n) == 0)
            return true;
        p++;
    }
    return false;
}

bool
vmp_report_matches(
    const vmp_profile *p, vmp_function_id function, const vmp_str *patterns, size_t count)
{
    const vmp_profile_function *f = &p->functions[function.i];
    for (size_t i = 0; i < count; i++)
        if (contains(vmp_profile_string(p, f->name), patterns[i]) ||
            contains(vmp_profile_string(p, f->qualname), patterns[i]) ||
            contains(vmp_profile_string(p, f->file), patterns[i]))
            return true;
    return false;
}

static bool
ends_with(vmp_str text, const char *end, size_t n)
{
    return text.n >= n && (n == 0 || memcmp(text.p + text.n - n, end, n) == 0);
}

bool
vmp_report_file_ends(vmp_str file, vmp_str pattern)
{
    const char *star = pattern.n ? memchr(pattern.p, '*', pattern.n) : NULL;
    if (!star)
        return ends_with(file, pattern.p, pattern.n);
    size_t before = (size_t)(star - pattern.p), after = pattern.n - before - 1;
    if (!ends_with(file, star + 1, after))
        return false;
    file.n -= after;
    for (;;) {
        if (ends_with(file, pattern.p, before))
            return true;
        if (file.n == 0 || file.p[file.n - 1] == '/')
            return false;
        file.n--;
    }
}
