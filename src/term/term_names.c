#include "term_names.h"

#include <inttypes.h>

/* The rest of s after a prefix, or {NULL, 0}. */
static vmp_str
after_prefix(vmp_str s, vmp_str prefix)
{
    if (prefix.n == 0 || s.n <= prefix.n || memcmp(s.p, prefix.p, prefix.n) != 0)
        return (vmp_str){0};
    return (vmp_str){s.p + prefix.n, s.n - prefix.n};
}

/* The rest of s after the last place where `part` is in it, or {NULL, 0}. */
static vmp_str
after_last(vmp_str s, const char *part)
{
    vmp_str found = {0}, rest = s;
    size_t n = strlen(part);
    for (;;) {
        const char *at = rest.n >= n ? memmem(rest.p, rest.n, part, n) : NULL;
        if (!at)
            return found;
        rest = (vmp_str){at + n, s.n - (size_t)(at + n - s.p)};
        found = rest;
    }
}

/* Strips ".../lib/python3.11/": the standard library. */
static vmp_str
after_stdlib(vmp_str file)
{
    vmp_str rest = after_last(file, "/lib/python");
    for (size_t i = 0; i < rest.n; i++) {
        char c = rest.p[i];
        if (c == '/' && i > 0)
            return (vmp_str){rest.p + i + 1, rest.n - i - 1};
        if (c != '.' && c != 't' && (c < '0' || c > '9'))
            break;
    }
    return (vmp_str){0};
}

vmp_str
vmp_name_short_file(const vmp_profile *p, enum vmp_profile_kind kind, vmp_str file)
{
    if (kind == VMP_PROFILE_NATIVE) {
        vmp_str base = after_last(file, "/");
        return base.n ? base : file;
    }
    if (p->process_count > 1) {
        vmp_str rest = after_prefix(file, vmp_profile_meta_get(p, (vmp_process_id){1}, "cwd"));
        if (rest.n > 1 && rest.p[0] == '/')
            return (vmp_str){rest.p + 1, rest.n - 1};
    }
    static const char *const roots[] = {"/site-packages/", "/dist-packages/"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        vmp_str rest = after_last(file, roots[i]);
        if (rest.n)
            return rest;
    }
    vmp_str stdlib = after_stdlib(file);
    return stdlib.n ? stdlib : file;
}

vmp_str
vmp_name_function(const vmp_profile *p, vmp_function_id id)
{
    vmp_str name = vmp_profile_function_name(p, id);
    return name.n ? name : vmp_str_from("<unknown>");
}

vmp_str
vmp_name_place(vmp_out *o, const vmp_profile *p, vmp_function_id id, uint32_t line)
{
    const vmp_profile_function *f = &p->functions[id.i];
    vmp_out_clear(o);
    vmp_out_str(o, vmp_name_short_file(p, f->kind, vmp_profile_string(p, f->file)));
    if (line == 0 && f->first_line > 0)
        line = (uint32_t)f->first_line;
    if (line > 0 && o->n > 0)
        vmp_out_printf(o, ":%" PRIu32, line);
    return vmp_out_view(o);
}

vmp_str
vmp_name_place_at(
    vmp_out *o, const vmp_profile *p, vmp_function_id id, vmp_location_id location, bool columns)
{
    const vmp_profile_location *at = &p->locations[location.i];
    vmp_name_place(o, p, id, at->line);
    if (columns && at->has_columns)
        vmp_out_printf(o, ":%" PRIu32, at->col + 1);
    return vmp_out_view(o);
}

vmp_str
vmp_name_thread(vmp_out *o, const vmp_profile *p, vmp_thread_id id)
{
    const vmp_profile_thread *thread = &p->threads[id.i];
    vmp_str name = vmp_profile_string(p, thread->name);
    vmp_out_clear(o);
    if (name.n)
        vmp_out_str(o, name);
    else if (thread->os_tid || thread->ident)
        vmp_out_printf(o, "thread %" PRIu64, thread->os_tid ? thread->os_tid : thread->ident);
    else
        vmp_out_text(o, id.i ? "thread without a name" : "unknown thread");
    return vmp_out_view(o);
}

vmp_str
vmp_name_process(vmp_out *o, const vmp_profile *p, vmp_process_id id)
{
    vmp_out_clear(o);
    vmp_out_printf(o, "process %" PRIu32, p->processes[id.i].pid);
    vmp_str argv = vmp_profile_meta_get(p, id, "argv");
    if (argv.n) {
        vmp_out_text(o, ": ");
        vmp_name_command_line(o, argv);
    }
    return vmp_out_view(o);
}

static bool
is_shell_word(vmp_str s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_=+./,:@%^";
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x80 && !memchr(plain, s.p[i], sizeof(plain) - 1))
            return false;
    return s.n > 0;
}

static void
put_word(vmp_out *o, vmp_str word)
{
    if (is_shell_word(word)) {
        vmp_out_str(o, word);
        return;
    }
    vmp_out_text(o, "'");
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '\'')
            vmp_out_text(o, "'\\''");
        else
            vmp_out_bytes(o, word.p + i, 1);
    }
    vmp_out_text(o, "'");
}

void
vmp_name_command_line(vmp_out *o, vmp_str argv)
{
    for (size_t i = 0; i <= argv.n;) {
        const char *end = i < argv.n ? memchr(argv.p + i, '\n', argv.n - i) : NULL;
        size_t n = end ? (size_t)(end - argv.p) - i : argv.n - i;
        if (i > 0)
            vmp_out_text(o, " ");
        put_word(o, (vmp_str){argv.p + i, n});
        i += n + 1;
    }
}

static bool
contains(vmp_str s, vmp_str part)
{
    return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n));
}

bool
vmp_name_matches(const vmp_profile *p, vmp_function_id id, vmp_str pattern)
{
    const vmp_profile_function *f = &p->functions[id.i];
    return contains(vmp_profile_string(p, f->name), pattern) ||
           contains(vmp_profile_string(p, f->qualname), pattern) ||
           contains(vmp_profile_string(p, f->file), pattern);
}
