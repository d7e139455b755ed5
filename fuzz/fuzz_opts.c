/* Options of a command, from any arguments. Input: the arguments, ended by NUL. */
#include "cli_opts.h"
#include "fuzz.h"

typedef struct values {
    bool json;
    uint64_t limit;
    double percent;
    int sort;
    vmp_opt_list hide;
} values;

#define AT(member) offsetof(values, member)

static const char *const sorts[] = {"total", "self", NULL};

static const vmp_opt opts[] = {
    {"json", 'j', VMP_OPT_FLAG, AT(json), NULL, NULL, 0, 0, 0, ""},
    {"limit", 'l', VMP_OPT_UINT, AT(limit), "N", NULL, 0, 1e9, 0, ""},
    {"prune-percent", 'p', VMP_OPT_DOUBLE, AT(percent), "P", NULL, 0, 100, 0, ""},
    {"sort", 's', VMP_OPT_CHOICE, AT(sort), "BY", sorts, 0, 0, 0, ""},
    {"hide", 'H', VMP_OPT_LIST, AT(hide), "TEXT", NULL, 0, 0, 0, ""},
};

enum { MAX_ARGS = 16, SORT_COUNT = 2 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[MAX_ARGS + 1] = {(char[]){"show"}}, *copy = malloc(size + 1);
    int argc = 1;
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    copy[size] = 0;
    for (size_t i = 0; i < size && argc < MAX_ARGS; i += strlen(copy + i) + 1)
        argv[argc++] = copy + i;
    values v = {.limit = 7};
    vmp_opts_result result;
    vmp_err err = {0};
    int rc = vmp_opts_parse(opts, sizeof(opts) / sizeof(opts[0]), &v, argc, argv, &result, &err);
    PROMISE(rc == 0 || (rc == -VMP_EINVAL && err.text[0] != '\0'));
    PROMISE(v.limit <= 1000000000 && v.percent >= 0 && v.percent <= 100);
    PROMISE(v.sort >= 0 && v.sort < SORT_COUNT);
    PROMISE(result.arguments.n + v.hide.n < (size_t)argc);
    vmp_opt_list_fini(&v.hide);
    vmp_opt_list_fini(&result.arguments);
    free(copy);
    return 0;
}
