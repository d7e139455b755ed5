#include "log_paths.h"

#include <stdlib.h>
#include <string.h>

#include "log_format.h"
#include "varint.h"
#include "vec.h"

/* What a choice adds to its count after the first time. */
enum { COUNT_STEP = 2 };

/* One choice: what is known of it before and after. */
typedef struct choice {
    uint32_t want;         /* encoding: the location, 0 to stop */
    uint32_t cur;          /* node at which the choice is made */
    uint32_t banned;       /* node that was just left, 0: none */
    uint32_t max_location; /* decoding */
} choice;

enum { FOUND = 1, ESCAPED = 0 };

void
vmp_log_paths_fini(vmp_log_paths *m)
{
    free(m->nodes);
    free(m->sites);
    free(m->entries);
    *m = (vmp_log_paths){0};
}

static int
sites_reach(vmp_log_paths *m, uint32_t location)
{
    if (VMP_VEC_RESERVE(m->sites, m->sites_cap, location + 1u) < 0)
        return -VMP_ENOMEM;
    for (; m->sites_n <= location; m->sites_n++)
        m->sites[m->sites_n] = (vmp_log_path_site){
            .stay = {VMP_LOG_CHANCE_START, VMP_LOG_CHANCE_START, VMP_LOG_CHANCE_START}};
    return 0;
}

int
vmp_log_paths_clear(vmp_log_paths *m)
{
    m->sites_n = 0;
    m->nodes_n = 1;
    m->entries_n = 1; /* 0 ends a list */
    m->high = 0;
    m->stamp = 0;
    m->is_next = m->is_above = VMP_LOG_CHANCE_START;
    for (int i = 0; i < VMP_LOG_PATH_PLACES; i++) {
        m->is_zero[i] = VMP_LOG_CHANCE_START;
        for (int c = 0; c < VMP_LOG_PATH_CLASSES; c++)
            m->time_class[i][c] = VMP_LOG_CHANCE_START;
    }
    if (VMP_VEC_RESERVE(m->nodes, m->nodes_cap, 1) < 0 ||
        VMP_VEC_RESERVE(m->entries, m->entries_cap, 1) < 0 || sites_reach(m, 0) < 0)
        return -VMP_ENOMEM;
    m->nodes[0] = (vmp_log_path_node){0};
    m->entries[0] = (vmp_log_path_entry){0};
    return 0;
}

uint64_t
vmp_log_paths_time(vmp_log_paths *m, vmp_log_range *rc, vmp_log_path_thread *t, uint64_t v)
{
    unsigned place = t->place, bits = 0;
    for (uint64_t rest = v; rest != 0; rest >>= 1)
        bits++;
    if (vmp_log_range_bit(rc, &m->is_zero[place], v == 0)) {
        t->place = 0;
        return 0;
    }
    /* 64 classes of numbers with 1 to 64 bits, as six bits of a tree. */
    unsigned at = 1;
    for (int i = 5; i >= 0; i--)
        at = at << 1 | vmp_log_range_bit(rc, &m->time_class[place][at], (bits - 1) >> i & 1);
    bits = at - VMP_LOG_PATH_CLASSES + 1;
    t->place = bits > 1 ? 2 : 1;
    uint64_t top = (uint64_t)1 << (bits - 1);
    return top | vmp_log_range_bits(rc, bits - 1, v & (top - 1));
}

static void
node_rescale(vmp_log_paths *m, vmp_log_path_node *n)
{
    n->stop = (uint16_t)((n->stop + 1) / 2);
    n->total = n->stop;
    for (uint32_t c = n->first; c; c = m->nodes[c].next) {
        m->nodes[c].count = (uint16_t)((m->nodes[c].count + 1) / 2);
        n->total = (uint16_t)(n->total + m->nodes[c].count);
    }
}

static void
site_rescale(vmp_log_paths *m, vmp_log_path_site *s)
{
    s->stop = (uint16_t)((s->stop + 1) / 2);
    s->total = s->stop;
    for (uint32_t e = s->first; e; e = m->entries[e].next) {
        m->entries[e].count = (uint16_t)((m->entries[e].count + 1) / 2);
        s->total = (uint16_t)(s->total + m->entries[e].count);
    }
}

