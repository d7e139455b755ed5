#include "jitlog_bytes.h"
#include "jitlog_query.h"

/* Which traces match, as "7 8"; or the column of the mistake, as "column 3". */
static const char *
ask(const char *text)
{
    static char answer[64];
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    vmp_jitlog_query *q = NULL;
    vmp_err err = {0};
    size_t n = 0;
    answer[0] = '\0';
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    if (vmp_jitlog_query_new(&q, vmp_str_from(text), &err) < 0) {
        CHECK_INT(err.code, VMP_EINVAL);
        CHECK(strstr(err.text, "column") != NULL);
        snprintf(answer, sizeof(answer), "column %d", (int)err.where);
    }
    for (uint32_t i = 1; q && i < j->trace_count; i++)
        if (vmp_jitlog_query_matches(q, j, i))
            n += (size_t)snprintf(
                answer + n, sizeof(answer) - n, "%s%d", n ? " " : "", (int)j->traces[i].id);
    vmp_jitlog_query_free(&q);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
    return answer;
}

TEST(words_choose_traces)
{
    CHECK_STR(ask("loops"), "7");
    CHECK_STR(ask(" bridges "), "8");
    CHECK_STR(ask("op(\"int_\")"), "7");
    CHECK_STR(ask("op('jump')"), "7 8");
    CHECK_STR(ask("func(\"wor\")"), "7");
    CHECK_STR(ask("function(\"no such\")"), "");
    CHECK_STR(ask("op(\"\")"), "7 8");
}

TEST(words_are_joined_as_one_reads_them)
{
    CHECK_STR(ask("op(\"guard_true\") and function(\"work\")"), "7");
    CHECK_STR(ask("loops & bridges"), "");
    CHECK_STR(ask("loops|bridges"), "7 8");
    CHECK_STR(ask("not loops"), "8");
    CHECK_STR(ask("~bridges"), "7");
    CHECK_STR(ask("loops or loops and bridges"), "7");
    CHECK_STR(ask("(loops or loops) and bridges"), "");
    CHECK_STR(ask("not loops or loops"), "7 8");
}

TEST(a_mistake_is_named_by_its_column)
{
    CHECK_STR(ask(""), "column 1");
    CHECK_STR(ask("lops"), "column 1");
    CHECK_STR(ask("loops and"), "column 10");
    CHECK_STR(ask("loops bridges"), "column 7");
    CHECK_STR(ask("(loops"), "column 7");
    CHECK_STR(ask("op(jump)"), "column 4");
    CHECK_STR(ask("op \"jump\""), "column 4");
    CHECK_STR(ask("op(\"jump)"), "column 4");
    CHECK_STR(ask("op(\"jump\""), "column 10");
    CHECK_STR(ask("__import__('os')"), "column 1");
}

TEST(nesting_has_an_end)
{
    char text[5000];
    memset(text, '(', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK_STR(ask(text), "column 4097");
    text[1000] = '\0';
    CHECK_STR(ask(text), "column 65");
}

TEST_MAIN(RUN(words_choose_traces), RUN(words_are_joined_as_one_reads_them),
    RUN(a_mistake_is_named_by_its_column), RUN(nesting_has_an_end))
