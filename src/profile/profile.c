#include "profile.h"

#include <stdlib.h>

#include "profile_internal.h"

vmp_str
vmp_profile_meta_get(const vmp_profile *p, vmp_process_id process, const char *key)
{
    vmp_str wanted = vmp_str_from(key);
    for (size_t i = 0; i < p->meta_count; i++)
        if (p->metas[i].process.i == process.i &&
            vmp_str_equal(p->strings[p->metas[i].key.i], wanted))
            return p->strings[p->metas[i].value.i];
    return (vmp_str){NULL, 0};
}

uint32_t
vmp_profile_stack_depth(const vmp_profile *p, vmp_stack_id stack)
{
    uint32_t depth = 0;
    for (; stack.i != 0; stack = p->stack_parent[stack.i])
        depth++;
    return depth;
}

uint32_t
vmp_profile_stack_root_first(
    const vmp_profile *p, vmp_stack_id stack, vmp_location_id *out, uint32_t cap)
{
    uint32_t depth = vmp_profile_stack_depth(p, stack);
    uint32_t n = depth < cap ? depth : cap;
    for (uint32_t i = n; i > 0; i--, stack = p->stack_parent[stack.i])
        out[i - 1] = p->stack_location[stack.i];
    return n;
}
