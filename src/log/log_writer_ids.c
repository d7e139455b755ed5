/* Ids: strings, code objects, locations and stacks. */
#include "log_writer.h"

#include "log_writer_internal.h"
#include "vec.h"

enum {
    ITEM_NUMBERS_MAX = 8 * VMP_VARINT_MAX, /* bytes of the numbers of one item */
};

uint32_t
vmp_log_writer_string(vmp_log_writer *w, vmp_str s)
{
    bool is_new;
    s = vmp_log_fit(s);
    if (s.n == 0)
        return 0;
    if (w->strings.count >= VMP_LOG_MAX_ID)
        return vmp_intern_find(&w->strings, s);
    if (!vmp_log_room(&w->string_items.bytes, s.n + VMP_VARINT_MAX))
        return 0;
    uint32_t id = vmp_intern_id(&w->strings, s, &is_new);
    if (is_new) {
        vmp_buf_str(&w->string_items.bytes, s);
        w->string_items.n++;
        vmp_log_writer_added(w, s.n + 2);
    }
    return id;
}

uint32_t
vmp_log_writer_code(
    vmp_log_writer *w, vmp_str name, vmp_str qualname, vmp_str file, int32_t first_line)
{
    vmp_buf *b = &w->code_items.bytes;
    uint32_t ids[3] = {vmp_log_writer_string(w, name), vmp_log_writer_string(w, qualname),
        vmp_log_writer_string(w, file)};
    if ((name.n && !ids[0]) || (qualname.n && !ids[1]) || (file.n && !ids[2]))
        return 0;
    if (w->codes_count >= VMP_LOG_MAX_ID || !vmp_log_room(b, ITEM_NUMBERS_MAX))
        return 0;
    size_t before = b->n;
    for (int i = 0; i < 3; i++)
        vmp_buf_u(b, ids[i]);
    vmp_buf_s(b, first_line);
    w->code_items.n++;
    uint32_t id = ++w->codes_count;
    vmp_log_writer_added(w, b->n - before);
    return id;
}

/* Room for one more location; NULL without memory or ids. */
static vmp_buf *
location_begin(vmp_log_writer *w)
{
    vmp_buf *b = &w->location_items.bytes;
    return w->locations_count < VMP_LOG_MAX_ID && vmp_log_room(b, ITEM_NUMBERS_MAX) ? b : NULL;
}

static uint32_t
location_end(vmp_log_writer *w, size_t before)
{
    w->location_items.n++;
    uint32_t id = ++w->locations_count;
    vmp_log_writer_added(w, w->location_items.bytes.n - before);
    return id;
}

uint32_t
vmp_log_writer_location(
    vmp_log_writer *w, uint32_t code, uint32_t instr, int32_t first_line, const vmp_log_pos *pos)
{
    vmp_buf *b = location_begin(w);
    if (!b || code == 0 || code > w->codes_count)
        return 0;
    size_t before = b->n;
    bool has_line = pos && pos->line != 0;
    bool has_columns = has_line && pos->has_columns;
    bool other_end = has_columns && pos->end_line > pos->line;
    vmp_buf_u(b, VMP_LOG_LOCATION_PYTHON | (has_line ? VMP_LOG_HEAD_LINE : 0) |
                     (has_columns ? VMP_LOG_HEAD_COLUMNS : 0) |
                     (other_end ? VMP_LOG_HEAD_END_LINE : 0));
    vmp_buf_u(b, code);
    vmp_buf_u(b, instr);
    if (has_line)
        vmp_buf_s(b, (int64_t)pos->line - first_line);
    if (has_columns) {
        vmp_buf_u(b, pos->col);
        vmp_buf_s(b, (int64_t)pos->end_col - pos->col);
    }
    if (other_end)
        vmp_buf_u(b, pos->end_line - pos->line);
    return location_end(w, before);
}

uint32_t
vmp_log_writer_native(vmp_log_writer *w, uint32_t mapping, uint64_t relative)
{
    vmp_buf *b = location_begin(w);
    if (!b || mapping == 0 || mapping > w->mappings_count)
        return 0;
    size_t before = b->n;
    vmp_buf_u(b, VMP_LOG_LOCATION_NATIVE);
    vmp_buf_u(b, mapping);
    vmp_buf_u(b, relative);
    return location_end(w, before);
}

uint32_t
vmp_log_writer_elided(vmp_log_writer *w, uint64_t frames)
{
    uint32_t low = (uint32_t)frames, high = (uint32_t)(frames >> 32);
    uint32_t index = vmp_pairs_find(&w->elided, low, high);
    if (index != 0)
        return w->elided_ids[index - 1];
    vmp_buf *b = location_begin(w);
    if (!b || VMP_VEC_RESERVE(w->elided_ids, w->elided_cap, w->elided.count + 1u) < 0 ||
        vmp_pairs_add(&w->elided, low, high) == 0)
        return 0;
    size_t before = b->n;
    vmp_buf_u(b, VMP_LOG_LOCATION_ELIDED);
    vmp_buf_u(b, frames);
    uint32_t *id = &w->elided_ids[w->elided.count - 1];
    *id = w->locations_count + 1;
    return location_end(w, before);
}

static uint32_t
stack_add(vmp_log_writer *w, uint32_t parent, uint32_t location)
{
    vmp_buf *b = &w->stack_items.bytes;
    if (location == 0 || location > w->locations_count || parent > w->stacks.count ||
        w->stacks.count >= VMP_LOG_MAX_ID)
        return 0;
    uint32_t above = parent ? w->stack_locations[parent - 1] : 0;
    if (!vmp_log_room(b, ITEM_NUMBERS_MAX) || vmp_log_children_reserve(&w->children, above) < 0 ||
        VMP_VEC_RESERVE(w->stack_locations, w->stack_locations_cap, w->stacks.count + 1u) < 0)
        return 0;
    uint32_t id = vmp_pairs_add(&w->stacks, parent, location);
    if (id == 0)
        return 0;
    size_t before = b->n;
    bool given = parent != id - 1;
    w->stack_locations[id - 1] = location;
    vmp_buf_u(b, vmp_log_children_encode(&w->children, above, location) << 1 | given);
    if (given) {
        vmp_buf_s(b, (int64_t)parent - w->last_parent);
        w->last_parent = parent;
    }
    w->stack_items.n++;
    vmp_log_writer_added(w, b->n - before);
    return id;
}

uint32_t
vmp_log_writer_stack(vmp_log_writer *w, uint32_t parent, uint32_t location)
{
    uint32_t id = vmp_pairs_find(&w->stacks, parent, location);
    return VMP_LIKELY(id != 0) ? id : stack_add(w, parent, location);
}
