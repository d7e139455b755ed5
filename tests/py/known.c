#include "known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "py_code.h"
#include "py_walk.h"

static char *
text_copy(const char *s)
{
    char *p = strdup(s);
    if (!p)
        abort();
    return p;
}

static bool
frame_parse(known_thread *t, char *line)
{
    char *field[9], *at = line;
    if (t->n == KNOWN_MAX_FRAMES)
        return false;
    for (int i = 0; i < 9; i++) {
        field[i] = at;
        at = at ? strchr(at, '\t') : NULL;
        if (at)
            *at++ = '\0';
        else if (i < 8)
            return false;
    }
    known_frame *f = &t->frames[t->n++];
    f->name = text_copy(field[0]);
    f->qualname = text_copy(field[1]);
    f->file = text_copy(field[2]);
    f->instr = strcmp(field[3], "*") == 0 ? -1 : strtoll(field[3], NULL, 10);
    f->first_line = strtoll(field[4], NULL, 10);
    f->line = strtoll(field[5], NULL, 10);
    f->end_line = strtoll(field[6], NULL, 10);
    f->col = strtoll(field[7], NULL, 10);
    f->end_col = strtoll(field[8], NULL, 10);
    return true;
}

static bool
line_parse(known *k, char *line)
{
    char *value = strchr(line, ' ');
    if (!value)
        return strcmp(line, "end") == 0;
    *value++ = '\0';
    if (strcmp(line, "frame") == 0)
        return k->n > 0 && frame_parse(&k->threads[k->n - 1], value);
    if (strcmp(line, "thread") == 0) {
        if (k->n == KNOWN_MAX_THREADS)
            return false;
        known_thread *t = &k->threads[k->n++];
        return sscanf(value, "%" SCNx64 " %" SCNu64 " %" SCNu64, &t->tstate, &t->ident,
                   &t->native_tid) == 3;
    }
    if (strcmp(line, "python") == 0)
        snprintf(k->python, sizeof(k->python), "%s", value);
    else if (strcmp(line, "version_hex") == 0)
        k->target.version_hex = (uint32_t)strtoul(value, NULL, 16);
    else if (strcmp(line, "free_threaded") == 0)
        k->target.free_threaded = *value == '1';
    else if (strcmp(line, "runtime") == 0)
        k->target.runtime_addr = strtoull(value, NULL, 16);
    else if (strcmp(line, "code_type") == 0)
        k->code_type = strtoull(value, NULL, 16);
    else
        return false;
    return true;
}

known *
known_load(const char *path)
{
    char line[4096];
    FILE *f = fopen(path, "r");
    known *k = f ? calloc(1, sizeof(*k)) : NULL;
    bool good = k != NULL;
    while (good && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        good = line_parse(k, line);
    }
    if (f)
        fclose(f);
    if (!good || k->n == 0) {
        known_free(k);
        return NULL;
    }
    return k;
}

void
known_free(known *k)
{
    for (uint32_t t = 0; k && t < k->n; t++) {
        for (uint32_t i = 0; i < k->threads[t].n; i++) {
            free(k->threads[t].frames[i].name);
            free(k->threads[t].frames[i].qualname);
            free(k->threads[t].frames[i].file);
        }
    }
    free(k);
}

