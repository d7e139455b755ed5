/* Names are found in buffers of PyPy's form, and written once. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "names.h"

enum { BUFFER_BYTES = 8192, BUFFERS = 20 };

typedef struct buffer {
    uint32_t filled, offset;
    uint8_t data[BUFFER_BYTES - 8];
} buffer;

static buffer *buffers;
static int ends[2];

static void
name_put(buffer *b, uint64_t id, const char *text)
{
    uint64_t n = strlen(text);
    uint8_t *p = b->data + b->filled;
    *p = 2;
    memcpy(p + 1, &id, 8);
    memcpy(p + 9, &n, 8);
    memcpy(p + 17, text, (size_t)n);
    b->filled += 17 + (uint32_t)n;
}

/* What was written since the last call: how many names, and the last one's text. */
static int
written(char *ret_last, size_t cap)
{
    static uint8_t bytes[1 << 16];
    uint8_t *p = bytes;
    ssize_t n = read(ends[0], bytes, sizeof(bytes));
    int count = 0;
    *ret_last = 0;
    while (p < bytes + n) {
        uint64_t length;
        memcpy(&length, p + 9, 8);
        CHECK_INT(*p, 2);
        CHECK(length < cap);
        memcpy(ret_last, p + 17, (size_t)length);
        ret_last[length] = 0;
        p += 17 + length;
        count++;
    }
    return count;
}

TEST(names_are_written_when_they_have_settled_and_once)
{
    char last[64];
    /* Low, where it is looked for first: a sanitizer has more pages of its own than are
     * looked at. */
    buffers = mmap((void *)0x20000000, (size_t)BUFFERS * BUFFER_BYTES, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(buffers != MAP_FAILED && pipe(ends) == 0);
    CHECK_INT(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    name_put(&buffers[0], 8, "py:first:1:a.py");
    name_put(&buffers[0], 12, "py:second:2:a.py");
    vmp_names_find();
    vmp_names_write(ends[1], true);
    CHECK_INT(written(last, sizeof(last)), 0);
    vmp_names_write(ends[1], true);
    CHECK_INT(written(last, sizeof(last)), 2);
    CHECK_STR(last, "py:second:2:a.py");
    vmp_names_write(ends[1], true);
    CHECK_INT(written(last, sizeof(last)), 0);
    /* One more, which is not settled yet, unless that does not matter. */
    name_put(&buffers[0], 16, "py:third:3:a.py");
    vmp_names_write(ends[1], true);
    CHECK_INT(written(last, sizeof(last)), 0);
    vmp_names_write(ends[1], false);
    CHECK_INT(written(last, sizeof(last)), 1);
    CHECK_STR(last, "py:third:3:a.py");
}

TEST(a_buffer_that_is_filled_anew_is_read_anew)
{
    char last[64];
    buffers[0].filled = 0;
    name_put(&buffers[0], 20, "py:fourth:4:a.py");
    name_put(&buffers[1], 24, "py:fifth:5:a.py");
    vmp_names_write(ends[1], false);
    CHECK_INT(written(last, sizeof(last)), 2);
    CHECK_STR(last, "py:fifth:5:a.py");
}

TEST(what_is_no_whole_name_is_left_out)
{
    char last[64];
    name_put(&buffers[0], 28, "py:sixth:6:a.py");
    name_put(&buffers[0], 33, "py:its id is odd:6:a.py");
    vmp_names_write(ends[1], false);
    CHECK_INT(written(last, sizeof(last)), 1);
    CHECK_STR(last, "py:sixth:6:a.py");
    name_put(&buffers[1], 36, "py:half of this is not there yet");
    buffers[1].filled -= 10;
    vmp_names_write(ends[1], false);
    CHECK_INT(written(last, sizeof(last)), 0);
    buffers[2].filled = UINT32_MAX;
    buffers[2].data[0] = 2;
    vmp_names_write(ends[1], false);
    CHECK_INT(written(last, sizeof(last)), 0);
}

TEST(memory_that_is_gone_does_no_harm)
{
    char last[64];
    munmap(buffers, (size_t)BUFFERS * BUFFER_BYTES);
    vmp_names_write(ends[1], false);
    CHECK_INT(written(last, sizeof(last)), 0);
}

TEST_MAIN(RUN(names_are_written_when_they_have_settled_and_once),
    RUN(a_buffer_that_is_filled_anew_is_read_anew), RUN(what_is_no_whole_name_is_left_out),
    RUN(memory_that_is_gone_does_no_harm))
