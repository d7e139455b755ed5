/* A test program: TEST(name) functions, and TEST_MAIN with their list. Each run
 * prints one TAP line per test and exits 1 if any failed. */
#ifndef VMP_TESTS_CHECK_H
#define VMP_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;

typedef struct check_test {
    const char *name;
    void (*run)(void);
} check_test;

#define TEST(name) static void name(void)
#define RUN(name)                                                                                  \
    {                                                                                              \
#name, name                                                                                \
    }

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #cond);                            \
            check_failures++;                                                                      \
        }                                                                                          \
    } while (0)

#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long check_got = (long long)(got), check_want = (long long)(want);                    \
        if (check_got != check_want) {                                                             \
            printf("# %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, check_got,         \
                check_want);                                                                       \
            check_failures++;                                                                      \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *check_got = (got), *check_want = (want);                                       \
        if (!check_got || strcmp(check_got, check_want) != 0) {                                    \
            printf("# %s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got,                \
                check_got ? check_got : "(null)", check_want);                                     \
            check_failures++;                                                                      \
        }                                                                                          \
    } while (0)

#define TEST_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        static const check_test tests[] = {__VA_ARGS__};                                           \
        int count = (int)(sizeof(tests) / sizeof(tests[0])), bad = 0;                              \
        setvbuf(stdout, NULL, _IOLBF, 0);                                                          \
        printf("1..%d\n", count);                                                                  \
        for (int i = 0; i < count; i++) {                                                          \
            int before = check_failures;                                                           \
            tests[i].run();                                                                        \
            bad += check_failures != before;                                                       \
            printf(                                                                                \
                "%sok %d - %s\n", check_failures == before ? "" : "not ", i + 1, tests[i].name);   \
        }                                                                                          \
        return bad ? 1 : 0;                                                                        \
    }

#endif
