/* The flame graph of vmprof before 1.0: the tree that Stats.get_tree() gives, as nested
 * lists [name, address, count, {meta: count}, [child, ...]]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat_tree.h"
#include "http_internal.h"

/* Children of each node as lists, in the order of the nodes; 0 ends a list, since no node
 * has the root as a child. */
typedef struct family {
    uint32_t *first, *next;
} family;

static int
find_children(const vmp_compat_tree *t, family *f)
{
    f->first = calloc((size_t)t->count + 1, sizeof(*f->first));
    f->next = calloc((size_t)t->count + 1, sizeof(*f->next));
    if (!f->first || !f->next)
        return -VMP_ENOMEM;
    for (uint32_t i = t->count; i-- > 1;) {
        f->next[i] = f->first[t->parent[i]];
        f->first[t->parent[i]] = i;
    }
    return 0;
}

void
vmp_old_put_name(vmp_json *j, const vmp_profile *p, vmp_function_id id)
{
    const vmp_profile_function *f = &p->functions[id.i];
    vmp_str name = vmp_profile_string(p, f->name), file = vmp_profile_string(p, f->file);
    vmp_out text;
    if (f->kind == VMP_PROFILE_UNKNOWN) {
        vmp_json_str(j, name.n ? name : vmp_str_from("<unknown code>"));
        return;
    }
    vmp_out_init(&text, -1);
    vmp_out_text(&text, f->kind == VMP_PROFILE_NATIVE ? "n:" : "py:");
    vmp_out_str(&text, name);
    vmp_out_printf(&text, ":%d:", (int)f->first_line);
    if (file.n)
        vmp_out_str(&text, file);
    else
        vmp_out_text(&text, "-");
    vmp_json_str(j, vmp_out_view(&text));
    vmp_out_drop(&text, j->out);
}

static void
put_count(vmp_json *j, const vmp_profile *p, const char *key, uint64_t weight)
{
    uint64_t ticks = vmp_profile_ticks(p, weight);
    if (ticks)
        vmp_json_put_uint(j, key, ticks);
}

/* All of a node but its children, whose list it opens. */
static void
open_node(vmp_json *j, const vmp_profile *p, const vmp_compat_tree *t, uint32_t i)
{
    char address[16];
    snprintf(address, sizeof(address), "%u", t->function[i].i);
    vmp_json_begin(j, '[');
    vmp_old_put_name(j, p, t->function[i]);
    vmp_json_str(j, vmp_str_from(address));
    vmp_json_uint(j, vmp_profile_ticks(p, t->weight[i]));
    vmp_json_begin(j, '{');
    put_count(j, p, "native", t->native_weight[i]);
    put_count(j, p, "jit", t->jit_weight[i]);
    vmp_json_end(j, '}');
    vmp_json_begin(j, '[');
}

/* The tree below `top`, without recursion: it may be as deep as a stack. */
static void
put_tree(vmp_json *j, const vmp_profile *p, const vmp_compat_tree *t, const family *f)
{
    uint32_t at = t->top;
    open_node(j, p, t, at);
    for (uint32_t go_to = f->first[at];; go_to = f->first[at]) {
        while (go_to == 0) {
            vmp_json_end(j, ']');
            vmp_json_end(j, ']');
            if (at == t->top)
                return;
            go_to = f->next[at];
            at = t->parent[at];
        }
        at = go_to;
        open_node(j, p, t, at);
    }
}

static int
put_flamegraph(vmp_http_request *r, const vmp_profile *p, vmp_str vm, vmp_str argv)
{
    vmp_compat_tree *t = NULL;
    family f = {0};
    int rc = vmp_compat_tree_new(&t, p);
    if (rc == 0)
        rc = find_children(t, &f);
    if (rc == 0) {
        vmp_json j = vmp_http_reply_json(r, MHD_HTTP_OK);
        vmp_json_begin(&j, '{');
        vmp_json_key(&j, "data");
        vmp_json_begin(&j, '{');
        vmp_json_put_str(&j, "VM", vm);
        vmp_json_key(&j, "profiles");
        if (t->count)
            put_tree(&j, p, t, &f);
        else
            vmp_json_null(&j);
        vmp_json_put_str(&j, "argv", argv);
        vmp_json_put_uint(&j, "version", 2);
        vmp_json_end(&j, '}');
        vmp_json_key(&j, "measures");
        vmp_json_begin(&j, '{');
        vmp_json_end(&j, '}');
        vmp_json_end(&j, '}');
    }
    free(f.first);
    free(f.next);
    vmp_compat_tree_free(&t);
    return rc;
}

int
vmp_old_flamegraph(vmp_http_request *r)
{
    vmp_store *store = r->server->options->store;
    vmp_store_items *items = NULL;
    const vmp_profile *p = NULL;
    int rc = vmp_http_profile(r, r->captured[0], &p);
    if (rc < 0)
        return rc;
    rc = store->ops->find(store, r->captured[0], &items, &r->err);
    if (rc == 0) {
        const vmp_store_item *item = &items->items[0];
        bool pypy = item->vm.n >= 4 &&
                    (memcmp(item->vm.p, "PyPy", 4) == 0 || memcmp(item->vm.p, "pypy", 4) == 0);
        rc = put_flamegraph(r, p, vmp_str_from(pypy ? "pypy" : "cpython"), item->argv);
    }
    vmp_store_items_free(&items);
    vmp_http_cache_release(r->server->cache, p);
    return rc;
}