/* Chooses among what was chosen at this very node before. */
static int
choose_at_node(vmp_log_paths *m, vmp_log_range *rc, const choice *x, uint32_t *ret_next)
{
    vmp_log_path_node *n = &m->nodes[x->cur];
    uint32_t total = n->total, kinds = n->listed + (n->stop > 0);
    if (x->banned && m->nodes[x->banned].count > 0) {
        total -= m->nodes[x->banned].count;
        kinds--;
    }
    if (kinds == 0)
        return ESCAPED;
    uint32_t which = rc->out ? 0 : vmp_log_range_which(rc, total + kinds), from = n->stop;
    if (rc->out ? x->want == 0 && n->stop > 0 : which < n->stop) {
        vmp_log_range_part(rc, 0, n->stop, total + kinds);
        n->stop += COUNT_STEP;
        n->total += COUNT_STEP;
        *ret_next = 0;
    } else {
        uint32_t before = 0, c = n->first;
        for (; c; before = c, c = m->nodes[c].next) {
            if (c == x->banned)
                continue;
            if (rc->out ? m->nodes[c].location == x->want : which < from + m->nodes[c].count)
                break;
            from += m->nodes[c].count;
        }
        if (!c) {
            vmp_log_range_part(rc, total, kinds, total + kinds);
            return ESCAPED;
        }
        vmp_log_path_node *child = &m->nodes[c];
        vmp_log_range_part(rc, from, child->count, total + kinds);
        if (before) {
            m->nodes[before].next = child->next;
            child->next = n->first;
            n->first = c;
        }
        child->count += COUNT_STEP;
        n->total += COUNT_STEP;
        *ret_next = c;
    }
    if (n->total > VMP_LOG_PATH_TOTAL)
        node_rescale(m, n);
    return FOUND;
}

/* Puts an entry for a location first in a site's list, in place of the last one
 * if the list is full. Room was made. */
static void
site_add(vmp_log_paths *m, vmp_log_path_site *s, uint32_t location)
{
    uint32_t e;
    if (s->listed == VMP_LOG_PATH_LIST) {
        uint32_t before = s->first;
        while (m->entries[m->entries[before].next].next)
            before = m->entries[before].next;
        e = m->entries[before].next;
        m->entries[before].next = 0;
        s->total = (uint16_t)(s->total - m->entries[e].count);
    } else {
        e = (uint32_t)m->entries_n++;
        s->listed++;
    }
    m->entries[e] = (vmp_log_path_entry){location, s->first, 1};
    s->first = e;
}

/* Chooses among what was chosen at other nodes of this location, without what
 * this node's list has. */
static int
choose_at_site(vmp_log_paths *m, vmp_log_range *rc, const choice *x, uint32_t *ret_location)
{
    const vmp_log_path_node *n = &m->nodes[x->cur];
    vmp_log_path_site *s = &m->sites[n->location];
    m->stamp++;
    for (uint32_t c = n->first; c; c = m->nodes[c].next)
        m->sites[m->nodes[c].location].mark = m->stamp;
    if (x->banned)
        m->sites[m->nodes[x->banned].location].mark = m->stamp;
    uint32_t stop = n->stop > 0 ? 0 : s->stop, total = stop, kinds = stop > 0;
    for (uint32_t e = s->first; e; e = m->entries[e].next)
        if (m->sites[m->entries[e].location].mark != m->stamp) {
            total += m->entries[e].count;
            kinds++;
        }
    if (kinds == 0)
        return ESCAPED;
    uint32_t which = rc->out ? 0 : vmp_log_range_which(rc, total + kinds), from = stop;
    if (rc->out ? x->want == 0 && stop > 0 : which < stop) {
        vmp_log_range_part(rc, 0, stop, total + kinds);
        s->stop += COUNT_STEP;
        *ret_location = 0;
    } else {
        uint32_t before = 0, e = s->first;
        for (; e; before = e, e = m->entries[e].next) {
            const vmp_log_path_entry *entry = &m->entries[e];
            if (m->sites[entry->location].mark == m->stamp)
                continue;
            if (rc->out ? entry->location == x->want : which < from + entry->count)
                break;
            from += entry->count;
        }
        if (!e) {
            vmp_log_range_part(rc, total, kinds, total + kinds);
            return ESCAPED;
        }
        vmp_log_path_entry *entry = &m->entries[e];
        vmp_log_range_part(rc, from, entry->count, total + kinds);
        if (before) {
            m->entries[before].next = entry->next;
            entry->next = s->first;
            s->first = e;
        }
        entry->count += COUNT_STEP;
        *ret_location = entry->location;
    }
    s->total += COUNT_STEP;
    if (s->total > VMP_LOG_PATH_TOTAL)
        site_rescale(m, s);
    return FOUND;
}

/* A location (0: to stop) that is in neither list. */
static int
choose_any(vmp_log_paths *m, vmp_log_range *rc, const choice *x, uint32_t *ret_location)
{
    uint32_t location = x->want, high = m->high;
    if (vmp_log_range_bit(rc, &m->is_next, location == high + 1)) {
        location = high + 1;
    } else {
        unsigned bits = VMP_LOG_PATH_ID_BITS;
        if (!vmp_log_range_bit(rc, &m->is_above, location > high))
            for (bits = 0; bits < VMP_LOG_PATH_ID_BITS && high >> bits != 0;)
                bits++;
        location = (uint32_t)vmp_log_range_bits(rc, bits, location);
    }
    if (!rc->out && location > x->max_location)
        return -VMP_ECORRUPT;
    if (sites_reach(m, location) < 0 ||
        VMP_VEC_RESERVE(m->entries, m->entries_cap, m->entries_n + 1) < 0)
        return -VMP_ENOMEM;
    m->high = location > high ? location : high;
    vmp_log_path_site *s = &m->sites[m->nodes[x->cur].location];
    if (location == 0)
        s->stop++;
    else
        site_add(m, s, location);
    s->total++;
    if (s->total > VMP_LOG_PATH_TOTAL)
        site_rescale(m, s);
    *ret_location = location;
    return 0;
}

