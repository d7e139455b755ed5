/* What a fuzzer is: one function that takes any bytes and must neither crash,
 * nor hang, nor take much memory. libFuzzer calls it in a build with
 * -Dlibfuzzer=checked or fast (clang); fuzz_main.c calls it everywhere else. */
#ifndef VMP_FUZZ_H
#define VMP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Ends the process, so that the fuzzer keeps the input, unless cond holds. */
#define PROMISE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

/* Always returns 0. Finds of its own (a wrong event, not a crash) end in abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
