/* What the module has in place of the C library's: memcpy, memmove and memset, which are loops
 * in wasi-libc, and arrays of a million rows are grown and cleared by them. From MANY bytes on
 * these are one instruction (bulk memory, which every browser has that the page is for);
 * for fewer its call costs more than the loop. And strerror, for the size of the page: printf
 * brings its texts along, and nothing here asks a system that could fail.
 *
 * Of the module alone; tools/wasm_cc.py has options for it, by which nothing here becomes a
 * call of itself. */
#include <stddef.h>
#include <stdint.h>

enum { MANY = 32 };

void *
memcpy(void *restrict to, const void *restrict from, size_t n)
{
    if (n >= MANY)
        return __builtin_memcpy(to, from, n);
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

void *
memmove(void *to, const void *from, size_t n)
{
    if (n >= MANY)
        return __builtin_memmove(to, from, n);
    if ((uintptr_t)to < (uintptr_t)from)
        return memcpy(to, from, n);
    while (n-- > 0)
        ((uint8_t *)to)[n] = ((const uint8_t *)from)[n];
    return to;
}

void *
memset(void *to, int byte, size_t n)
{
    if (n >= MANY)
        return __builtin_memset(to, byte, n);
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = (uint8_t)byte;
    return to;
}

char *
strerror(int error)
{
    static char text[] = "system error";
    (void)error;
    return text;
}
