/* page.c with a page of its own around the log. */
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "check.h"
#include "load.h"
#include "page.h"
#include "page_internal.h"

vmp_str
vmp_page_template(void)
{
    return vmp_str_from("<p>before</p><!--vmprof:log--><p>after</p>");
}

typedef struct bytes {
    uint8_t *p;
    size_t n;
} bytes;

static bytes
read_log(void)
{
    int fd = open(VMP_TEST_DATA "/log_v1.1_zstd.vmprof", O_RDONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    bytes b = {malloc((size_t)size), (size_t)size};
    CHECK_INT(pread(fd, b.p, b.n, 0), size);
    close(fd);
    return b;
}

static int
digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return at && c ? (int)(at - digits) : 0;
}

static bytes
from_base64(const char *text, size_t n)
{
    bytes b = {malloc(n), 0};
    CHECK_INT(n % 4, 0);
    for (size_t i = 0; i + 3 < n; i += 4) {
        int v = digit(text[i]) << 18 | digit(text[i + 1]) << 12 | digit(text[i + 2]) << 6 |
                digit(text[i + 3]);
        for (int shift = 16; shift >= 0; shift -= 8)
            b.p[b.n++] = (uint8_t)(v >> shift);
    }
    b.n -= n >= 2 ? (size_t)(text[n - 1] == '=') + (text[n - 2] == '=') : 0;
    return b;
}

static bytes
unpack(bytes packed)
{
    enum { ROOM = 1 << 22 };
    bytes b = {malloc(ROOM), 0};
    z_stream z = {.next_in = packed.p, .avail_in = (uInt)packed.n, .next_out = b.p};
    z.avail_out = ROOM;
    CHECK_INT(inflateInit2(&z, 15 + 16), Z_OK);
    CHECK_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
    CHECK_INT(z.avail_in, 0);
    b.n = ROOM - z.avail_out;
    inflateEnd(&z);
    return b;
}

TEST(the_log_in_a_page_is_the_log)
{
    bytes log = read_log();
    vmp_out out;
    vmp_out_init(&out, -1);
    CHECK(vmp_page_is_there());
    vmp_page_log logs[2] = {{.name = vmp_str_from("a&<\"'\x01\xff"), .p = log.p, .n = log.n},
        {.name = vmp_str_from("old"), .p = log.p, .n = log.n, .source = vmp_str_from("[1]")}};
    CHECK_INT(vmp_page_write(&out, logs, 1, NULL), 0);
    vmp_out_bytes(&out, "", 1);
    static const char head[] =
        "<p>before</p><script type=\"application/octet-stream\" class=\"log\" "
        "data-name=\"a&#38;&#60;&#34;&#39;&#65533;&#65533;\">";
    static const char tail[] = "</script><p>after</p>";
    CHECK(strncmp(out.p, head, sizeof(head) - 1) == 0);
    const char *begin = out.p + sizeof(head) - 1, *end = strstr(begin, tail);
    CHECK_STR(end, tail);
    bytes packed = from_base64(begin, (size_t)(end - begin)), plain = unpack(packed);
    vmp_profile *before = NULL, *after = NULL;
    CHECK_INT(vmp_load_bytes(&before, log.p, log.n, NULL, NULL), 0);
    CHECK_INT(vmp_load_bytes(&after, plain.p, plain.n, NULL, NULL), 0);
    CHECK_INT(after->total_weight, before->total_weight);
    CHECK_INT(after->stack_count, before->stack_count);
    CHECK(!after->cut);
    vmp_profile_free(&before);
    vmp_profile_free(&after);
    /* A second one stands behind it, packed alike. */
    vmp_out two;
    vmp_out_init(&two, -1);
    CHECK_INT(vmp_page_write(&two, logs, 2, NULL), 0);
    vmp_out_bytes(&two, "", 1);
    size_t first = (size_t)(end - out.p) + strlen("</script>");
    CHECK(strncmp(two.p, out.p, first) == 0);
    CHECK(strncmp(two.p + first, "<script", 7) == 0);
    CHECK(strstr(two.p + first, "data-name=\"old\">") != NULL);
    static const char both[] =
        "</script><script type=\"application/json\" class=\"source\">[1]</script><p>after</p>";
    CHECK_STR(two.p + two.n - sizeof(both), both);
    vmp_out_fini(&two);
    free(packed.p);
    free(plain.p);
    free(log.p);
    vmp_out_fini(&out);
}

TEST(a_jitlog_stands_behind_its_log_or_alone)
{
    static const char name[] = "<script type=\"application/octet-stream\" class=\"jit\" "
                               "data-name=\"&#60;b&#62;\">";
    static const char facts[] = "{\"cut\":false,\"version\":4,";
    bytes log = read_log();
    vmp_jitlog *jit = NULL;
    int fd = open(VMP_TEST_DATA "/jitlog_pypy_7.3.11.jit", O_RDONLY | O_CLOEXEC);
    CHECK_INT(vmp_jitlog_read_fd(&jit, fd, NULL), 0);
    close(fd);
    for (int alone = 0; alone < 2; alone++) {
        vmp_out out;
        vmp_out_init(&out, -1);
        vmp_page_log page = {.name = vmp_str_from("log"),
            .p = alone ? NULL : log.p,
            .n = alone ? 0 : log.n,
            .jit = jit,
            .jit_name = vmp_str_from("<b>")};
        CHECK_INT(vmp_page_write(&out, &page, 1, NULL), 0);
        vmp_out_bytes(&out, "", 1);
        CHECK_INT(strstr(out.p, "class=\"log\"") == NULL, alone);
        const char *begin = strstr(out.p, name) + sizeof(name) - 1;
        CHECK_STR(strchr(begin, '<'), "</script><p>after</p>");
        bytes packed = from_base64(begin, (size_t)(strchr(begin, '<') - begin));
        bytes plain = unpack(packed);
        CHECK(memcmp(plain.p, facts, sizeof(facts) - 1) == 0);
        CHECK(plain.p[plain.n - 1] == '\n');
        free(packed.p);
        free(plain.p);
        vmp_out_fini(&out);
    }
    vmp_jitlog_free(&jit);
    free(log.p);
}

TEST(what_is_no_log_makes_no_page)
{
    vmp_out out;
    vmp_err err = {0};
    vmp_out_init(&out, -1);
    CHECK_INT(vmp_page_write(
                  &out, &(vmp_page_log){.name = vmp_str_from("x"), .p = "hello", .n = 5}, 1, &err),
        -VMP_EFORMAT);
    CHECK(strstr(err.text, "not a vmprof log") != NULL);
    vmp_out_fini(&out);
}

TEST_MAIN(RUN(the_log_in_a_page_is_the_log), RUN(a_jitlog_stands_behind_its_log_or_alone),
    RUN(what_is_no_log_makes_no_page))
