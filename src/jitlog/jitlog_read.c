/* Reads the records of a jitlog.
 *
 * Source: PyPy's rpython/rlib/rjitlog and the jitlog package of vmprof-python,
 * and logs of PyPy 7.3.11 and 8.0.1. Little-endian throughout; addr: 8 bytes, in
 * a 32-bit log 4; str: u32 length, bytes. A record is a byte that says which, and
 *
 *   0x11 INPUT_ARGS        str variables, with commas between
 *   0x12 RESOP_META        u16 n, n times (u16 number, str name)
 *   0x13 RESOP             u16 number, str "result,arg0,...", str fail args (v2)
 *   0x14 RESOP_DESCR       u16 number, str "result,arg0,...,descr", addr descr number,
 *                          str fail args (v2)
 *   0x15 ASM_ADDR          addr start, addr end of the machine code
 *   0x16 ASM               u16 offset, str machine code of the operation before
 *   0x17 TRACE             addr trace id: what follows is of its stage noopt; again for
 *                          the same trace where a loop was unrolled
 *   0x18 TRACE_OPT         the same, stage opt
 *   0x19 TRACE_ASM         the same, stage asm
 *   0x1A STITCH_BRIDGE     addr descr number of a guard, addr of the code it now jumps to
 *   0x1B START_TRACE       addr trace id, str "loop" or "bridge", addr (of a bridge the
 *                          failing guard's descr number, of a loop 1 if it is an entry
 *                          bridge), str jitdriver (v2)
 *   0x1C COUNTER           addr id, char kind ('e' trace, 'b' descr of a guard, 'l' of a
 *                          label), u64 count; written at the end
 *   0x1D INIT_MERGE_POINT  u16 n, n times (u8 meaning, char 's' or 'i'); resets prefixes
 *   0x1E HEADER            u16 version, u8 is_32bit, str machine; the first record
 *   0x1F MERGE_POINT       for each field declared: u8 form, then by form
 *                          'i': 0x00 u64; 's': 0xFF str (whole), 0x00 str (behind the
 *                          prefix), 0xEF nothing (the prefix)
 *   0x20 COMMON_PREFIX     u8 field, str prefix
 *   0x21 ABORT_TRACE       addr trace id
 *   0x22 SOURCE_CODE       str file, u16 n, n times (u16 line, u8 indent, str text); put
 *                          there by vmprof-python before it uploaded
 *   0x23 REDIRECT_ASSEMBLER addr old descr, addr new descr, addr target (v3)
 *   0x24 TMP_CALLBACK      addr descr, u64 number (v4)
 *
 * Meanings: 1 file, 2 line, 4 index of the bytecode, 8 function, 16 opcode.
 *
 * PyPy writes each record by one write(), so a program that dies leaves whole
 * records; a log has no end that could be missed but for the counters. A length
 * that leads behind the end cannot be told from a cut, and is one.
 *
 * The file is longer than 500 lines because all that knows the format is here. */
#include "jitlog_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"
#include "vec.h"

enum marker {
    INPUT_ARGS = 0x11,
    RESOP_META,
    RESOP,
    RESOP_DESCR,
    ASM_ADDR,
    ASM,
    TRACE,
    TRACE_OPT,
    TRACE_ASM,
    STITCH_BRIDGE,
    START_TRACE,
    COUNTER,
    INIT_MERGE_POINT,
    HEADER,
    MERGE_POINT,
    COMMON_PREFIX,
    ABORT_TRACE,
    SOURCE_CODE,
    REDIRECT_ASSEMBLER,
    TMP_CALLBACK
};

enum meaning { FILE_NAME = 1, LINE = 2, INDEX = 4, FUNCTION = 8, OPCODE = 16 };
enum { WHOLE = 0xFF, SUFFIX = 0, SAME = 0xEF };

enum {
    MAX_VERSION = 4,
    WITH_DRIVER = 2, /* version that brought names of drivers, and fail args */
    MAX_FIELDS = 16, /* of a merge point; PyPy has 5 */
};

typedef struct field {
    uint8_t meaning;
    bool is_string;
    vmp_jitlog_piece prefix;
    uint32_t prefix_id; /* of it alone as a text; 0: not asked for yet */
} field;

