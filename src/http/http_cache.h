/* Loaded profiles that were asked for lately, bounded by their bytes. Safe for any number
 * of threads. */
#ifndef VMP_HTTP_CACHE_H
#define VMP_HTTP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "profile.h"
#include "str.h"

typedef struct vmp_http_cache vmp_http_cache;

/* max_bytes: of profiles that nobody uses at the moment. NULL: no memory. */
vmp_http_cache *vmp_http_cache_new(uint64_t max_bytes);
/* All profiles must have been released. Accepts NULL in it. */
void vmp_http_cache_free(vmp_http_cache **c);

/* The profile of this id, or NULL. Stays until it is released. */
const vmp_profile *vmp_http_cache_get(vmp_http_cache *c, vmp_str id);
/* Takes a profile, and gives it out as vmp_http_cache_get does. If there is no memory to
 * keep it by, NULL, and *p is freed. */
const vmp_profile *vmp_http_cache_put(vmp_http_cache *c, vmp_str id, vmp_profile **p);
void vmp_http_cache_release(vmp_http_cache *c, const vmp_profile *p);
/* Forgets a profile that is gone from the store. */
void vmp_http_cache_drop(vmp_http_cache *c, vmp_str id);
uint64_t vmp_http_cache_bytes(vmp_http_cache *c);

#endif
