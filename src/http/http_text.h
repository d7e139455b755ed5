/* Text of requests, taken apart. Nothing here knows a connection; all of it may be
 * given any bytes. */
#ifndef VMP_HTTP_TEXT_H
#define VMP_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "str.h"

/* Splits what stands in a request line into path and query, both as they stand there. */
void vmp_http_split(vmp_str target, vmp_str *ret_path, vmp_str *ret_query);

/* Undoes %XX, and with `form` '+' for a space. False: a % without two digits, bytes that
 * are not UTF-8, a NUL, or no memory. */
bool vmp_http_decode(vmp_arena *arena, vmp_str s, bool form, vmp_str *ret_s);

/* The next "name=value" of a query, decoded; *query is what is left. Without a '=' the
 * value is {NULL, 0}. Returns 1, 0 at the end, -1 if it makes no sense. */
int vmp_http_query_next(vmp_arena *arena, vmp_str *query, vmp_str *ret_name, vmp_str *ret_value);

/* Matches a path against a pattern such as "/api/log/{}": each {} is one segment that is
 * not empty, put into `captured` as it stands there. A slash at the end does not matter. */
enum { VMP_HTTP_MAX_CAPTURED = 2 };
bool vmp_http_match(vmp_str path, const char *pattern, vmp_str captured[VMP_HTTP_MAX_CAPTURED]);

/* True of a Host header that names this machine in a way that no name server can give to
 * somebody else: an address, localhost, or `own` (the name that was asked to be served). */
bool vmp_http_host_is_ours(vmp_str host, vmp_str own);

/* True if an Origin header is that of a page from this server, whose Host header is `host`. */
bool vmp_http_origin_is_ours(vmp_str origin, vmp_str host);

/* True if they are equal. Takes as long for any text of one length. */
bool vmp_http_is_secret(vmp_str given, vmp_str secret);

/* True if an Authorization header ("Token X" or "Bearer X") has this token. Takes as long for
 * any token of one length. */
bool vmp_http_token_is(vmp_str authorization, vmp_str token);

/* A decimal number without sign; false if it is none or does not fit. */
bool vmp_http_uint(vmp_str s, uint64_t *ret_value);

/* "key:value", key of at most VMP_HTTP_MAX_KEY letters, digits, '_', '-' and '.'; without a
 * colon the value is {NULL, 0}. */
enum { VMP_HTTP_MAX_KEY = 64 };
bool vmp_http_label(vmp_str s, vmp_str *ret_key, vmp_str *ret_value);
bool vmp_http_label_key(vmp_str key);

#endif
