#include "code_table.h"

#include <stdlib.h>
#include <string.h>

#include "py_walk.h"
#include "vec.h"

enum { FIRST_SLOTS = 1024 };
static const uint32_t FORGOTTEN = UINT32_MAX;

void
vmp_code_table_init(
    vmp_code_table *t, vmp_log_writer *writer, const vmp_py_offsets *offsets, vmp_mem mem)
{
    memset(t, 0, sizeof(*t));
    t->writer = writer;
    t->offsets = offsets;
    t->mem = mem;
}

void
vmp_code_table_fini(vmp_code_table *t)
{
    for (size_t i = 0; i < t->entry_count; i++)
        vmp_py_code_fini(&t->entries[i].code);
    free(t->entries);
    free(t->slots);
    free(t->locations);
    vmp_pairs_fini(&t->pairs);
    memset(t, 0, sizeof(*t));
}

static size_t
slot_start(const vmp_code_table *t, uint64_t address)
{
    /* Objects are aligned to 16: the low bits say nothing. Fibonacci hashing. */
    return (size_t)(((address >> 4) * 0x9e3779b97f4a7c15u) >> 20) & t->slot_mask;
}

/* The slot that holds the address, or NULL. */
static vmp_code_slot *
slot_find(const vmp_code_table *t, uint64_t address)
{
    if (!t->slots)
        return NULL;
    for (size_t i = slot_start(t, address); t->slots[i].entry != 0; i = (i + 1) & t->slot_mask)
        if (t->slots[i].address == address && t->slots[i].entry != FORGOTTEN)
            return &t->slots[i];
    return NULL;
}

static int
slots_rehash(vmp_code_table *t)
{
    size_t live = 0, want = FIRST_SLOTS;
    for (size_t i = 0; t->slots && i <= t->slot_mask; i++)
        live += t->slots[i].entry != 0 && t->slots[i].entry != FORGOTTEN;
    while (want < live * 4)
        want *= 2;
    vmp_code_slot *old = t->slots, *fresh = calloc(want, sizeof(*fresh));
    size_t old_count = old ? t->slot_mask + 1 : 0;
    if (!fresh)
        return -VMP_ENOMEM;
    t->slots = fresh;
    t->slot_mask = want - 1;
    t->slot_used = live;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].entry == 0 || old[i].entry == FORGOTTEN)
            continue;
        size_t at = slot_start(t, old[i].address);
        while (fresh[at].entry != 0)
            at = (at + 1) & t->slot_mask;
        fresh[at] = old[i];
    }
    free(old);
    return 0;
}

/* Reads the code object, writes its names. Returns the entry's index + 1, or 0. */
static uint32_t
entry_add(vmp_code_table *t, uint64_t address)
{
    /* Forgotten slots count as used, so that a probe always ends. */
    if ((!t->slots || (t->slot_used + 1) * 4 > (t->slot_mask + 1) * 3) && slots_rehash(t) < 0)
        return 0;
    if (t->entry_count >= UINT32_MAX - 2 ||
        VMP_VEC_RESERVE(t->entries, t->entry_cap, t->entry_count + 1) < 0)
        return 0;

    vmp_code_entry *entry = &t->entries[t->entry_count];
    if (t->distrusts || vmp_py_code_read(&entry->code, t->offsets, &t->mem, address) < 0) {
        memset(entry, 0, sizeof(*entry));
        t->unreadable++;
        entry->id = vmp_log_writer_code(t->writer, vmp_str_from("<unreadable code object>"),
            vmp_str_from("<unreadable code object>"), vmp_str_from("?"), 0);
    } else {
        entry->id = vmp_log_writer_code(t->writer, vmp_str_from(entry->code.name),
            vmp_str_from(entry->code.qualname), vmp_str_from(entry->code.file),
            entry->code.first_line);
    }
    if (entry->id == 0) {
        vmp_py_code_fini(&entry->code);
        return 0;
    }
    /* Only the line table is needed from here on. */
    free(entry->code.name);
    free(entry->code.qualname);
    free(entry->code.file);
    entry->code.name = entry->code.qualname = entry->code.file = NULL;

    size_t at = slot_start(t, address);
    while (t->slots[at].entry != 0 && t->slots[at].entry != FORGOTTEN)
        at = (at + 1) & t->slot_mask;
    t->slot_used += t->slots[at].entry == 0;
    t->slots[at] = (vmp_code_slot){address, (uint32_t)++t->entry_count};
    return (uint32_t)t->entry_count;
}

static uint32_t
location_add(vmp_code_table *t, uint32_t entry_index, uint32_t instr)
{
    const vmp_code_entry *entry = &t->entries[entry_index - 1];
    vmp_py_pos pos = {0};
    if (entry->code.linetable)
        pos = vmp_py_code_pos(&entry->code, instr);
    vmp_log_pos log_pos = {pos.line, pos.end_line, pos.col, pos.end_col, pos.has_columns};
    return vmp_log_writer_location(t->writer, entry->id, instr == VMP_PY_INSTR_UNKNOWN ? 0 : instr,
        entry->code.first_line, &log_pos);
}

uint32_t
vmp_code_table_location(vmp_code_table *t, uint64_t address, uint32_t instr)
{
    const vmp_code_slot *slot = slot_find(t, address);
    uint32_t entry = slot ? slot->entry : entry_add(t, address);
    if (entry == 0)
        return 0;
    uint32_t pair = vmp_pairs_find(&t->pairs, entry, instr);
    if (VMP_UNLIKELY(pair == 0)) {
        /* The room first: a pair that is known has a place there. */
        if (VMP_VEC_RESERVE(t->locations, t->location_cap, t->pairs.count + (size_t)1) < 0)
            return 0;
        pair = vmp_pairs_add(&t->pairs, entry, instr);
        if (pair == 0)
            return 0;
        t->locations[pair - 1] = 0;
    }
    uint32_t *location = &t->locations[pair - 1];
    if (VMP_UNLIKELY(*location == 0))
        *location = location_add(t, entry, instr);
    return *location;
}

bool
vmp_code_table_has(const vmp_code_table *t, uint64_t address)
{
    return slot_find(t, address) != NULL;
}

void
vmp_code_table_forget(vmp_code_table *t, uint64_t address)
{
    vmp_code_slot *slot = slot_find(t, address);
    if (!slot)
        return;
    vmp_code_entry *entry = &t->entries[slot->entry - 1];
    free(entry->code.linetable);
    entry->code.linetable = NULL;
    entry->code.linetable_size = 0;
    slot->entry = FORGOTTEN;
}

static void
forget_all(vmp_code_table *t)
{
    for (size_t i = 0; t->slots && i <= t->slot_mask; i++)
        if (t->slots[i].entry != 0 && t->slots[i].entry != FORGOTTEN)
            vmp_code_table_forget(t, t->slots[i].address);
}

void
vmp_code_table_distrust(vmp_code_table *t)
{
    forget_all(t);
    t->distrusts = true;
}

void
vmp_code_table_trust(vmp_code_table *t)
{
    forget_all(t);
    t->distrusts = false;
}
