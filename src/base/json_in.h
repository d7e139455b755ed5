/* Reads JSON (RFC 8259) from the left to the right: whoever reads knows what he
 * wants and takes it, or skips it.
 *
 *   vmp_json_in in = vmp_json_in_from(text, &arena);
 *   vmp_str key;
 *   if (vmp_json_in_open(&in))
 *       while (vmp_json_in_key(&in, &key))
 *           ...take or skip the value...
 *   if (!vmp_json_in_end(&in)) ...not what was wanted; in.error says why...
 *
 * After the first error every call fails, so it is asked for once. */
#ifndef VMP_JSON_IN_H
#define VMP_JSON_IN_H

#include <stdbool.h>

#include "arena.h"
#include "str.h"

typedef struct vmp_json_in {
    const char *p, *end;
    vmp_arena *arena;  /* for strings; borrowed */
    const char *error; /* what is wrong, for people; NULL while all is well */
    bool began;        /* an object or list was opened just now: no comma comes */
} vmp_json_in;

enum { VMP_JSON_IN_MAX_DEPTH = 32 }; /* of what is skipped */

/* text must outlive the reading; strings live as long as the arena. */
vmp_json_in vmp_json_in_from(vmp_str text, vmp_arena *arena);

/* Takes the '{' of an object. */
bool vmp_json_in_open(vmp_json_in *in);
/* The next key of the object, or false at its end, which is taken. */
bool vmp_json_in_key(vmp_json_in *in, vmp_str *ret_key);
/* A string, as UTF-8; it may hold NUL. */
bool vmp_json_in_str(vmp_json_in *in, vmp_str *ret_s);
/* Any value. */
bool vmp_json_in_skip(vmp_json_in *in);
/* True if nothing is left and nothing was wrong. */
bool vmp_json_in_end(vmp_json_in *in);

#endif