/* A new node, first in the list of `parent`; the last of a full list leaves it. */
static int
node_add(vmp_log_paths *m, uint32_t parent, uint32_t location, uint32_t *ret_node)
{
    if (m->nodes_n > VMP_LOG_MAX_ID)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(m->nodes, m->nodes_cap, m->nodes_n + 1) < 0)
        return -VMP_ENOMEM;
    uint32_t id = (uint32_t)m->nodes_n++;
    vmp_log_path_node *n = &m->nodes[parent];
    if (n->listed == VMP_LOG_PATH_LIST) {
        uint32_t before = n->first;
        while (m->nodes[m->nodes[before].next].next)
            before = m->nodes[before].next;
        vmp_log_path_node *last = &m->nodes[m->nodes[before].next];
        m->nodes[before].next = 0;
        n->total = (uint16_t)(n->total - last->count);
        last->count = 0;
    } else {
        n->listed++;
    }
    m->nodes[id] =
        (vmp_log_path_node){.parent = parent, .location = location, .next = n->first, .count = 1};
    n->first = id;
    *ret_node = id;
    return 0;
}

/* One step down, or 0 in *ret_next to stop. */
static int
choose(vmp_log_paths *m, vmp_log_range *rc, const choice *x, uint32_t *ret_next)
{
    uint32_t location;
    int error = 0;
    m->steps++;
    if (choose_at_node(m, rc, x, ret_next) == FOUND)
        return 0;
    if (choose_at_site(m, rc, x, &location) == ESCAPED)
        error = choose_any(m, rc, x, &location);
    if (error < 0)
        return error;
    *ret_next = 0;
    if (location == 0)
        m->nodes[x->cur].stop++;
    else
        error = node_add(m, x->cur, location, ret_next);
    if (error < 0)
        return error;
    vmp_log_path_node *n = &m->nodes[x->cur];
    n->total++;
    if (n->total > VMP_LOG_PATH_TOTAL)
        node_rescale(m, n);
    return 0;
}

/* One step up? Not from the root; encoding, `stay` says so. */
static bool
leave(vmp_log_paths *m, vmp_log_range *rc, uint32_t cur, uint32_t left, bool stay)
{
    uint32_t place = left < VMP_LOG_PATH_PLACES ? left : VMP_LOG_PATH_PLACES - 1;
    if (cur == 0)
        return false;
    m->steps++;
    return !vmp_log_range_bit(rc, &m->sites[m->nodes[cur].location].stay[place], stay);
}

int
vmp_log_paths_encode(vmp_log_paths *m, vmp_log_range *rc, vmp_log_path_thread *t, uint32_t up,
    const uint32_t *locations, size_t n)
{
    choice x = {.cur = t->node};
    uint32_t next;
    for (uint32_t left = 0; leave(m, rc, x.cur, left, left == up); left++) {
        x.banned = x.cur;
        x.cur = m->nodes[x.cur].parent;
    }
    for (size_t i = 0; i <= n; i++) {
        x.want = i < n ? locations[i] : 0;
        int error = choose(m, rc, &x, &next);
        if (error < 0)
            return error;
        if (i < n)
            x.cur = next;
        x.banned = 0;
    }
    t->node = x.cur;
    t->depth = t->depth - up + (uint32_t)n;
    return 0;
}

int
vmp_log_paths_decode(
    vmp_log_paths *m, vmp_log_range *rc, vmp_log_path_thread *t, uint32_t max_location)
{
    choice x = {.cur = t->node, .max_location = max_location};
    uint32_t next, left = 0, depth = t->depth;
    for (; leave(m, rc, x.cur, left, false) && !rc->bad; left++) {
        x.banned = x.cur;
        x.cur = m->nodes[x.cur].parent;
        depth--;
    }
    while (!rc->bad && m->steps <= VMP_LOG_MAX_STEPS) {
        int error = choose(m, rc, &x, &next);
        if (error < 0)
            return error;
        if (next == 0) {
            t->node = x.cur;
            t->depth = depth;
            return 0;
        }
        if (++depth > VMP_LOG_MAX_DEPTH)
            return -VMP_ELIMIT;
        x.cur = next;
        x.banned = 0;
    }
    return -VMP_ECORRUPT;
}
