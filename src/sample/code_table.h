/* The code objects seen so far: from address to ids in the log.
 *
 * An address means one code object until vmp_code_table_forget; what comes to
 * lie there later is another one. Not safe for two threads at once. */
#ifndef VMP_CODE_TABLE_H
#define VMP_CODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intern.h"
#include "log_writer.h"
#include "mem.h"
#include "py_code.h"

typedef struct vmp_code_entry {
    vmp_py_code code; /* empty (linetable only) once the names are written */
    uint32_t id;      /* in the log */
} vmp_code_entry;

typedef struct vmp_code_slot {
    uint64_t address;
    uint32_t entry; /* index + 1; 0: free, UINT32_MAX: forgotten */
} vmp_code_slot;

typedef struct vmp_code_table {
    vmp_log_writer *writer; /* borrowed */
    const vmp_py_offsets *offsets;
    vmp_mem mem;
    vmp_code_entry *entries;
    size_t entry_count, entry_cap;
    vmp_code_slot *slots;
    size_t slot_mask, slot_used;
    vmp_pairs pairs;     /* (entry index + 1, instr) -> index into locations + 1 */
    uint32_t *locations; /* by pair id - 1; 0: there was no memory for it so far */
    size_t location_cap;
    bool distrusts;
    uint64_t unreadable; /* code objects whose names could not be read */
} vmp_code_table;

void vmp_code_table_init(
    vmp_code_table *t, vmp_log_writer *writer, const vmp_py_offsets *offsets, vmp_mem mem);
void vmp_code_table_fini(vmp_code_table *t);

/* Location id in the log of the instruction, its code and names written if they
 * are new. The code object must be alive if it is new. 0: out of memory. */
uint32_t vmp_code_table_location(vmp_code_table *t, uint64_t address, uint32_t instr);

bool vmp_code_table_has(const vmp_code_table *t, uint64_t address);
/* The code object dies. */
void vmp_code_table_forget(vmp_code_table *t, uint64_t address);

/* Code objects died untold: all addresses are forgotten, and until trust is called
 * each one that is asked for is taken for unreadable. */
void vmp_code_table_distrust(vmp_code_table *t);
/* Forgets the unreadable ones; addresses mean what lies there now. */
void vmp_code_table_trust(vmp_code_table *t);

#endif
