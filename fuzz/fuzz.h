/* What a fuzzer is: one function that takes any bytes and must neither crash,
 * nor hang, nor take much memory. libFuzzer calls it in a build with
 * -Dfuzzers=true (clang); fuzz_main.c calls it everywhere else. */
#ifndef VMP_FUZZ_H
#define VMP_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Always returns 0. Finds of its own (a wrong event, not a crash) end in abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
