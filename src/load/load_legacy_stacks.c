#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "load_legacy_internal.h"
#include "vec.h"

/* Kinds of frames in logs of PyPy. The others tell what the interpreter did,
 * and an ASSEMBLER frame in which block of machine code the JITTED frames are
 * that come behind it: none of these is a function of the program. */
enum { KIND_CODE = 1, KIND_JITTED = 3, KIND_NATIVE = 7, KIND_COUNT = 8 };

/* A place that is passed over. */
enum { NO_PLACE = 0 };

void
vmp_old_stacks_fini(vmp_old_stacks *s)
{
    vmp_pairs_fini(&s->address_ids);
    vmp_pairs_fini(&s->place_ids);
    vmp_pairs_fini(&s->stack_ids);
    vmp_intern_fini(&s->texts);
    free(s->addresses);
    free(s->places);
    free(s->slots);
    free(s->last);
    free(s->path);
}

/* Id of an address, from 1, or 0: no memory. */
static uint32_t
address_id(vmp_old_stacks *s, uint64_t address)
{
    uint32_t before = s->address_ids.count;
    if (VMP_VEC_RESERVE(s->addresses, s->addresses_cap, before + (size_t)2) < 0)
        return 0;
    uint32_t id = vmp_pairs_id(&s->address_ids, (uint32_t)address, (uint32_t)(address >> 32));
    if (id > before)
        s->addresses[id] = (vmp_old_address){.address = address};
    return id;
}

int
vmp_old_stacks_name(vmp_old_stacks *s, uint64_t address, vmp_str text)
{
    uint32_t id = address_id(s, address);
    if (id == 0)
        return -VMP_ENOMEM;
    uint32_t *name = &s->addresses[id].name;
    if (*name != 0 && vmp_str_compare(text, vmp_intern_text(&s->texts, *name)) <= 0)
        return 0;
    *name = vmp_intern_id(&s->texts, text, NULL);
    return *name ? 0 : -VMP_ENOMEM;
}

static int
place_of_id(vmp_old_stacks *s, uint32_t id, uint32_t detail, uint32_t *ret_place)
{
    uint32_t before = s->place_ids.count;
    if (id == 0 || VMP_VEC_RESERVE(s->places, s->places_cap, before + (size_t)2) < 0)
        return -VMP_ENOMEM;
    *ret_place = vmp_pairs_id(&s->place_ids, id, detail);
    if (*ret_place <= before)
        return *ret_place ? 0 : -VMP_ENOMEM;
    vmp_location_id location;
    s->places[*ret_place] = (vmp_old_place){id, detail};
    return vmp_profile_builder_location_new(s->builder, &location); /* the same number */
}

static int
place_find(vmp_old_stacks *s, uint64_t address, uint32_t detail, uint32_t *ret_place)
{
    return place_of_id(s, address_id(s, address), detail, ret_place);
}

/* The place of the frame at slots[0], or of the two slots there. */
static int
frame_place(vmp_old_stacks *s, const uint64_t *slots, uint32_t *ret_place)
{
    *ret_place = NO_PLACE;
    switch (s->pairing) {
    case VMP_OLD_LINES:
        return place_find(s, slots[1], slots[0] <= INT32_MAX ? (uint32_t)slots[0] : 0, ret_place);
    case VMP_OLD_KINDS:
        if (slots[0] == 0 || slots[0] >= KIND_COUNT)
            return -VMP_ECORRUPT;
        if (slots[0] != KIND_CODE && slots[0] != KIND_JITTED && slots[0] != KIND_NATIVE)
            return 0;
        return place_find(s, slots[1], (uint32_t)slots[0], ret_place);
    case VMP_OLD_PLAIN:
        break;
    }
    return place_find(s, slots[0], 0, ret_place);
}

static int
child(vmp_old_stacks *s, uint32_t parent, uint32_t place, uint32_t *ret_stack)
{
    uint32_t before = s->stack_ids.count;
    *ret_stack = vmp_pairs_id(&s->stack_ids, parent, place);
    if (*ret_stack <= before)
        return *ret_stack ? 0 : -VMP_ENOMEM;
    vmp_stack_id id; /* the same number */
    return vmp_profile_builder_stack_new(
        s->builder, (vmp_stack_id){parent}, (vmp_location_id){place}, &id);
}

