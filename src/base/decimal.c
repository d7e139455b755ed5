/* Doubles in decimal.
 *
 * Trying printf and strtod with 15, 16 and 17 digits is right for all numbers, and took
 * three quarters of the instructions of `vmprof diff --tree --json`. From 0.0001 to below
 * 10^14, where most figures are, 128 bits have room to do the same with no rounding but
 * the wanted one. A number v = m 2^e there, m of 53 bits, has 17 digits before the
 * point as
 *
 *     v 10^k = m 5^k 2^(e + k) = P / 2^s,    k from 3 to 20, P < 2^100, s from 1 to 46
 *
 * so that the wanted digits are the quotient of P and 2^s, 10 2^s or 100 2^s, rounded
 * to the nearest. They read back as v if they are not as far from it as the middle
 * between v and its neighbour, half a unit of m away, which is 5^k / 2 of the units of
 * P (below a power of two a quarter is it); or just there if m is even, since strtod
 * takes that of two. */
#include "decimal.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

enum { LEAST_DIGITS = 15, MOST_DIGITS = 17 };

/* Makes the decimal point of a printed number a point: it is that of LC_NUMERIC,
 * which belongs to the host program and may be several bytes. It is found as what
 * no other part of a number is, for localeconv is not safe beside setlocale. */
static void
point_restore(char *number)
{
    static const char others[] = "+-0123456789e";
    char *point = number + strspn(number, others);
    size_t n = strcspn(point, others);
    if (n == 0)
        return;
    *point = '.';
    memmove(point + 1, point + n, strlen(point + n) + 1);
}

static size_t
print(char *text, double v)
{
    for (int digits = LEAST_DIGITS; digits <= MOST_DIGITS; digits++) {
        snprintf(text, VMP_DECIMAL_ROOM, "%.*g", digits, v);
        if (digits == MOST_DIGITS)
            break;
        double back = strtod(text, NULL);
        if (!(back < v) && !(back > v))
            break;
    }
    point_restore(text);
    return strlen(text);
}

size_t
vmp_decimal_uint(char text[VMP_DECIMAL_ROOM], uint64_t v)
{
    char reversed[VMP_DECIMAL_ROOM];
    size_t n = 0;
    do
        reversed[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (size_t i = 0; i < n; i++)
        text[i] = reversed[n - 1 - i];
    text[n] = '\0';
    return n;
}

#ifdef VMP_HAS_UINT128

static const double FAST_FROM = 1e-4, FAST_TO = 1e14;

enum { MOST_SHIFT = 20, MANTISSA_BITS = 52, EXPONENT_BIAS = 1023 };

static const uint64_t FIRST_MANTISSA = (uint64_t)1 << MANTISSA_BITS;
static const uint64_t LEAST_OF_17_DIGITS = 10000000000000000;

static const uint64_t power_of_5[MOST_SHIFT + 1] = {1, 5, 25, 125, 625, 3125, 15625, 78125, 390625,
    1953125, 9765625, 48828125, 244140625, 1220703125, 6103515625, 30517578125, 152587890625,
    762939453125, 3814697265625, 19073486328125, 95367431640625};

/* v 10^shift = scaled / 2^bits, of 17 digits before the point. */
typedef struct exact {
    vmp_uint128 scaled;
    uint64_t mantissa;
    int shift, bits;
} exact;

static exact
exact_of(double v)
{
    uint64_t image;
    memcpy(&image, &v, sizeof(image));
    exact x = {.mantissa = FIRST_MANTISSA | (image & (FIRST_MANTISSA - 1))};
    int exponent = (int)(image >> MANTISSA_BITS) - EXPONENT_BIAS - MANTISSA_BITS;
    /* v has at most 17 - shift digits before its point. */
    x.shift = MOST_SHIFT;
    for (double bound = 0.99e-3; v >= bound && x.shift > 0; bound *= 10)
        x.shift--;
    for (;; x.shift++) {
        x.scaled = (vmp_uint128)x.mantissa * power_of_5[x.shift];
        x.bits = -(exponent + x.shift);
        if (x.shift == MOST_SHIFT || x.scaled >> x.bits >= LEAST_OF_17_DIGITS)
            return x;
    }
}

/* x in `digits` digits, to the nearest, ties to even, as printf does it. */
static uint64_t
rounded(const exact *x, int digits, bool *ret_reads_back)
{
    static const uint64_t unit_of[] = {100, 10, 1};
    uint64_t whole = (uint64_t)(x->scaled >> x->bits), unit = unit_of[digits - LEAST_DIGITS];
    vmp_uint128 step = (vmp_uint128)unit << x->bits;
    vmp_uint128 rest = x->scaled - ((vmp_uint128)(whole - whole % unit) << x->bits);
    uint64_t q = whole / unit;
    bool up = 2 * rest > step || (2 * rest == step && q % 2 == 1);
    vmp_uint128 distance = up ? step - rest : rest;
    vmp_uint128 parts = distance * (!up && x->mantissa == FIRST_MANTISSA ? 4 : 2);
    *ret_reads_back =
        parts < power_of_5[x->shift] || (parts == power_of_5[x->shift] && x->mantissa % 2 == 0);
    return q + up;
}

static size_t
write_fast(char *text, double v)
{
    char digits[VMP_DECIMAL_ROOM];
    exact x = exact_of(v);
    uint64_t q = 0;
    bool reads_back = false;
    int used = LEAST_DIGITS - 1;
    while (used < MOST_DIGITS && !reads_back)
        q = rounded(&x, ++used, &reads_back);
    int n = (int)vmp_decimal_uint(digits, q), point = MOST_DIGITS - x.shift + (n > used);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    char *at = text;
    for (int i = point < 1 ? point - 1 : 0; i < n || i < point; i++) {
        *at++ = i < 0 || i >= n ? '0' : digits[i];
        if (i + 1 == point && point < n)
            *at++ = '.';
    }
    *at = '\0';
    return (size_t)(at - text);
}

#endif

size_t
vmp_decimal_double(char text[VMP_DECIMAL_ROOM], double v)
{
    size_t sign = signbit(v) ? 1 : 0;
    double size = fabs(v);
    if (!(size > 0)) {
        text[0] = '-';
        return sign + vmp_decimal_uint(text + sign, 0);
    }
#ifdef VMP_HAS_UINT128
    if (size >= FAST_FROM && size < FAST_TO) {
        text[0] = '-';
        return sign + write_fast(text + sign, size);
    }
#endif
    return print(text, v);
}
