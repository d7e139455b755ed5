/* The viewer's file, which the build makes, and where the log goes in it. */
#ifndef VMP_PAGE_INTERNAL_H
#define VMP_PAGE_INTERNAL_H

#include "str.h"

/* Ends with a 0, which does not count; has the mark of page.c once. */
vmp_str vmp_page_template(void);

#endif
