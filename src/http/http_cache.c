#include "http_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    struct entry *next; /* used less recently */
    char *id;           /* empty once it was dropped */
    size_t id_size;
    vmp_profile *profile;
    uint64_t bytes;
    unsigned users;
} entry;

struct vmp_http_cache {
    pthread_mutex_t lock;
    entry *first; /* the one used last */
    uint64_t bytes, max_bytes;
};

vmp_http_cache *
vmp_http_cache_new(uint64_t max_bytes)
{
    vmp_http_cache *c = calloc(1, sizeof(*c));
    if (c) {
        pthread_mutex_init(&c->lock, NULL);
        c->max_bytes = max_bytes;
    }
    return c;
}

/* What a profile takes, near enough: its large tables. */
static uint64_t
size_of(const vmp_profile *p)
{
    uint64_t text = 0;
    for (uint32_t i = 0; i < p->string_count; i++)
        text += p->strings[i].n + sizeof(vmp_str);
    return sizeof(*p) + text + p->function_count * sizeof(*p->functions) +
           p->code_count * sizeof(*p->code_function) + p->location_count * sizeof(*p->locations) +
           (uint64_t)p->stack_count * (sizeof(*p->stack_parent) + sizeof(*p->stack_location)) +
           p->sum_count * (sizeof(*p->sums) + (p->growth ? sizeof(*p->growth) : 0)) +
           p->thread_count * sizeof(*p->threads);
}

static void
free_entry(entry *e)
{
    vmp_profile_free(&e->profile);
    free(e->id);
    free(e);
}

/* Where the pointer to the entry is that was used least recently of those nobody uses. */
static entry **
last_unused(vmp_http_cache *c)
{
    entry **found = NULL;
    for (entry **at = &c->first; *at; at = &(*at)->next)
        if ((*at)->users == 0)
            found = at;
    return found;
}

static void
shrink(vmp_http_cache *c)
{
    while (c->bytes > c->max_bytes) {
        entry **at = last_unused(c);
        if (!at)
            break;
        entry *e = *at;
        *at = e->next;
        c->bytes -= e->bytes;
        free_entry(e);
    }
}

void
vmp_http_cache_free(vmp_http_cache **c)
{
    if (!*c)
        return;
    while ((*c)->first) {
        entry *e = (*c)->first;
        (*c)->first = e->next;
        free_entry(e);
    }
    pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

static entry *
find(vmp_http_cache *c, vmp_str id)
{
    for (entry **at = &c->first; *at; at = &(*at)->next) {
        entry *e = *at;
        if (vmp_str_equal((vmp_str){e->id, e->id_size}, id)) {
            *at = e->next;
            e->next = c->first;
            c->first = e;
            return e;
        }
    }
    return NULL;
}

const vmp_profile *
vmp_http_cache_get(vmp_http_cache *c, vmp_str id)
{
    pthread_mutex_lock(&c->lock);
    entry *e = find(c, id);
    if (e)
        e->users++;
    pthread_mutex_unlock(&c->lock);
    return e ? e->profile : NULL;
}

const vmp_profile *
vmp_http_cache_put(vmp_http_cache *c, vmp_str id, vmp_profile **p)
{
    entry *e = calloc(1, sizeof(*e));
    char *copy = malloc(id.n + 1);
    if (!e || !copy) {
        free(e);
        free(copy);
        vmp_profile_free(p);
        return NULL;
    }
    memcpy(copy, id.p, id.n);
    *e = (entry){.id = copy, .id_size = id.n, .profile = *p, .bytes = size_of(*p), .users = 1};
    *p = NULL;
    pthread_mutex_lock(&c->lock);
    e->next = c->first;
    c->first = e;
    c->bytes += e->bytes;
    shrink(c);
    pthread_mutex_unlock(&c->lock);
    return e->profile;
}

void
vmp_http_cache_release(vmp_http_cache *c, const vmp_profile *p)
{
    pthread_mutex_lock(&c->lock);
    for (entry **at = &c->first; *at; at = &(*at)->next) {
        entry *e = *at;
        if (e->profile != p)
            continue;
        e->users--;
        if (e->users == 0 && e->id_size == 0) {
            *at = e->next;
            c->bytes -= e->bytes;
            free_entry(e);
        }
        break;
    }
    shrink(c);
    pthread_mutex_unlock(&c->lock);
}

void
vmp_http_cache_drop(vmp_http_cache *c, vmp_str id)
{
    pthread_mutex_lock(&c->lock);
    entry *e = find(c, id);
    if (e && e->users == 0) {
        c->first = e->next;
        c->bytes -= e->bytes;
        free_entry(e);
    } else if (e) {
        e->id_size = 0;
    }
    pthread_mutex_unlock(&c->lock);
}

uint64_t
vmp_http_cache_bytes(vmp_http_cache *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t bytes = c->bytes;
    pthread_mutex_unlock(&c->lock);
    return bytes;
}