/* Whether the frame at slots[0] is that of the slots behind it, further out: when a
 * loop of machine code is entered from the interpreter, PyPy shows the frame that
 * entered it twice, as interpreted and as the outermost of the machine code. */
static bool
is_entry(const uint64_t *slots)
{
    return slots[0] == KIND_JITTED && slots[2] == KIND_CODE && slots[1] == slots[3];
}

int
vmp_old_stacks_reserve(vmp_old_stacks *s, uint32_t depth)
{
    return VMP_VEC_RESERVE(s->slots, s->slots_cap, depth) < 0 ||
                   VMP_VEC_RESERVE(s->path, s->path_cap, depth) < 0
               ? -VMP_ENOMEM
               : 0;
}

/* How many slots at the outer end are those of the stack before. */
static uint32_t
common_slots(const vmp_old_stacks *s, uint32_t depth)
{
    uint32_t most = depth < s->last_depth ? depth : s->last_depth, n = 0;
    while (n < most && s->slots[depth - 1 - n] == s->last[s->last_depth - 1 - n])
        n++;
    return n;
}

int
vmp_old_stacks_find(vmp_old_stacks *s, uint32_t depth, uint32_t *ret_stack)
{
    uint32_t unit = s->pairing == VMP_OLD_PLAIN ? 1 : 2;
    if (depth % unit != 0)
        return -VMP_ECORRUPT;
    uint32_t frame = common_slots(s, depth) / unit, frames = depth / unit;
    uint32_t stack = frame > 0 ? s->path[frame - 1] : 0;
    for (; frame < frames; frame++) {
        uint32_t place;
        const uint64_t *slots = s->slots + (size_t)(frames - 1 - frame) * unit;
        int rc = frame_place(s, slots, &place);
        if (frame > 0 && s->pairing == VMP_OLD_KINDS && is_entry(slots))
            stack = frame > 1 ? s->path[frame - 2] : 0;
        if (rc == 0 && place != NO_PLACE)
            rc = child(s, stack, place, &stack);
        if (rc < 0)
            return rc;
        s->path[frame] = stack;
    }
    uint64_t *read = s->slots;
    size_t read_cap = s->slots_cap;
    s->slots = s->last;
    s->slots_cap = s->last_cap;
    s->last = read;
    s->last_cap = read_cap;
    s->last_depth = depth;
    *ret_stack = stack;
    return 0;
}

enum vmp_profile_kind
vmp_old_stacks_kind(const vmp_old_stacks *s, uint32_t stack)
{
    vmp_stack_id parent;
    vmp_location_id place;
    if (stack == 0)
        return VMP_PROFILE_UNKNOWN;
    vmp_profile_builder_stack_get(s->builder, (vmp_stack_id){stack}, &parent, &place);
    uint32_t kind = s->places[place.i].detail;
    return kind == KIND_NATIVE   ? VMP_PROFILE_NATIVE
           : kind == KIND_JITTED ? VMP_PROFILE_JIT
                                 : VMP_PROFILE_PYTHON;
}

int
vmp_old_stacks_state(
    vmp_old_stacks *s, uint32_t stack, enum vmp_profile_kind kind, uint32_t *ret_stack)
{
    vmp_stack_id parent;
    vmp_location_id place;
    uint32_t with_state;
    vmp_profile_builder_stack_get(s->builder, (vmp_stack_id){stack}, &parent, &place);
    vmp_old_place leaf = s->places[place.i];
    int rc = place_of_id(s, leaf.address, leaf.detail + VMP_OLD_STATE * kind, &with_state);
    return rc < 0 ? rc : child(s, parent.i, with_state, ret_stack);
}

/* ------------------------------------------------------------------ names */

/* The parts of "language:function:line:file", of which only the file may have
 * colons. False: it has another form. */
