/* The loader over any bytes made a log (fuzz_log.h): what it gives is held to
 * what profile.h promises. The first byte: 1 keeps the samples one by one. */
#include <stdbool.h>

#include "fuzz.h"
#include "fuzz_log.h"
#include "fuzz_profile.h"
#include "load.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vmp_buf log = {0};
    vmp_profile *p = NULL;
    vmp_err err = {0};
    vmp_load_options options = {.keep_samples = size > 0 && data[0] & 1};
    fuzz_log_make(&log, data + (size > 0), size - (size > 0));
    int rc = vmp_load_bytes(&p, log.p, log.n, &options, &err);
    PROMISE((rc == 0) == (p != NULL) && (rc < 0) == (err.text[0] != '\0'));
    if (p) {
        PROMISE(p->log_bytes <= log.n);
        fuzz_profile_check(p);
    }
    vmp_profile_free(&p);
    vmp_buf_fini(&log);
    return 0;
}
