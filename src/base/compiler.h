/* Compiler extensions, gathered in one place. */
#ifndef VMP_COMPILER_H
#define VMP_COMPILER_H

/* Marks a function that may be called from the signal handler: it allocates
 * nothing, takes no lock, calls no libc function off tests/sigsafe_allowed.txt
 * and preserves errno.  Functions without the mark are forbidden there. */
#define VMP_SIGSAFE

#define VMP_PRINTF(fmt_index, first) __attribute__((format(printf, fmt_index, first)))
#define VMP_LIKELY(x) __builtin_expect(!!(x), 1)
#define VMP_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Asks for the cache line at p, which will be written soon. p may be any address. */
#define VMP_PREFETCH_WRITE(p) __builtin_prefetch((p), 1)
#define VMP_INLINE static inline __attribute__((always_inline))
/* Stays a function of its own. Engines of WebAssembly go on in slow code until a function
 * returns: what is called again and again gets quick code, a long loop does not. */
#define VMP_NOINLINE __attribute__((noinline))
#define VMP_UNUSED __attribute__((unused))
#define VMP_EXPORT __attribute__((visibility("default")))
#ifdef __SIZEOF_INT128__ /* on processors of 64 bits */
#define VMP_HAS_UINT128
__extension__ typedef unsigned __int128 vmp_uint128;
#endif

#endif
