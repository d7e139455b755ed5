/* What the files of the SQLite back end share. */
#ifndef VMP_STORE_SQLITE_INTERNAL_H
#define VMP_STORE_SQLITE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "store.h"

enum { VMP_SQLITE_CHUNK = 64 << 10 }; /* bytes of a log in one row */

/* A statement that was prepared once: that takes longer than most of them run. */
typedef struct vmp_sqlite_kept {
    const char *sql; /* by its address */
    sqlite3_stmt *statement;
    bool in_use;
} vmp_sqlite_kept;

enum { VMP_SQLITE_MAX_KEPT = 32 }; /* more than there are */

typedef struct vmp_sqlite {
    vmp_store base;
    pthread_mutex_t lock; /* held in every operation: one connection serves all threads */
    sqlite3 *db;
    char *folder;
    vmp_sqlite_kept kept[VMP_SQLITE_MAX_KEPT];
} vmp_sqlite;

static inline vmp_sqlite *
vmp_sqlite_of(vmp_store *s)
{
    return (vmp_sqlite *)(void *)s;
}

/* Error of a call of SQLite; 0 for SQLITE_OK, SQLITE_ROW and SQLITE_DONE. */
int vmp_sqlite_rc(vmp_sqlite *q, int sqlite_rc, vmp_err *err);
/* Runs statements without parameters or results. */
int vmp_sqlite_exec(vmp_sqlite *q, const char *sql, vmp_err *err);
/* sql: a literal, by whose address the statement is found again. */
int vmp_sqlite_prepare(vmp_sqlite *q, sqlite3_stmt **ret_statement, const char *sql, vmp_err *err);
/* Ends the use of a statement; accepts NULL. */
void vmp_sqlite_done(vmp_sqlite *q, sqlite3_stmt *statement);
/* Runs a statement that gives no rows, and ends its use. bound: what binding said. */
int vmp_sqlite_run(vmp_sqlite *q, sqlite3_stmt *statement, int bound, vmp_err *err);
/* Begins a transaction that writes. */
int vmp_sqlite_begin(vmp_sqlite *q, vmp_err *err);
/* Ends a transaction as rc says; returns rc, or what went wrong at the end. */
int vmp_sqlite_end(vmp_sqlite *q, int rc, vmp_err *err);

int vmp_sqlite_bind_str(sqlite3_stmt *statement, int index, vmp_str s);
void vmp_sqlite_new_id(char ret_id[VMP_STORE_ID_SIZE]);
int64_t vmp_sqlite_now_ns(void);
int vmp_sqlite_not_found(vmp_err *err);

/* Row number of an item. -VMP_ENOTFOUND. */
int vmp_sqlite_row_of(vmp_sqlite *q, vmp_str id, int64_t *ret_row, vmp_err *err);
int vmp_sqlite_put_labels(
    vmp_sqlite *q, int64_t row, const vmp_store_label *labels, size_t label_count, vmp_err *err);

/* The operations, by file. */
int vmp_sqlite_put(vmp_store *s, const vmp_store_item *item, const vmp_spool *bytes,
    char ret_id[VMP_STORE_ID_SIZE], bool *ret_new, vmp_err *err);
int vmp_sqlite_relabel(vmp_store *s, vmp_str id, const vmp_str *name, const vmp_store_label *labels,
    size_t label_count, vmp_err *err);
int vmp_sqlite_remove(vmp_store *s, vmp_str id, vmp_err *err);
int vmp_sqlite_expire(vmp_store *s, int64_t before_ns, uint64_t *ret_removed, vmp_err *err);
int vmp_sqlite_find(vmp_store *s, vmp_str id, vmp_store_items **ret_items, vmp_err *err);
int vmp_sqlite_list(
    vmp_store *s, const vmp_store_filter *filter, vmp_store_items **ret_items, vmp_err *err);
int vmp_sqlite_read(vmp_store *s, vmp_str id, uint64_t offset, uint8_t *p, size_t cap,
    size_t *ret_got, vmp_err *err);
int vmp_sqlite_totals(vmp_store *s, uint64_t *ret_items, uint64_t *ret_bytes, vmp_err *err);
int vmp_sqlite_run_new(
    vmp_store *s, vmp_str argv, vmp_str vm, char ret_id[VMP_STORE_ID_SIZE], vmp_err *err);
int vmp_sqlite_run_find(vmp_store *s, vmp_str id, vmp_store_run *ret_run, vmp_err *err);
int vmp_sqlite_run_freeze(vmp_store *s, vmp_str id, vmp_err *err);

#endif
