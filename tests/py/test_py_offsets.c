/* Which layouts are accepted, and what is said of the others. */
#include "check.h"
#include "py_offsets.h"
#include "py_offsets_internal.h"

/* A _Py_DebugOffsets of 3.13, 3.14 or 3.15, made of its layout. */
static uint8_t table[1024];
static uint64_t table_at = 0x7000;

static int
table_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    (void)ctx;
    if (addr < table_at || addr - table_at > sizeof(table) - n)
        return -VMP_EUNREADABLE;
    memcpy(dst, table + (addr - table_at), n);
    return 0;
}

static const vmp_mem table_mem = {.read = table_read};

static void
put(uint16_t at, uint64_t value)
{
    if (at != VMP_PY_NONE)
        memcpy(table + at, &value, sizeof(value));
}

/* What the headers of the version say: sizes and offsets of a 64-bit build. */
static void
table_make(const vmp_py_debug_layout *l, uint64_t version, bool free_threaded)
{
    uint64_t head = free_threaded ? 16 : 0, tail = l->minor >= 0x030e && free_threaded ? 8 : 0;
    memset(table, 0x11, sizeof(table));
    memcpy(table, "xdebugpy", 8);
    put(8, version);
    put(l->free_threaded, free_threaded);
    put(l->runtime.size, 300000);
    put(l->runtime.interpreters_head, 632);
    put(l->interp.size, 300000);
    put(l->interp.next, 7264);
    put(l->interp.threads_head, 7344);
    put(l->tstate.size, 600);
    put(l->tstate.next, 8);
    put(l->tstate.interp, 16);
    put(l->tstate.current_frame, 72);
    put(l->tstate.thread_id, 152);
    put(l->tstate.native_thread_id, 160);
    put(l->frame.size, 96);
    put(l->frame.previous, 8);
    put(l->frame.executable, 0);
    put(l->frame.instr_ptr, 56);
    put(l->frame.owner, 74);
    put(l->frame.tlbc_index, free_threaded ? 72 : 0);
    put(l->code.size, 216 + head + tail);
    put(l->code.filename, 112 + head);
    put(l->code.name, 120 + head);
    put(l->code.qualname, 128 + head);
    put(l->code.linetable, 136 + head);
    put(l->code.firstlineno, 68 + head);
    put(l->code.co_code_adaptive, 208 + head + tail);
    put(l->code.co_tlbc, free_threaded ? 208 + head : 0);
    put(l->object.size, 16 + head);
    put(l->object.ob_type, 8 + head);
    put(l->tuple.ob_size, 16 + head);
    put(l->bytes.ob_size, 16 + head);
    put(l->bytes.ob_sval, 32 + head);
    put(l->unicode.size, 64 + head);
    put(l->unicode.state, 32 + head);
    put(l->unicode.length, 16 + head);
    put(l->unicode.asciiobject_size, 40 + head);
}

static int
offsets_of(uint32_t version, bool free_threaded, bool debug, vmp_py_offsets *off, vmp_err *err)
{
    vmp_py_target target = {.version_hex = version,
        .free_threaded = free_threaded,
        .debug = debug,
        .runtime_addr = table_at};
    memset(err, 0, sizeof(*err));
    return vmp_py_offsets_for(off, &target, &table_mem, err);
}

TEST(tables_serve_every_release_of_their_minor_version)
{
    vmp_py_offsets off;
    vmp_err err;
    for (uint32_t minor = 8; minor <= 12; minor++) {
        for (uint32_t micro = 0; micro < 25; micro += 6) {
            uint32_t version = 0x030000f0 | minor << 16 | micro << 8;
            CHECK_INT(offsets_of(version, false, false, &off, &err), 0);
            CHECK_INT(off.version_hex, version);
            CHECK_INT(vmp_py_offsets_validate(&off, &err), 0);
        }
    }
    CHECK_INT(offsets_of(0x030c00c1, false, false, &off, &err), 0); /* 3.12.0rc1 */
}

TEST(the_targets_own_table_serves_from_3_13_on)
{
    static const vmp_py_debug_layout *const layouts[] = {
        &vmp_py_debug_layout_3_13, &vmp_py_debug_layout_3_14, &vmp_py_debug_layout_3_15};
    vmp_py_offsets off;
    vmp_err err;
    for (int i = 0; i < 3; i++) {
        for (int free_threaded = 0; free_threaded < 2; free_threaded++) {
            uint32_t version = layouts[i]->minor << 16 | 0x02f0;
            table_make(layouts[i], version, free_threaded);
            CHECK_INT(offsets_of(version, free_threaded, false, &off, &err), 0);
            CHECK_STR(err.text, "");
            CHECK_INT(off.chain, VMP_PY_CHAIN_FRAME);
            CHECK_INT(off.free_threaded, free_threaded);
            CHECK_INT(off.ref_mask, i == 0 ? 0 : 3);
            CHECK_INT(off.frame.owner, 74);
            CHECK_INT(off.frame.tlbc_index, i > 0 && free_threaded ? 72 : VMP_PY_NONE);
            CHECK_INT(off.code.tlbc, i > 0 && free_threaded ? 224 : VMP_PY_NONE);
            CHECK_INT(off.code.firsttraceable, free_threaded ? 208 : 192);
            CHECK_INT(off.unicode.kind_shift, i > 0 && free_threaded ? 8 : 2);
            CHECK_INT(off.code.size_units, free_threaded ? 32 : 16);
            /* A debug build says its own layout, and a target by address alone. */
            CHECK_INT(offsets_of(version, free_threaded, true, &off, &err), 0);
            CHECK_INT(offsets_of(0, false, false, &off, &err), 0);
            CHECK_INT(off.version_hex, version);
        }
    }
}

