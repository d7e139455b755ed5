/* What the two halves of the reader share: records to traces. */
#ifndef VMP_JITLOG_INTERNAL_H
#define VMP_JITLOG_INTERNAL_H

#include "jitlog.h"

/* Values by 64-bit numbers. */
typedef struct vmp_jitlog_map {
    vmp_pairs keys;
    uint32_t *values;
    size_t cap;
} vmp_jitlog_map;

typedef struct vmp_jitlog_builder {
    vmp_jitlog *j;
    size_t traces_cap, entries_cap, points_cap, lines_cap;
    uint32_t trace;   /* of the records that come; 0: none yet */
    uint32_t last_op; /* the operation that machine code belongs to */
    uint32_t point;   /* the last one of this stage, or 0 */
    enum vmp_jitlog_stage stage;
    vmp_jitlog_map ids;    /* trace id -> trace */
    vmp_jitlog_map starts; /* address of machine code -> trace */
    vmp_jitlog_map descrs; /* number -> guard or label, of stage asm once that is there */
} vmp_jitlog_builder;

/* b->j: zeroed, and the builder's until it is taken out. */
int vmp_jitlog_builder_init(vmp_jitlog_builder *b);
void vmp_jitlog_builder_fini(vmp_jitlog_builder *b);

/* Each returns 0, -VMP_ENOMEM or -VMP_ELIMIT. */
int vmp_jitlog_begin_trace(vmp_jitlog_builder *b, const vmp_jitlog_trace *trace);
int vmp_jitlog_begin_stage(vmp_jitlog_builder *b, uint64_t id, enum vmp_jitlog_stage stage);
int vmp_jitlog_add_entry(vmp_jitlog_builder *b, const vmp_jitlog_entry *entry);
int vmp_jitlog_add_point(vmp_jitlog_builder *b, const vmp_jitlog_point *point);
/* One that is there takes the new text. */
int vmp_jitlog_add_line(vmp_jitlog_builder *b, const vmp_jitlog_line *line);
int vmp_jitlog_add_addresses(vmp_jitlog_builder *b, uint64_t start, uint64_t end);
void vmp_jitlog_abort(vmp_jitlog_builder *b, uint64_t id);
void vmp_jitlog_stitch(vmp_jitlog_builder *b, uint64_t descr, uint64_t target);
/* kind: 'e', 'b' or 'l'. */
void vmp_jitlog_count(vmp_jitlog_builder *b, char kind, uint64_t id, uint64_t count);
/* The last step: what can be known only at the end. */
void vmp_jitlog_link(vmp_jitlog_builder *b);

#endif
