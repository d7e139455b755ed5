/* Writes JSON (RFC 8259) straight down: begin, keys and values, end.
 *
 * Commas are put by the writer. Text is made valid: bytes that are not UTF-8
 * become U+FFFD. Errors are those of the vmp_out below. */
#ifndef VMP_JSON_OUT_H
#define VMP_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "out.h"
#include "str.h"

typedef struct vmp_json {
    vmp_out *out;
    bool comma; /* a value came before at this level */
} vmp_json;

static inline vmp_json
vmp_json_to(vmp_out *out)
{
    return (vmp_json){out, false};
}

/* open: '{' or '['; close: '}' or ']'. */
void vmp_json_begin(vmp_json *j, char open);
void vmp_json_end(vmp_json *j, char close);
/* The key of the next value; of our own writing, ASCII without quotes. */
void vmp_json_key(vmp_json *j, const char *key);
/* A key that comes from a file. */
void vmp_json_key_str(vmp_json *j, vmp_str key);

void vmp_json_str(vmp_json *j, vmp_str s);
void vmp_json_uint(vmp_json *j, uint64_t v);
void vmp_json_int(vmp_json *j, int64_t v);
/* Shortest decimal that reads back as v, in any locale with a point; null if v
 * is not finite. */
void vmp_json_double(vmp_json *j, double v);
void vmp_json_bool(vmp_json *j, bool v);
void vmp_json_null(vmp_json *j);

/* Key and value in one. */
static inline void
vmp_json_put_str(vmp_json *j, const char *key, vmp_str s)
{
    vmp_json_key(j, key);
    vmp_json_str(j, s);
}

static inline void
vmp_json_put_uint(vmp_json *j, const char *key, uint64_t v)
{
    vmp_json_key(j, key);
    vmp_json_uint(j, v);
}

static inline void
vmp_json_put_double(vmp_json *j, const char *key, double v)
{
    vmp_json_key(j, key);
    vmp_json_double(j, v);
}

static inline void
vmp_json_put_bool(vmp_json *j, const char *key, bool v)
{
    vmp_json_key(j, key);
    vmp_json_bool(j, v);
}

/* Key and list: what stands between newlines, also if that is nothing. No text: no
 * list of one empty line, but an empty list. */
void vmp_json_put_lines(vmp_json *j, const char *key, vmp_str text);

#endif
