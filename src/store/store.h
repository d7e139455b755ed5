/* Where a server keeps logs: as the bytes that came, and what it must know of
 * them to list them.
 *
 * A back end is one table of these operations (vmp_store_ops); nothing of how it
 * keeps things crosses it. SQLite is the one there is (store_sqlite.c); each runs
 * through tests/store. An operation may be called by any thread at any time.
 *
 * Invariants
 *   1. What put has returned for is there after a kill at any moment; before, the
 *      item is there as a whole or not at all.
 *   2. Equal bytes are kept once, however many items have them, and are gone with
 *      the last of those.
 *   3. An id never comes back for other bytes.
 *
 * Errors of all: -VMP_ENOMEM; -VMP_EIO (err->os_errno is ENOSPC where the disk is
 * full); -VMP_EBUSY (another process holds the store); -VMP_ECORRUPT. */
#ifndef VMP_STORE_H
#define VMP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "store_spool.h"
#include "str.h"

enum {
    VMP_STORE_ID_SIZE = 37,       /* a UUID in lower case and its 0 */
    VMP_STORE_MAX_LABELS = 32,    /* of an item */
    VMP_STORE_MAX_LABEL_KEY = 64, /* bytes */
    VMP_STORE_MAX_TEXT = 4096,    /* bytes of any other text, which is cut */
};

enum vmp_store_kind { VMP_STORE_LOG = 1, VMP_STORE_JITLOG = 2 };

typedef struct vmp_store_label {
    vmp_str key, value;
} vmp_store_label;

typedef struct vmp_store_item {
    char id[VMP_STORE_ID_SIZE];
    char run[VMP_STORE_ID_SIZE]; /* it came for this run; empty: for none */
    enum vmp_store_kind kind;
    vmp_str name;     /* given by people; may be empty */
    vmp_str argv;     /* arguments separated by \n */
    vmp_str host, vm; /* vm: implementation and version, "CPython 3.11.2" */
    vmp_str os, arch;
    int64_t received_ns;      /* since 1970, as the next two */
    int64_t start_ns, end_ns; /* of the program */
    double cpu_seconds;
    uint64_t samples;
    bool cut; /* the log has no clean end */
    uint64_t size_bytes;
    uint8_t sha256[VMP_SPOOL_SHA256];
    const vmp_store_label *labels; /* by key */
    size_t label_count;
} vmp_store_item;

/* Items, newest first. Everything lives until vmp_store_items_free. */
typedef struct vmp_store_items {
    vmp_arena arena;
    vmp_store_item *items;
    size_t count;
    uint64_t next; /* for vmp_store_filter.before: where the list goes on; 0: nowhere */
} vmp_store_items;

void vmp_store_items_free(vmp_store_items **items);

typedef struct vmp_store_filter {
    vmp_str text;       /* in name, arguments, host or id */
    vmp_str name, host; /* in that one; empty texts choose all, case of ASCII is the same */
    vmp_str run;        /* that came for this run */
    const vmp_store_label *labels; /* that have all of these; {NULL, 0} as value: any */
    size_t label_count;
    uint64_t before; /* vmp_store_items.next of the part of the list before; 0: the first */
    uint32_t limit;  /* >= 1 */
} vmp_store_filter;

/* One profiled program of the old protocol (runtime/new): its log and its jitlog
 * come one by one until it is frozen. */
typedef struct vmp_store_run {
    char argv[VMP_STORE_MAX_TEXT];
    char vm[64];
    bool frozen;
} vmp_store_run;

typedef struct vmp_store vmp_store;

typedef struct vmp_store_ops {
    void (*close)(vmp_store *s);

    /* Keeps bytes as an item. Of `item` id, received_ns, size_bytes and sha256 are not
     * looked at. With an item of these bytes and this run there already, *ret_id is its
     * id, *ret_new false, and nothing changes. */
    int (*put)(vmp_store *s, const vmp_store_item *item, const vmp_spool *bytes,
        char ret_id[VMP_STORE_ID_SIZE], bool *ret_new, vmp_err *err);
    /* One item. -VMP_ENOTFOUND. */
    int (*find)(vmp_store *s, vmp_str id, vmp_store_items **ret_items, vmp_err *err);
    int (*list)(
        vmp_store *s, const vmp_store_filter *filter, vmp_store_items **ret_items, vmp_err *err);
    /* Up to `cap` bytes of an item from `offset` on; 0 only at the end. -VMP_ENOTFOUND:
     * also where the item was removed meanwhile. */
    int (*read)(vmp_store *s, vmp_str id, uint64_t offset, uint8_t *p, size_t cap, size_t *ret_got,
        vmp_err *err);
    /* Gives an item another name (NULL: keeps it) and these labels instead of its own
     * (labels NULL: keeps them). -VMP_ENOTFOUND. */
    int (*relabel)(vmp_store *s, vmp_str id, const vmp_str *name, const vmp_store_label *labels,
        size_t label_count, vmp_err *err);
    /* -VMP_ENOTFOUND. */
    int (*remove)(vmp_store *s, vmp_str id, vmp_err *err);
    /* Removes what was received before. */
    int (*expire)(vmp_store *s, int64_t before_ns, uint64_t *ret_removed, vmp_err *err);
    int (*totals)(vmp_store *s, uint64_t *ret_items, uint64_t *ret_bytes, vmp_err *err);

    int (*run_new)(
        vmp_store *s, vmp_str argv, vmp_str vm, char ret_id[VMP_STORE_ID_SIZE], vmp_err *err);
    /* -VMP_ENOTFOUND. */
    int (*run_find)(vmp_store *s, vmp_str id, vmp_store_run *ret_run, vmp_err *err);
    int (*run_freeze)(vmp_store *s, vmp_str id, vmp_err *err);
} vmp_store_ops;

struct vmp_store {
    const vmp_store_ops *ops;
    const char *folder; /* where spools of bytes for this store belong */
};

/* Opens the store in the file at `path`, made if it is not there, readable by its
 * owner alone. -VMP_EFORMAT: a file of something else; -VMP_EVERSION: of a newer
 * vmprof. */
int vmp_store_sqlite_open(vmp_store **ret_s, const char *path, vmp_err *err);
/* Accepts NULL in it. */
void vmp_store_close(vmp_store **s);

#endif
