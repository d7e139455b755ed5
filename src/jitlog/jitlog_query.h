/* Which traces of a jitlog are meant, in words:
 *
 *   loops   bridges   func("part of a name")   op("part of a name")
 *   not X   X and Y   X or Y   (X)             from tight to loose
 *
 * function(...) is func(...); ~, & and | are not, and, or, as in vmprof 0.4;
 * names stand in "" or '' and have no escapes. */
#ifndef VMP_JITLOG_QUERY_H
#define VMP_JITLOG_QUERY_H

#include "jitlog.h"

typedef struct vmp_jitlog_query vmp_jitlog_query;

/* text: borrowed until free. Returns 0, -VMP_ENOMEM, or -VMP_EINVAL with the
 * column, from 1, in err->where and in the text. */
int vmp_jitlog_query_new(vmp_jitlog_query **ret_q, vmp_str text, vmp_err *err);
void vmp_jitlog_query_free(vmp_jitlog_query **q);

/* func looks at all merge points of the trace, op at all stages. */
bool vmp_jitlog_query_matches(const vmp_jitlog_query *q, const vmp_jitlog *j, uint32_t trace);

#endif