static void
refused(uint32_t version, bool free_threaded, bool debug, int code, const char *text)
{
    vmp_py_offsets off, before;
    vmp_err err;
    memset(&off, 0x5a, sizeof(off));
    before = off;
    CHECK_INT(offsets_of(version, free_threaded, debug, &off, &err), -code);
    CHECK_INT(err.code, code);
    if (!strstr(err.text, text))
        printf("# \"%s\" does not say \"%s\"\n", err.text, text);
    CHECK(strstr(err.text, text) != NULL);
    CHECK(memcmp(&off, &before, sizeof(off)) == 0);
}

TEST(what_is_not_known_is_refused_by_name)
{
    const vmp_py_debug_layout *l = &vmp_py_debug_layout_3_14;
    table_make(l, 0x030e00f0, false);
    refused(0x030711f0, false, false, VMP_EVERSION, "Python 3.7.17 is too old");
    refused(0x02071200, false, false, VMP_EVERSION, "too old");
    refused(0x031000f0, false, false, VMP_EVERSION, "3.16.0 is newer than this vmprof");
    refused(0x031000a3, false, false, VMP_EVERSION, "3.16.0a3");
    refused(0x030a00f0, false, true, VMP_EMISMATCH, "debug build of Python 3.10.0");
    refused(0x030c01f0, true, false, VMP_EMISMATCH, "free-threaded");
    refused(0x030b00b2, false, false, VMP_EVERSION, "3.11.0b2 is a pre-release");
    /* The table of another release than the one that runs. */
    refused(0x030e01f0, false, false, VMP_EMISMATCH, "table of offsets says 3.14.0");
    refused(0x030e00f0, true, false, VMP_EMISMATCH, "disagrees");
    table_make(l, 0x030e00b4, false);
    refused(0x030e00b4, false, false, VMP_EVERSION, "3.14.0b4 is a pre-release");
    refused(0, false, false, VMP_EVERSION, "3.14.0b4 is a pre-release");
    table_make(l, 0x030e00c2, false);
    vmp_py_offsets off;
    vmp_err err;
    CHECK_INT(offsets_of(0x030e00c2, false, false, &off, &err), 0);
    table_make(l, 0x031000f0, false);
    refused(0, false, false, VMP_EVERSION, "3.16.0 is not known to this vmprof");
    table_make(l, UINT64_MAX, false);
    refused(0, false, false, VMP_EMISMATCH, "no version");
    memcpy(table, "xdebugpx", 8);
    refused(0x030e00f0, false, false, VMP_EMISMATCH, "does not start with");
    table_at = 0x9000;
    vmp_py_target target = {.version_hex = 0x030e00f0, .runtime_addr = 0x7000};
    CHECK_INT(vmp_py_offsets_for(&off, &target, &table_mem, &err), -VMP_EUNREADABLE);
    target.runtime_addr = 0;
    CHECK_INT(vmp_py_offsets_for(&off, &target, &table_mem, &err), -VMP_EINVAL);
    table_at = 0x7000;
}

/* Every word of the table that we use, made absurd in turn, is noticed or
 * harmless; none leads to a layout outside of the walker's limits. */
TEST(processes_that_are_not_of_64_bits_are_refused)
{
    static const uint32_t versions[] = {0, 0x030800f0, 0x030c00f0, 0x030e00f0};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        vmp_py_target target = {
            .version_hex = versions[i], .runtime_addr = table_at, .pointer_bytes = 4};
        vmp_py_offsets off;
        vmp_err err = {0};
        CHECK_INT(vmp_py_offsets_for(&off, &target, &table_mem, &err), -VMP_EUNSUPPORTED);
        CHECK_STR(err.text, "the frames of a 32-bit Python cannot be walked; use a 64-bit one");
    }
}

TEST(absurd_tables_are_refused)
{
    static const uint64_t absurd[] = {
        1, 4095, 65535, 65536, UINT64_C(1) << 32, UINT64_MAX, UINT64_MAX - 71};
    const vmp_py_debug_layout *l = &vmp_py_debug_layout_3_15;
    int refusals = 0;
    for (uint16_t at = 24; at < l->total; at += 8) {
        for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
            vmp_py_offsets off;
            vmp_err err;
            table_make(l, 0x030f02f0, true);
            put(at, absurd[i]);
            int rc = offsets_of(0x030f02f0, true, false, &off, &err);
            CHECK(rc == 0 || (rc == -VMP_EMISMATCH && err.text[0]));
            if (rc == 0)
                CHECK_INT(vmp_py_offsets_validate(&off, &err), 0);
            refusals += rc < 0;
        }
    }
    CHECK(refusals > 100);
}

TEST(version_texts)
{
    char buf[24];
    CHECK_STR(vmp_py_version_text(buf, sizeof(buf), 0x030f00b2), "3.15.0b2");
    CHECK_STR(vmp_py_version_text(buf, sizeof(buf), 0x030d05f0), "3.13.5");
    CHECK_STR(vmp_py_version_text(buf, sizeof(buf), 0x030e00c1), "3.14.0rc1");
    CHECK_STR(vmp_py_version_text(buf, 4, 0x030e00c1), "3.1");
}

TEST_MAIN(RUN(tables_serve_every_release_of_their_minor_version),
    RUN(the_targets_own_table_serves_from_3_13_on), RUN(what_is_not_known_is_refused_by_name),
    RUN(processes_that_are_not_of_64_bits_are_refused), RUN(absurd_tables_are_refused),
    RUN(version_texts))
