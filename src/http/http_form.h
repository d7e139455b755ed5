/* A file in the form that browsers and the first clients of vmprof send (multipart/form-data):
 * its bytes, taken out as they come. */
#ifndef VMP_HTTP_FORM_H
#define VMP_HTTP_FORM_H

#include <microhttpd.h>

#include "err.h"
#include "store_spool.h"

typedef struct vmp_http_form vmp_http_form;

/* *ret_f stays NULL if the body of this request is no such form. The field `file` goes into
 * the spool, which is borrowed. -VMP_ENOMEM; -VMP_EINVAL: its header tells no boundary. */
int vmp_http_form_new(
    vmp_http_form **ret_f, struct MHD_Connection *connection, vmp_spool *to, vmp_err *err);
/* The next bytes of the body. -VMP_EINVAL: they are no such form, or have two files; those of the
 * spool. */
int vmp_http_form_put(vmp_http_form *f, const void *p, size_t n, vmp_err *err);
/* After the last of them. -VMP_EINVAL: there was no file in it. */
int vmp_http_form_end(vmp_http_form *f, vmp_err *err);
/* Accepts NULL in it. */
void vmp_http_form_free(vmp_http_form **f);

#endif
