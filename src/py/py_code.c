#include "py_code.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_HEAD_BYTES = 256, /* of a string or bytes object; the offsets are validated against it */
    MAX_CODE_HEAD_BYTES = 1024,
    /* More than any name or table has; a size above means that this is no string. */
    MAX_PLAUSIBLE = 1 << 30,
    KIND_MASK = 7,
    COMPACT_BIT = 3, /* counted from kind_shift */
    ASCII_BIT = 4,
    UTF8_MAX = 4, /* bytes of one character */
    REPLACEMENT = 0xfffd,
};

/* Reads the fields of an object at off[0..n), each of 8 bytes, in one go. */
static int
words_read(const vmp_mem *mem, uint64_t addr, const uint16_t *off, size_t n, uint64_t *ret)
{
    uint8_t head[MAX_CODE_HEAD_BYTES];
    uint16_t from = UINT16_MAX, to = 0;
    for (size_t i = 0; i < n; i++) {
        if (off[i] < from)
            from = off[i];
        if (off[i] + sizeof(uint64_t) > to)
            to = (uint16_t)(off[i] + sizeof(uint64_t));
    }
    if (to > sizeof(head))
        return -VMP_ECORRUPT;
    int rc = mem->read(mem->ctx, addr + from, head + from, (size_t)(to - from));
    for (size_t i = 0; rc == 0 && i < n; i++)
        memcpy(&ret[i], head + off[i], sizeof(ret[i]));
    return rc;
}

static size_t
utf8_put(char *out, uint32_t c)
{
    if (c == 0 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = REPLACEMENT;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}

static uint32_t
char_get(const uint8_t *data, size_t i, uint32_t kind)
{
    uint16_t two;
    uint32_t four;
    switch (kind) {
    case 1:
        return data[i];
    case 2:
        memcpy(&two, data + 2 * i, sizeof(two));
        return two;
    default:
        memcpy(&four, data + 4 * i, sizeof(four));
        return four;
    }
}

/* n characters of `kind` bytes as UTF-8 of at most VMP_PY_MAX_NAME bytes, cut
 * between characters. */
static int
utf8_new(char **ret, const uint8_t *data, size_t n, uint32_t kind)
{
    size_t most = n * (kind == 1 ? 2 : UTF8_MAX) + UTF8_MAX;
    if (most > VMP_PY_MAX_NAME + UTF8_MAX)
        most = VMP_PY_MAX_NAME + UTF8_MAX;
    char *out = malloc(most + 1), one[UTF8_MAX];
    if (!out)
        return -VMP_ENOMEM;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        size_t bytes = utf8_put(one, char_get(data, i, kind));
        if (used + bytes > most || used + bytes > VMP_PY_MAX_NAME)
            break;
        memcpy(out + used, one, bytes);
        used += bytes;
    }
    out[used] = '\0';
    *ret = out;
    return 0;
}

/* A str object: PEP 393, compact or not. */
static int
str_read(char **ret, const vmp_py_offsets *off, const vmp_mem *mem, uint64_t addr)
{
    uint64_t head[2];
    const uint16_t fields[] = {off->unicode.length, off->unicode.state};
    int rc = words_read(mem, addr, fields, 2, head);
    if (rc < 0)
        return rc;
    uint32_t state = (uint32_t)head[1] >> off->unicode.kind_shift, kind = state & KIND_MASK;
    bool compact = state >> COMPACT_BIT & 1, ascii = state >> ASCII_BIT & 1;
    if ((kind != 1 && kind != 2 && kind != 4) || (ascii && kind != 1) || head[0] > MAX_PLAUSIBLE)
        return -VMP_ECORRUPT;
    uint64_t data = addr + (ascii ? off->unicode.ascii_data : off->unicode.compact_data);
    if (!compact && (rc = words_read(mem, addr, &off->unicode.legacy_data, 1, &data)) < 0)
        return rc;
    size_t n = head[0] < VMP_PY_MAX_NAME ? (size_t)head[0] : VMP_PY_MAX_NAME;
    /* Not on the stack: a thread of the program whose code object dies may have a small one. */
    uint8_t *chars = malloc(n * kind + 1);
    if (!chars)
        return -VMP_ENOMEM;
    rc = mem->read(mem->ctx, data, chars, n * kind);
    if (rc == 0)
        rc = utf8_new(ret, chars, n, kind);
    free(chars);
    return rc;
}

static int
bytes_read(
    uint8_t **ret, uint32_t *ret_n, const vmp_py_offsets *off, const vmp_mem *mem, uint64_t addr)
{
    uint64_t size;
    int rc = words_read(mem, addr, &off->bytes.size, 1, &size);
    if (rc < 0)
        return rc;
    if (size > MAX_PLAUSIBLE)
        return -VMP_ECORRUPT;
    if (size > VMP_PY_MAX_LINETABLE)
        size = VMP_PY_MAX_LINETABLE;
    uint8_t *p = malloc(size ? (size_t)size : 1);
    if (!p)
        return -VMP_ENOMEM;
    rc = mem->read(mem->ctx, addr + off->bytes.data, p, (size_t)size);
    if (rc < 0) {
        free(p);
        return rc;
    }
    *ret = p;
    *ret_n = (uint32_t)size;
    return 0;
}

int
vmp_py_code_read(vmp_py_code *ret_c, const vmp_py_offsets *off, const vmp_mem *mem, uint64_t addr)
{
    enum { NAME, FILENAME, LINETABLE, FIRSTLINENO, QUALNAME };
    bool has_qualname = off->code.qualname != VMP_PY_NONE;
    const uint16_t fields[] = {off->code.name, off->code.filename, off->code.linetable,
        off->code.firstlineno, off->code.qualname};
    uint64_t at[5];
    memset(ret_c, 0, sizeof(*ret_c));
    int rc = words_read(mem, addr, fields, has_qualname ? 5 : 4, at);
    if (rc < 0)
        return rc;
    vmp_py_code c = {.first_line = (int32_t)(uint32_t)at[FIRSTLINENO], .kind = off->linetable};
    if ((rc = str_read(&c.name, off, mem, at[NAME])) < 0 ||
        (rc = str_read(&c.qualname, off, mem, at[has_qualname ? QUALNAME : NAME])) < 0 ||
        (rc = str_read(&c.file, off, mem, at[FILENAME])) < 0 ||
        (rc = bytes_read(&c.linetable, &c.linetable_size, off, mem, at[LINETABLE])) < 0) {
        vmp_py_code_fini(&c);
        return rc;
    }
    *ret_c = c;
    return 0;
}

void
vmp_py_code_fini(vmp_py_code *c)
{
    free(c->name);
    free(c->qualname);
    free(c->file);
    free(c->linetable);
    memset(c, 0, sizeof(*c));
}