static bool
split(vmp_str text, vmp_str *language, vmp_str *function, int32_t *line, vmp_str *file)
{
    vmp_str parts[4];
    for (size_t i = 0; i < 3; i++) {
        const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
        if (!colon)
            return false;
        parts[i] = (vmp_str){text.p, (size_t)(colon - text.p)};
        text = (vmp_str){colon + 1, text.n - parts[i].n - 1};
    }
    int64_t number = 0;
    vmp_str digits = parts[2];
    bool negative = digits.n > 1 && digits.p[0] == '-';
    if (digits.n == 0)
        return false;
    for (size_t i = negative; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || number > INT32_MAX / 10 - 1)
            return false;
        number = number * 10 + (digits.p[i] - '0');
    }
    *language = parts[0];
    *function = parts[1];
    *line = (int32_t)(negative ? -number : number);
    *file = text;
    return true;
}

/* Makes a function of these texts. */
static int
code_make(vmp_old_stacks *s, enum vmp_profile_kind kind, vmp_str name, vmp_str qualname,
    vmp_str file, int32_t line, uint32_t *ret_code)
{
    vmp_string_id ids[3];
    const vmp_str texts[] = {name, qualname, file};
    vmp_code_id code = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < 3; i++)
        rc = vmp_profile_builder_string(s->builder, texts[i], &ids[i]);
    if (rc == 0)
        rc = vmp_profile_builder_code(s->builder, kind, ids[0], ids[1], ids[2], line, &code);
    *ret_code = code.i;
    return rc;
}

/* The function of an address without a name: one of its own. What the original
 * reader calls it is its name, so that Python programs find that; the qualified
 * name, which is for people, has the address. */
static int
code_unnamed(vmp_old_stacks *s, uint64_t address, bool is_native, uint32_t *ret_code)
{
    char text[48];
    vmp_str none = {0};
    snprintf(text, sizeof(text),
        is_native ? "<native symbol 0x%" PRIx64 ">" : "<code 0x%" PRIx64 ">", address);
    if (is_native)
        return code_make(
            s, VMP_PROFILE_NATIVE, vmp_str_from(text), none, vmp_str_from("-"), 0, ret_code);
    return code_make(s, VMP_PROFILE_UNKNOWN, vmp_str_from("<unknown code>"), vmp_str_from(text),
        none, 0, ret_code);
}

static int
code_of(vmp_old_stacks *s, vmp_old_address *a, bool is_native)
{
    vmp_str none = {0}, text = vmp_intern_text(&s->texts, a->name), language, function, file;
    int32_t line;
    if (a->code != 0)
        return 0;
    if (a->name == 0 || text.n == 0)
        return code_unnamed(s, a->address, is_native, &a->code);
    if (split(text, &language, &function, &line, &file)) {
        if (vmp_str_equal(language, vmp_str_from("py")))
            return code_make(s, VMP_PROFILE_PYTHON, function, none, file, line, &a->code);
        if (vmp_str_equal(language, vmp_str_from("n")))
            return code_make(s, VMP_PROFILE_NATIVE, function, none, file, line, &a->code);
    }
    return code_make(s, VMP_PROFILE_UNKNOWN, text, none, none, 0, &a->code);
}

int
vmp_old_stacks_finish(vmp_old_stacks *s)
{
    for (uint32_t i = 1; i <= s->place_ids.count; i++) {
        const vmp_old_place *place = &s->places[i];
        vmp_old_address *a = &s->addresses[place->address];
        vmp_profile_location location = {.kind = VMP_PROFILE_PYTHON};
        if (s->pairing == VMP_OLD_KINDS ? place->detail % VMP_OLD_STATE == KIND_NATIVE
                                        : a->address & 1)
            location.kind = VMP_PROFILE_NATIVE;
        else if (s->pairing == VMP_OLD_KINDS && place->detail % VMP_OLD_STATE == KIND_JITTED)
            location.kind = VMP_PROFILE_JIT;
        if (s->pairing == VMP_OLD_LINES)
            location.line = place->detail;
        int rc = code_of(s, a, location.kind == VMP_PROFILE_NATIVE);
        if (rc < 0)
            return rc;
        location.code.i = a->code;
        if (s->pairing == VMP_OLD_KINDS && place->detail >= VMP_OLD_STATE) {
            location.detail = location.kind;
            location.kind = place->detail / VMP_OLD_STATE;
        }
        vmp_profile_builder_location_tell(s->builder, (vmp_location_id){i}, &location);
    }
    return 0;
}
