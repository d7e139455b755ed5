/* Line tables: from an instruction's byte offset to its line and columns.
 *
 * LNOTAB (3.8, 3.9): pairs of bytes, (bytes forward, signed lines forward). The
 * line of an instruction is the sum of the steps up to its offset.
 *
 * PEP626 (3.10): pairs of bytes, (length in bytes, signed lines forward) of one
 * range each; a step of -128 says that the range has no line.
 *
 * LOCATIONS (3.11 on): entries of one range each. The first byte has its top
 * bit set, then 4 bits kind, 3 bits length in code units less one:
 *    0..9   no line step; column = kind * 8 + high 4 bits of the next byte's
 *           lower 7, end column = column + its low 4 bits
 *   10..12  line step kind - 10; a byte column, a byte end column
 *   13      svarint line step; no columns
 *   14      svarint line step, varint lines to the end, varint column + 1,
 *           varint end column + 1 (0: none)
 *   15      no location
 * A varint has 6 bits a byte, lowest first, bit 6 set while more follow; a
 * svarint carries its sign in the lowest bit. No later byte of an entry has its
 * top bit set, so a damaged entry ends where the next one starts.
 * Source: CPython Objects/lnotab_notes.txt (3.10), Objects/locations.md (3.11)
 * and InternalDocs/code_objects.md (3.14). */
#include "py_code.h"

#include "py_walk.h"

enum {
    NO_LINE_STEP = -128,
    UNIT = 2, /* bytes of a code unit */
    KIND_ONE_LINE = 10,
    KIND_NO_COLUMNS = 13,
    KIND_LONG = 14,
    KIND_NONE = 15,
    VARINT_MAX_SHIFT = 30,
};

static uint32_t
line_clamp(int64_t line)
{
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static vmp_py_pos
line_only(int64_t line)
{
    return (vmp_py_pos){.line = line_clamp(line), .end_line = line_clamp(line)};
}

static vmp_py_pos
lnotab_pos(const vmp_py_code *c, uint32_t instr)
{
    int64_t line = c->first_line;
    uint64_t at = 0;
    for (uint32_t i = 0; i + 1 < c->linetable_size; i += 2) {
        at += c->linetable[i];
        if (at > instr)
            break;
        line += (int8_t)c->linetable[i + 1];
    }
    return line_only(line);
}

static vmp_py_pos
pep626_pos(const vmp_py_code *c, uint32_t instr)
{
    int64_t line = c->first_line;
    uint64_t end = 0;
    for (uint32_t i = 0; i + 1 < c->linetable_size; i += 2) {
        int8_t step = (int8_t)c->linetable[i + 1];
        end += c->linetable[i];
        if (step != NO_LINE_STEP)
            line += step;
        if (instr < end)
            return line_only(step == NO_LINE_STEP ? 0 : line);
    }
    return (vmp_py_pos){0};
}

typedef struct cursor {
    const uint8_t *p, *end;
} cursor;

static uint32_t
byte_next(cursor *s)
{
    return s->p < s->end && *s->p < 0x80 ? *s->p++ : 0;
}

static uint32_t
varint_next(cursor *s)
{
    uint32_t v = 0, b;
    int shift = 0;
    do {
        b = byte_next(s);
        if (shift <= VARINT_MAX_SHIFT)
            v |= (b & 0x3f) << shift;
        shift += 6;
    } while (b & 0x40);
    return v;
}

static int64_t
svarint_next(cursor *s)
{
    uint32_t v = varint_next(s);
    return v & 1 ? -(int64_t)(v >> 1) : (int64_t)(v >> 1);
}

/* Columns as the table has them: plus one, 0 for none. */
static void
columns_set(vmp_py_pos *pos, uint32_t col_1, uint32_t end_col_1)
{
    if (col_1 == 0 || end_col_1 == 0)
        return;
    pos->has_columns = true;
    pos->col = col_1 - 1;
    pos->end_col = end_col_1 - 1;
}

/* One entry; *line is the line that its steps count from. */
static vmp_py_pos
location_next(cursor *s, uint32_t kind, int64_t *line)
{
    vmp_py_pos pos = {0};
    uint32_t col, end_col, end_lines = 0;
    switch (kind) {
    case KIND_NONE:
        return pos;
    case KIND_LONG:
        *line += svarint_next(s);
        end_lines = varint_next(s);
        col = varint_next(s);
        end_col = varint_next(s);
        break;
    case KIND_NO_COLUMNS:
        *line += svarint_next(s);
        col = end_col = 0;
        break;
    case KIND_ONE_LINE:
    case KIND_ONE_LINE + 1:
    case KIND_ONE_LINE + 2:
        *line += kind - KIND_ONE_LINE;
        col = byte_next(s) + 1;
        end_col = byte_next(s) + 1;
        break;
    default: {
        uint32_t b = byte_next(s);
        col = (kind << 3 | b >> 4) + 1;
        end_col = col + (b & 15);
    }
    }
    pos.line = line_clamp(*line);
    pos.end_line = line_clamp(*line + end_lines);
    columns_set(&pos, col, end_col);
    return pos;
}

static vmp_py_pos
locations_pos(const vmp_py_code *c, uint32_t instr)
{
    cursor s = {c->linetable, c->linetable + c->linetable_size};
    int64_t line = c->first_line;
    uint64_t end = 0;
    while (s.p < s.end) {
        uint32_t first = *s.p++;
        end += UNIT * ((first & 7) + 1);
        vmp_py_pos pos = location_next(&s, first >> 3 & 15, &line);
        if (instr < end)
            return pos;
    }
    return (vmp_py_pos){0};
}

vmp_py_pos
vmp_py_code_pos(const vmp_py_code *c, uint32_t instr)
{
    if (instr == VMP_PY_INSTR_UNKNOWN)
        return line_only(c->first_line);
    switch (c->kind) {
    case VMP_PY_LINETABLE_LNOTAB:
        return lnotab_pos(c, instr);
    case VMP_PY_LINETABLE_PEP626:
        return pep626_pos(c, instr);
    default:
        return locations_pos(c, instr);
    }
}
