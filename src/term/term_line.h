/* One line of text, part by part, cut where the width ends. */
#ifndef VMP_TERM_LINE_H
#define VMP_TERM_LINE_H

#include "term_names.h"

typedef struct vmp_line {
    vmp_out *out;
    const vmp_term *term;
    size_t columns; /* used so far */
    vmp_out clean;  /* scratch: the part as it may be shown */
    vmp_out text;   /* scratch for callers: the part as the log has it */
} vmp_line;

void vmp_line_init(vmp_line *line, vmp_out *out, const vmp_term *term);
/* Frees the scratch; if it ran out of memory, so did the output. */
void vmp_line_fini(vmp_line *line);

/* Appends a part, made clean, or what fits of it. */
void vmp_line_put(vmp_line *line, enum vmp_style style, vmp_str text, enum vmp_cut cut);
/* Appends " 12.3%" and a space, in the style of its heat. */
void vmp_line_percent(vmp_line *line, double percent);
/* Appends a function, and its place behind it if there is room for more than a
 * few columns of it. */
void vmp_line_function(vmp_line *line, const vmp_profile *p, vmp_function_id function,
    vmp_location_id location, bool columns);
/* Ends the line. */
void vmp_line_end(vmp_line *line);

#endif
