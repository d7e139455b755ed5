/* Decodes definitions, what gets an id: strings, code objects, mappings,
 * locations, stacks and threads. */
#include "log_reader_internal.h"
#include "vec.h"

static const vmp_log_stack_in no_stack = {0, 0};

int
vmp_log_string_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (r->strings >= VMP_LOG_MAX_ID)
        return vmp_log_beyond(r, err, "strings");
    if (!vmp_log_get_str(r, &e->u.string.text))
        return vmp_log_wrong(r, err, "STRINGS");
    e->u.string.id = ++r->strings;
    return 1;
}

int
vmp_log_code_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    int64_t line;
    if (r->codes >= VMP_LOG_MAX_ID)
        return vmp_log_beyond(r, err, "code objects");
    if (!vmp_log_get_max(r, r->strings, &e->u.code.name) ||
        !vmp_log_get_max(r, r->strings, &e->u.code.qualname) ||
        !vmp_log_get_max(r, r->strings, &e->u.code.file) || !vmp_log_get_s(r, &line) ||
        line < INT32_MIN || line > INT32_MAX)
        return vmp_log_wrong(r, err, "CODES");
    if (VMP_VEC_RESERVE(r->first_lines, r->first_lines_cap, r->codes + 1u) < 0)
        return vmp_log_no_memory(r, err);
    r->first_lines[r->codes++] = (int32_t)line;
    e->u.code.id = r->codes;
    e->u.code.first_line = (int32_t)line;
    return 1;
}

int
vmp_log_mapping_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (r->mappings >= VMP_LOG_MAX_ID)
        return vmp_log_beyond(r, err, "mappings");
    if (!vmp_log_get_u(r, &e->u.mapping.start) || !vmp_log_get_u(r, &e->u.mapping.end) ||
        !vmp_log_get_u(r, &e->u.mapping.file_offset) ||
        !vmp_log_get_str(r, &e->u.mapping.build_id) || !vmp_log_get_str(r, &e->u.mapping.path))
        return vmp_log_wrong(r, err, "MAPPING");
    e->u.mapping.id = ++r->mappings;
    return 1;
}

/* The rest of a PYTHON location behind its head. */
static bool
python_location_get(vmp_log_reader *r, vmp_log_event *e, uint64_t head)
{
    vmp_log_pos *pos = &e->u.location.pos;
    int64_t delta;
    uint32_t span = 0;
    if (head & ~(uint64_t)(VMP_LOG_HEAD_KIND | VMP_LOG_HEAD_LINE | VMP_LOG_HEAD_COLUMNS |
                           VMP_LOG_HEAD_END_LINE) ||
        !vmp_log_get_max(r, r->codes, &e->u.location.code) || e->u.location.code == 0 ||
        !vmp_log_get_max(r, UINT32_MAX, &e->u.location.instr))
        return false;
    if (!(head & VMP_LOG_HEAD_LINE))
        return !(head & (VMP_LOG_HEAD_COLUMNS | VMP_LOG_HEAD_END_LINE));
    if (!vmp_log_get_s(r, &delta) || delta < -(int64_t)UINT32_MAX || delta > (int64_t)UINT32_MAX)
        return false;
    int64_t line = r->first_lines[e->u.location.code - 1] + delta;
    if (line < 1 || line > UINT32_MAX)
        return false;
    if (head & VMP_LOG_HEAD_COLUMNS) {
        if (!vmp_log_get_max(r, UINT32_MAX, &pos->col) || !vmp_log_get_s(r, &delta) ||
            delta < -(int64_t)pos->col || delta > (int64_t)UINT32_MAX - pos->col)
            return false;
        pos->end_col = (uint32_t)(pos->col + delta);
    }
    if (head & VMP_LOG_HEAD_END_LINE && !vmp_log_get_max(r, UINT32_MAX - (uint64_t)line, &span))
        return false;
    pos->line = (uint32_t)line;
    pos->end_line = (uint32_t)line + span;
    pos->has_columns = head & VMP_LOG_HEAD_COLUMNS;
    return true;
}