static int
frame_compare(const vmp_py_offsets *off, const vmp_mem *mem, const vmp_frame *got,
    const known_frame *want, uint32_t at)
{
    vmp_py_code c;
    int rc = vmp_py_code_read(&c, off, mem, got->code);
    if (rc < 0) {
        printf("# frame %u (%s): code object not read: %s\n", at, want->qualname, vmp_err_text(rc));
        return 1;
    }
    vmp_py_pos pos = vmp_py_code_pos(&c, got->instr);
    bool same = strcmp(c.name, want->name) == 0 && strcmp(c.file, want->file) == 0 &&
                strcmp(c.qualname, want->qualname) == 0 && c.first_line == want->first_line &&
                (want->instr < 0 || want->instr == got->instr) && pos.line == want->line &&
                (want->end_line < 0 || pos.end_line == want->end_line) &&
                (want->col < 0 || (pos.has_columns && pos.col == want->col)) &&
                (want->end_col < 0 || (pos.has_columns && pos.end_col == want->end_col));
    if (!same)
        printf("# frame %u: %s %s %s:%" PRId32 " instr %" PRIu32 " line %" PRIu32 "-%" PRIu32
               " columns %" PRIu32 "-%" PRIu32 ", not %s %s:%" PRId64 " instr %" PRId64
               " line %" PRId64 "\n",
            at, c.name, c.qualname, c.file, c.first_line, got->instr, pos.line, pos.end_line,
            pos.col, pos.end_col, want->qualname, want->file, want->first_line, want->instr,
            want->line);
    vmp_py_code_fini(&c);
    return !same;
}

static int
thread_compare(const known *k, const vmp_py_offsets *off, const vmp_mem *mem, const known_thread *t)
{
    vmp_frame frames[KNOWN_MAX_FRAMES];
    vmp_py_stack st = {.frames = frames, .cap = KNOWN_MAX_FRAMES};
    vmp_py_blocks blocks;
    int bad = 0, rc = vmp_py_walk_mem(off, mem, &blocks, k->code_type, t->tstate, &st);
    if (rc < 0 || st.n != t->n || st.elided || st.dropped) {
        printf("# thread %" PRIx64 ": %s, %u frames, not %u, %u dropped\n", t->tstate,
            vmp_err_text(rc), st.n, t->n, st.dropped);
        bad++;
    }
    for (uint32_t i = 0; i < st.n && i < t->n; i++)
        bad += frame_compare(off, mem, &frames[i], &t->frames[i], i);
    return bad;
}

static uint64_t
word(const vmp_mem *mem, uint64_t addr, int *bad)
{
    uint64_t v = 0;
    if (mem->read(mem->ctx, addr, &v, sizeof(v)) != 0)
        ++*bad;
    return v;
}

/* The thread's place in the interpreter's list, and what its state says of it. */
static int
lists_compare(const known *k, const vmp_py_offsets *off, const vmp_mem *mem)
{
    int bad = 0;
    uint64_t interp = word(mem, k->target.runtime_addr + off->runtime.interpreters_head, &bad);
    if (word(mem, interp + off->interp.next, &bad) != 0)
        bad++; /* known_stack.py has one interpreter */
    uint32_t met = 0;
    uint64_t tstate = word(mem, interp + off->interp.threads_head, &bad);
    for (int i = 0; tstate != 0 && i < KNOWN_MAX_THREADS; i++) {
        for (uint32_t t = 0; t < k->n; t++) {
            if (k->threads[t].tstate != tstate)
                continue;
            met++;
            bad += word(mem, tstate + off->tstate.interp, &bad) != interp;
            bad += word(mem, tstate + off->tstate.thread_id, &bad) != k->threads[t].ident;
            if (off->tstate.native_tid != VMP_PY_NONE)
                bad += word(mem, tstate + off->tstate.native_tid, &bad) != k->threads[t].native_tid;
        }
        tstate = word(mem, tstate + off->tstate.next, &bad);
    }
    if (met != k->n)
        bad++;
    if (bad)
        printf("# the lists of threads differ in %d places\n", bad);
    return bad;
}

int
known_compare(const known *k, const vmp_mem *mem)
{
    vmp_py_offsets off;
    vmp_err err;
    int bad = 0;
    if (vmp_py_offsets_for(&off, &k->target, mem, &err) < 0) {
        printf("# %s\n", err.text);
        return 1;
    }
    for (uint32_t t = 0; t < k->n; t++)
        bad += thread_compare(k, &off, mem, &k->threads[t]);
    return bad + lists_compare(k, &off, mem);
}
