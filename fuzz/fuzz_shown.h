/* What holds of all that is shown to people, whatever a log says. Each aborts
 * where it does not. */
#ifndef VMP_FUZZ_SHOWN_H
#define VMP_FUZZ_SHOWN_H

#include "str.h"
#include "term.h"

/* Text for a terminal: lines of characters that it shows. No control characters
 * but newlines and, in color, the sequences that set a style; nothing beyond
 * ASCII unless t->utf8; nothing that reorders text or is invisible. */
void fuzz_shown_text(vmp_str s, const vmp_term *t);

/* One line of JSON that is well formed, and can be sent to a terminal. */
void fuzz_shown_json(vmp_str s);

/* A page with no tags but those of view_html.c. */
void fuzz_shown_html(vmp_str s);

#endif