int
vmp_log_location_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t head;
    bool good = false;
    if (r->locations >= VMP_LOG_MAX_ID)
        return vmp_log_beyond(r, err, "locations");
    e->u.location.code = e->u.location.instr = e->u.location.mapping = 0;
    e->u.location.pos = (vmp_log_pos){0};
    e->u.location.relative = e->u.location.elided = 0;
    if (vmp_log_get_u(r, &head)) {
        e->u.location.kind = head & VMP_LOG_HEAD_KIND;
        if (e->u.location.kind == VMP_LOG_LOCATION_PYTHON)
            good = python_location_get(r, e, head);
        else if (head == VMP_LOG_LOCATION_NATIVE)
            good = vmp_log_get_max(r, r->mappings, &e->u.location.mapping) &&
                   e->u.location.mapping != 0 && vmp_log_get_u(r, &e->u.location.relative);
        else if (head == VMP_LOG_LOCATION_ELIDED)
            good = vmp_log_get_u(r, &e->u.location.elided);
    }
    if (!good)
        return vmp_log_wrong(r, err, "LOCATIONS");
    e->u.location.id = ++r->locations;
    return 1;
}

int
vmp_log_stack_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t v;
    int64_t parent = r->stacks, delta;
    if (r->stacks >= VMP_LOG_MAX_ID)
        return vmp_log_beyond(r, err, "stacks");
    if (!vmp_log_get_u(r, &v))
        return vmp_log_wrong(r, err, "STACKS");
    if (v & 1) {
        if (!vmp_log_get_s(r, &delta) || delta > VMP_LOG_MAX_ID || delta < -VMP_LOG_MAX_ID)
            return vmp_log_wrong(r, err, "STACKS");
        parent = r->last_parent + delta;
        if (parent < 0 || parent > r->stacks)
            return vmp_log_wrong(r, err, "STACKS: a parent that is not defined");
        r->last_parent = (uint32_t)parent;
    }
    const vmp_log_stack_in *above = parent ? &r->by_stack[parent - 1] : &no_stack;
    uint32_t depth = above->depth + 1;
    if (depth > VMP_LOG_MAX_DEPTH)
        return vmp_log_beyond(r, err, "frames in one stack");
    if (vmp_log_children_reserve(&r->children, above->location) < 0)
        return vmp_log_no_memory(r, err);
    uint32_t location =
        vmp_log_children_decode(&r->children, above->location, v >> 1, r->locations);
    if (location == 0)
        return vmp_log_wrong(r, err, "STACKS: a location that is not defined");
    if (VMP_VEC_RESERVE(r->by_stack, r->by_stack_cap, r->stacks + 1u) < 0)
        return vmp_log_no_memory(r, err);
    r->by_stack[r->stacks++] = (vmp_log_stack_in){depth, location};
    e->u.stack.id = r->stacks;
    e->u.stack.parent = (uint32_t)parent;
    e->u.stack.location = location;
    return 1;
}

int
vmp_log_thread_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (!vmp_log_get_max(r, UINT32_MAX, &e->u.thread.index) ||
        !vmp_log_get_u(r, &e->u.thread.os_tid) || !vmp_log_get_u(r, &e->u.thread.ident) ||
        !vmp_log_get_max(r, r->strings, &e->u.thread.name) ||
        !vmp_log_get_s(r, &e->u.thread.start_ns) || e->u.thread.index == 0 ||
        e->u.thread.index > r->threads + 1u)
        return vmp_log_wrong(r, err, "THREAD");
    if (e->u.thread.index > VMP_LOG_MAX_THREAD)
        return vmp_log_beyond(r, err, "threads");
    if (e->u.thread.index > r->threads) {
        if (VMP_VEC_RESERVE(r->by_thread, r->by_thread_cap, r->threads + 1u) < 0)
            return vmp_log_no_memory(r, err);
        r->by_thread[r->threads++] = (vmp_log_thread_in){0};
    }
    return 1;
}