typedef struct reader {
    vmp_jitlog_builder b;
    vmp_jitlog *j;
    const uint8_t *p, *end; /* what is left */
    bool cut;               /* something was asked for behind the end */
    uint64_t record;        /* offset of the record */
    uint32_t *names;        /* string by number of operation; 0: not defined */
    size_t name_count;
    field fields[MAX_FIELDS];
    size_t field_count; /* 0: no INIT_MERGE_POINT yet */
    vmp_err *err;
} reader;

/* n bytes at the return value; NULL, and r->cut, if they are not all there. */
static const uint8_t *
take(reader *r, size_t n)
{
    if (r->cut || n > (size_t)(r->end - r->p)) {
        r->cut = true;
        return NULL;
    }
    r->p += n;
    return r->p - n;
}

/* A number of n bytes; 0 behind the end. */
static uint64_t
take_number(reader *r, size_t n)
{
    const uint8_t *p = take(r, n);
    uint64_t v = 0;
    for (size_t i = n; p && i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static uint64_t
take_addr(reader *r)
{
    return take_number(r, r->j->is_32bit ? 4 : 8);
}

static vmp_jitlog_piece
take_str(reader *r)
{
    uint32_t n = (uint32_t)take_number(r, 4);
    const uint8_t *p = take(r, n);
    return p ? (vmp_jitlog_piece){(uint32_t)(p - r->j->bytes), n} : (vmp_jitlog_piece){0, 0};
}

static int
corrupt(reader *r, const char *text)
{
    return vmp_err_set(r->err, VMP_ECORRUPT, 0, r->record,
        "the jitlog is damaged at byte %" PRIu64 ": %s", r->record, text);
}

/* Interns a string, which is limited together with all others. */
static int
intern(reader *r, vmp_str s, uint32_t *ret_id)
{
    bool is_new;
    if (s.n > VMP_JITLOG_MAX_NAME || r->j->strings.arena.total_bytes > VMP_JITLOG_MAX_NAMES_BYTES)
        return -VMP_ELIMIT;
    *ret_id = vmp_intern_id(&r->j->strings, s, &is_new);
    return *ret_id ? 0 : -VMP_ENOMEM;
}

static int
read_header(reader *r)
{
    uint32_t version = (uint32_t)take_number(r, 2);
    bool is_known = r->cut || (version >= 1 && version <= MAX_VERSION);
    uint64_t is_32bit = take_number(r, 1);
    vmp_jitlog_piece machine = take_str(r);
    if (r->record != 0)
        return corrupt(r, "a second header");
    if (!is_known)
        return vmp_err_set(r->err, VMP_EVERSION, 0, 1,
            "the jitlog is of version %u; known are 1 to %d", version, MAX_VERSION);
    if (r->cut)
        return 0;
    if (is_32bit > 1)
        return corrupt(r, "neither 32-bit nor 64-bit");
    r->j->version = version;
    r->j->is_32bit = is_32bit;
    r->j->machine = machine;
    return 0;
}

/* PyPy has some hundred operations, and may number 65536. */
static int
reserve_name(reader *r, size_t number)
{
    size_t room = r->name_count;
    if (VMP_VEC_RESERVE(r->names, room, number + 1) < 0)
        return -VMP_ENOMEM;
    for (; r->name_count < room; r->name_count++)
        r->names[r->name_count] = 0;
    return 0;
}

static int
read_names(reader *r)
{
    uint64_t n = take_number(r, 2);
    for (uint64_t i = 0; i < n && !r->cut; i++) {
        size_t number = (size_t)take_number(r, 2);
        vmp_jitlog_piece name = take_str(r);
        if (r->cut)
            break;
        int rc = reserve_name(r, number);
        if (rc == 0)
            rc = intern(r, vmp_jitlog_text(r->j, name), &r->names[number]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
read_start(reader *r)
{
    vmp_jitlog_trace t = {.id = take_addr(r)};
    vmp_str type = vmp_jitlog_text(r->j, take_str(r));
    uint64_t detail = take_addr(r);
    if (r->j->version >= WITH_DRIVER)
        t.driver = take_str(r);
    if (r->cut)
        return 0;
    if (vmp_str_equal(type, vmp_str_from("loop")))
        t.type = VMP_JITLOG_LOOP;
    else if (vmp_str_equal(type, vmp_str_from("bridge")))
        t.type = VMP_JITLOG_BRIDGE;
    else
        return corrupt(r, "a trace that is neither loop nor bridge");
    t.entry_bridge = t.type == VMP_JITLOG_LOOP && detail != 0;
    t.descr = t.type == VMP_JITLOG_BRIDGE ? detail : 0;
    return vmp_jitlog_begin_trace(&r->b, &t);
}

static int
read_stage(reader *r, enum vmp_jitlog_stage stage)
{
    uint64_t id = take_addr(r);
    return r->cut ? 0 : vmp_jitlog_begin_stage(&r->b, id, stage);
}

static int
read_inputs(reader *r)
{
    vmp_jitlog_entry e = {.kind = VMP_JITLOG_INPUTS, .args = take_str(r)};
    return r->cut ? 0 : vmp_jitlog_add_entry(&r->b, &e);
}

static int
read_op(reader *r, bool with_descr)
{
    static const char guard[] = "guard_";
    size_t number = (size_t)take_number(r, 2);
    vmp_jitlog_entry e = {.kind = VMP_JITLOG_OP, .args = take_str(r)};
    if (with_descr)
        e.descr = take_addr(r);
    if (r->j->version >= WITH_DRIVER)
        e.fails = take_str(r);
    if (r->cut)
        return 0;
    e.name = number < r->name_count ? r->names[number] : 0;
    if (e.name == 0)
        return corrupt(r, "an operation whose number has no name");
    vmp_str name = vmp_jitlog_string(r->j, e.name);
    e.guard = name.n >= sizeof(guard) - 1 && memcmp(name.p, guard, sizeof(guard) - 1) == 0;
    return vmp_jitlog_add_entry(&r->b, &e);
}

static int
read_code(reader *r)
{
    take(r, 2); /* the offset overflows in large traces, and the lengths tell it */
    vmp_jitlog_piece code = take_str(r);
    if (!r->cut && r->b.last_op)
        r->j->entries[r->b.last_op].code = code;
    return 0;
}

static int
read_addresses(reader *r)
{
    uint64_t start = take_addr(r), end = take_addr(r);
    return r->cut ? 0 : vmp_jitlog_add_addresses(&r->b, start, end);
}

static int
read_fields(reader *r)
{
    uint64_t n = take_number(r, 2);
    field fields[MAX_FIELDS] = {{0}};
    if (r->cut)
        return 0;
    if (n == 0 || n > MAX_FIELDS)
        return corrupt(r, "merge points with no or too many fields");
    for (uint64_t i = 0; i < n; i++) {
        fields[i].meaning = (uint8_t)take_number(r, 1);
        char type = (char)take_number(r, 1);
        if (r->cut)
            return 0;
        if (type != 's' && type != 'i')
            return corrupt(r, "a field that is neither text nor number");
        fields[i].is_string = type == 's';
    }
    memcpy(r->fields, fields, sizeof(fields));
    r->field_count = (size_t)n;
    return 0;
}

static int
read_prefix(reader *r)
{
    size_t i = (size_t)take_number(r, 1);
    vmp_jitlog_piece prefix = take_str(r);
    if (r->cut)
        return 0;
    if (i >= r->field_count || !r->fields[i].is_string)
        return corrupt(r, "a prefix of a field that has none");
    if (prefix.n > VMP_JITLOG_MAX_NAME)
        return -VMP_ELIMIT;
    r->fields[i].prefix = prefix;
    r->fields[i].prefix_id = 0;
    return 0;
}

/* The text of a field of a merge point; *ret_id is 0 if it was cut. */
static int
read_text(reader *r, field *f, uint32_t *ret_id)
{
    char joined[2 * VMP_JITLOG_MAX_NAME];
    uint64_t form = take_number(r, 1);
    vmp_str prefix = vmp_jitlog_text(r->j, f->prefix), rest = {"", 0};
    if (!r->cut && form != WHOLE && form != SUFFIX && form != SAME)
        return corrupt(r, "a merge point's text of an unknown form");
    if (form != SAME)
        rest = vmp_jitlog_text(r->j, take_str(r));
    if (r->cut)
        return 0;
    if (form == WHOLE || prefix.n == 0)
        return intern(r, rest, ret_id);
    if (form == SAME) { /* a byte of the log; hashed anew each time 4096 */
        int rc = f->prefix_id ? 0 : intern(r, prefix, &f->prefix_id);
        *ret_id = f->prefix_id;
        return rc;
    }
    if (rest.n > VMP_JITLOG_MAX_NAME)
        return -VMP_ELIMIT;
    memcpy(joined, prefix.p, prefix.n);
    memcpy(joined + prefix.n, rest.p, rest.n);
    return intern(r, (vmp_str){joined, prefix.n + rest.n}, ret_id);
}

static int
read_point(reader *r)
{
    vmp_jitlog_point point = {0};
    if (r->field_count == 0)
        return corrupt(r, "a merge point before its fields are declared");
    for (size_t i = 0; i < r->field_count && !r->cut; i++) {
        field *f = &r->fields[i];
        uint32_t text = 0;
        uint64_t number = 0;
        if (f->is_string) {
            int rc = read_text(r, f, &text);
            if (rc < 0)
                return rc;
        } else {
            if (take_number(r, 1) != 0)
                return corrupt(r, "a merge point's number of an unknown form");
            number = take_number(r, 8);
        }
        switch (f->meaning) {
        case FILE_NAME:
            point.file = text;
            break;
        case FUNCTION:
            point.function = text;
            break;
        case OPCODE:
            point.opcode = text;
            break;
        case LINE: /* of code that has none PyPy writes -1 */
            point.line = number <= INT32_MAX ? (uint32_t)number : 0;
            break;
        case INDEX:
            point.index = number;
            break;
        default: /* a meaning of later versions, which a reader may pass over */
            break;
        }
    }
    return r->cut ? 0 : vmp_jitlog_add_point(&r->b, &point);
}

static int
read_counter(reader *r)
{
    uint64_t id = take_addr(r);
    char kind = (char)take_number(r, 1);
    uint64_t count = take_number(r, 8);
    if (r->cut)
        return 0;
    if (kind != 'e' && kind != 'b' && kind != 'l')
        return corrupt(r, "a counter of an unknown kind");
    vmp_jitlog_count(&r->b, kind, id, count);
    return 0;
}

/* Lines of a file that no point before is in are of no use, and its name needs no room. */
static int
read_source(reader *r)
{
    vmp_jitlog_line line = {
        .file = vmp_intern_find(&r->j->strings, vmp_jitlog_text(r->j, take_str(r)))};
    uint64_t n = take_number(r, 2);
    for (uint64_t i = 0; i < n && !r->cut; i++) {
        line.line = (uint32_t)take_number(r, 2);
        line.indent = (uint8_t)take_number(r, 1);
        line.text = take_str(r);
        int rc = line.file && !r->cut ? vmp_jitlog_add_line(&r->b, &line) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
read_pair(reader *r, enum marker marker)
{
    uint64_t a = take_addr(r);
    uint64_t b = marker == TMP_CALLBACK ? take_number(r, 8) : take_addr(r);
    if (marker == REDIRECT_ASSEMBLER)
        take_addr(r);
    if (r->cut)
        return 0;
    if (marker == STITCH_BRIDGE)
        vmp_jitlog_stitch(&r->b, a, b);
    r->j->redirects += marker == REDIRECT_ASSEMBLER;
    r->j->callbacks += marker == TMP_CALLBACK;
    return 0;
}

static int
read_abort(reader *r)
{
    uint64_t id = take_addr(r);
    if (!r->cut)
        vmp_jitlog_abort(&r->b, id);
    return 0;
}

/* True of what belongs to a stage. */
static bool
needs_stage(uint64_t marker)
{
    return marker == INPUT_ARGS || marker == RESOP || marker == RESOP_DESCR || marker == ASM_ADDR ||
           marker == ASM || marker == MERGE_POINT;
}

static int
read_record(reader *r)
{
    uint64_t marker = take_number(r, 1);
    if (needs_stage(marker) && r->b.trace == 0)
        return corrupt(r, "an operation of no trace");
    switch (marker) {
    case HEADER:
        return read_header(r);
    case RESOP_META:
        return read_names(r);
    case START_TRACE:
        return read_start(r);
    case TRACE:
    case TRACE_OPT:
    case TRACE_ASM:
        return read_stage(r, (enum vmp_jitlog_stage)(marker - TRACE));
    case INPUT_ARGS:
        return read_inputs(r);
    case RESOP:
    case RESOP_DESCR:
        return read_op(r, marker == RESOP_DESCR);
    case ASM:
        return read_code(r);
    case ASM_ADDR:
        return read_addresses(r);
    case INIT_MERGE_POINT:
        return read_fields(r);
    case COMMON_PREFIX:
        return read_prefix(r);
    case MERGE_POINT:
        return read_point(r);
    case COUNTER:
        return read_counter(r);
    case ABORT_TRACE:
        return read_abort(r);
    case SOURCE_CODE:
        return read_source(r);
    case STITCH_BRIDGE:
    case REDIRECT_ASSEMBLER:
    case TMP_CALLBACK:
        return read_pair(r, (enum marker)marker);
    default:
        return corrupt(r, "no record begins with this byte");
    }
}

static int
read_records(reader *r)
{
    int rc = vmp_jitlog_builder_init(&r->b);
    while (rc == 0 && r->p < r->end && !r->cut) {
        r->record = (uint64_t)(r->p - r->j->bytes);
        rc = read_record(r);
    }
    if (rc < 0 && rc != -VMP_ECORRUPT && rc != -VMP_EVERSION)
        vmp_err_set(r->err, -rc, 0, r->record, "%s at byte %" PRIu64, vmp_err_text(rc), r->record);
    if (rc < 0)
        return rc;
    r->j->cut = r->cut;
    r->j->cut_at = r->cut ? r->record : 0;
    vmp_jitlog_link(&r->b);
    return 0;
}

/* Takes the bytes, also on failure. */
static int
read_taken(vmp_jitlog **ret_j, vmp_buf *bytes, vmp_err *err)
{
    vmp_jitlog *j = calloc(1, sizeof(*j));
    reader r = {.b = {.j = j}, .j = j, .err = err};
    int rc;
    if (!j || bytes->failed) {
        rc = vmp_err_set(err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM));
        vmp_buf_fini(bytes);
    } else if (bytes->n == 0 || bytes->p[0] != HEADER) {
        rc = vmp_err_set(
            err, VMP_EFORMAT, 0, 0, bytes->n ? "this is no jitlog of PyPy" : "the jitlog is empty");
        vmp_buf_fini(bytes);
    } else {
        j->bytes = bytes->p;
        j->byte_count = bytes->n;
        r.p = bytes->p;
        r.end = bytes->p + bytes->n;
        rc = read_records(&r);
    }
    free(r.names);
    vmp_jitlog_builder_fini(&r.b);
    if (rc == 0)
        *ret_j = j;
    else
        vmp_jitlog_free(&j);
    return rc;
}

int
vmp_jitlog_read_bytes(vmp_jitlog **ret_j, const void *p, size_t n, vmp_err *err)
{
    vmp_buf bytes = {0};
    if (n > VMP_JITLOG_MAX_BYTES)
        return vmp_err_set(err, VMP_ELIMIT, 0, 0, "the jitlog is larger than 1 GiB");
    vmp_buf_put(&bytes, p, n);
    return read_taken(ret_j, &bytes, err);
}

int
vmp_jitlog_read_fd(vmp_jitlog **ret_j, int fd, vmp_err *err)
{
    enum { BLOCK = 1 << 16 };
    vmp_buf bytes = {0};
    ssize_t n = 1;
    while (n > 0 && bytes.n <= VMP_JITLOG_MAX_BYTES && vmp_buf_reserve(&bytes, BLOCK)) {
        do
            n = read(fd, bytes.p + bytes.n, BLOCK);
        while (n < 0 && errno == EINTR);
        bytes.n += n > 0 ? (size_t)n : 0;
        if (bytes.n && bytes.p[0] != HEADER)
            break;
    }
    if (n < 0) {
        int os_errno = errno;
        vmp_buf_fini(&bytes);
        return vmp_err_set(err, VMP_EIO, os_errno, 0, "read: %s", strerror(os_errno));
    }
    if (bytes.n > VMP_JITLOG_MAX_BYTES) {
        vmp_buf_fini(&bytes);
        return vmp_err_set(err, VMP_ELIMIT, 0, 0, "the jitlog is larger than 1 GiB");
    }
    return read_taken(ret_j, &bytes, err);
}
