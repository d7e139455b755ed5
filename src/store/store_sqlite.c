/* The store in one SQLite file.
 *
 *   blobs   each different sequence of bytes once, by SHA-256
 *   chunks  the bytes, VMP_SQLITE_CHUNK of them in a row: so a log is written once,
 *           neither it nor a page of it need be in memory as a whole, and SQLite's
 *           limit for one value does not matter
 *   items   one row for each item; the newest has the highest row
 *   labels  of items
 *   runs    of the old protocol
 *
 * The journal is a WAL with synchronous=NORMAL: what was committed is there after a
 * kill of the process; a power cut may take the last transactions, whole ones. */
#include "store_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x766d7072, /* "vmpr", in the head of the file */
    SCHEMA_VERSION = 1,
    BUSY_TIMEOUT_MS = 10000,
};

/* Before anything else: these cannot be set in a transaction. */
static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = NORMAL;"
                               "PRAGMA foreign_keys = ON;"
                               /* Pages: the WAL is brought home, and synced, not so often. */
                               "PRAGMA wal_autocheckpoint = 4000;"
                               /* A large log makes a large WAL, which is not kept. */
                               "PRAGMA journal_size_limit = 16777216;";

static const char schema[] =
    "CREATE TABLE blobs (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,"
    " size INTEGER NOT NULL);"
    "CREATE TABLE chunks (blob INTEGER NOT NULL REFERENCES blobs ON DELETE CASCADE,"
    " part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (blob, part)) WITHOUT ROWID;"
    "CREATE TABLE items (row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " run TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, argv TEXT NOT NULL,"
    " host TEXT NOT NULL, vm TEXT NOT NULL, os TEXT NOT NULL, arch TEXT NOT NULL,"
    " received_ns INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
    " cpu_seconds REAL NOT NULL, samples INTEGER NOT NULL, cut INTEGER NOT NULL,"
    " blob INTEGER NOT NULL REFERENCES blobs);"
    "CREATE INDEX items_blob ON items (blob);"
    "CREATE INDEX items_received ON items (received_ns);"
    "CREATE INDEX items_run ON items (run) WHERE run <> '';"
    "CREATE TABLE labels (item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,"
    " key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (item, key)) WITHOUT ROWID;"
    "CREATE INDEX labels_key ON labels (key, value);"
    "CREATE TABLE runs (id TEXT PRIMARY KEY, argv TEXT NOT NULL, vm TEXT NOT NULL,"
    " frozen INTEGER NOT NULL, made_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER last_item AFTER DELETE ON items BEGIN"
    " DELETE FROM blobs WHERE id = old.blob"
    "  AND NOT EXISTS (SELECT 1 FROM items WHERE blob = old.blob);"
    " DELETE FROM runs WHERE id = old.id; END;";

/* errno of the last failed call for the database or its WAL: sqlite3_system_errno has what is
 * left of it when SQLite has cleaned up. Of SQLITE_IOERR alone: with any other error it is that of
 * a call long before. */
static int
file_errno(vmp_sqlite *q)
{
    int os = 0;
    sqlite3_file *wal = NULL;
    sqlite3_file_control(q->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (wal && wal->pMethods)
        wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &os);
    if (os == 0)
        sqlite3_file_control(q->db, "main", SQLITE_FCNTL_LAST_ERRNO, &os);
    return os ? os : sqlite3_system_errno(q->db);
}

int
vmp_sqlite_rc(vmp_sqlite *q, int sqlite_rc, vmp_err *err)
{
    const char *text = q->db ? sqlite3_errmsg(q->db) : sqlite3_errstr(sqlite_rc);
    int os = 0;
    switch (sqlite_rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    case SQLITE_FULL:
        return vmp_err_set(err, VMP_EIO, ENOSPC, 0, "the store's disk is full");
    case SQLITE_BUSY:
        return vmp_err_set(err, VMP_EBUSY, 0, 0, "the store is in use by another process");
    case SQLITE_NOTADB:
        return vmp_err_set(err, VMP_EFORMAT, 0, 0, "not a store of vmprof");
    case SQLITE_CORRUPT:
        return vmp_err_set(err, VMP_ECORRUPT, 0, 0, "the store: %s", text);
    default:
        if (q->db && (sqlite_rc & 0xff) == SQLITE_IOERR)
            os = file_errno(q);
        else if (q->db && (sqlite_rc & 0xff) == SQLITE_CANTOPEN)
            os = sqlite3_system_errno(q->db);
        /* What a quota or a limit of the process refuses is as good as full. */
        if (os == EFBIG || os == EDQUOT)
            os = ENOSPC;
        return vmp_err_set(
            err, VMP_EIO, os, 0, "the store: %s%s%s", text, os ? ": " : "", os ? strerror(os) : "");
    }
}

int
vmp_sqlite_exec(vmp_sqlite *q, const char *sql, vmp_err *err)
{
    return vmp_sqlite_rc(q, sqlite3_exec(q->db, sql, NULL, NULL, NULL), err);
}

int
vmp_sqlite_prepare(vmp_sqlite *q, sqlite3_stmt **ret_statement, const char *sql, vmp_err *err)
{
    vmp_sqlite_kept *free_place = NULL;
    for (size_t i = 0; i < VMP_SQLITE_MAX_KEPT; i++) {
        vmp_sqlite_kept *kept = &q->kept[i];
        if (kept->sql == sql && !kept->in_use) {
            kept->in_use = true;
            *ret_statement = kept->statement;
            return 0;
        }
        if (!kept->sql && !free_place)
            free_place = kept;
    }
    int rc = vmp_sqlite_rc(
        q, sqlite3_prepare_v3(q->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL), err);
    if (rc == 0 && free_place)
        *free_place = (vmp_sqlite_kept){sql, *ret_statement, true};
    return rc;
}

void
vmp_sqlite_done(vmp_sqlite *q, sqlite3_stmt *statement)
{
    for (size_t i = 0; statement && i < VMP_SQLITE_MAX_KEPT; i++) {
        if (q->kept[i].statement == statement) {
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
            q->kept[i].in_use = false;
            return;
        }
    }
    sqlite3_finalize(statement);
}

int
vmp_sqlite_run(vmp_sqlite *q, sqlite3_stmt *statement, int bound, vmp_err *err)
{
    int rc = vmp_sqlite_rc(q, bound == SQLITE_OK ? sqlite3_step(statement) : bound, err);
    vmp_sqlite_done(q, statement);
    return rc;
}

/* Runs a statement that has nothing to bind. */
static int
run_plain(vmp_sqlite *q, const char *sql, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(q, &statement, sql, err);
    return rc < 0 ? rc : vmp_sqlite_run(q, statement, SQLITE_OK, err);
}

int
vmp_sqlite_begin(vmp_sqlite *q, vmp_err *err)
{
    return run_plain(q, "BEGIN IMMEDIATE", err);
}

int
vmp_sqlite_end(vmp_sqlite *q, int rc, vmp_err *err)
{
    if (rc >= 0)
        rc = run_plain(q, "COMMIT", err);
    /* Some errors have rolled back already. */
    if (rc < 0 && !sqlite3_get_autocommit(q->db))
        sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int
vmp_sqlite_bind_str(sqlite3_stmt *statement, int index, vmp_str s)
{
    return sqlite3_bind_text64(statement, index, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

int64_t
vmp_sqlite_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A random UUID (RFC 4122, version 4). */
void
vmp_sqlite_new_id(char ret_id[VMP_STORE_ID_SIZE])
{
    uint8_t b[16] = {0};
    /* So few bytes are always given at once, once the system is up. */
    ssize_t got = getrandom(b, sizeof(b), 0);
    (void)got;
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    snprintf(ret_id, VMP_STORE_ID_SIZE,
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
        b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

int
vmp_sqlite_not_found(vmp_err *err)
{
    return vmp_err_set(err, VMP_ENOTFOUND, 0, 0, "there is no such profile");
}

static int
pragma_number(vmp_sqlite *q, const char *sql, int64_t *ret_value, vmp_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = vmp_sqlite_prepare(q, &statement, sql, err);
    if (rc == 0)
        rc = vmp_sqlite_rc(q, sqlite3_step(statement), err);
    if (rc == 0)
        *ret_value = sqlite3_column_int64(statement, 0);
    vmp_sqlite_done(q, statement);
    return rc;
}

static int
make_tables(vmp_sqlite *q, vmp_err *err)
{
    char sql[96];
    int64_t application = 0, version = 0, objects = 0;
    int rc = vmp_sqlite_begin(q, err);
    if (rc < 0)
        return rc;
    rc = pragma_number(q, "PRAGMA application_id", &application, err);
    if (rc == 0)
        rc = pragma_number(q, "PRAGMA user_version", &version, err);
    if (rc == 0)
        rc = pragma_number(q, "SELECT count(*) FROM sqlite_schema", &objects, err);
    if (rc == 0 && objects > 0 && application != APPLICATION_ID)
        rc = vmp_err_set(err, VMP_EFORMAT, 0, 0, "a database, but not a store of vmprof");
    else if (rc == 0 && objects > 0 && version != SCHEMA_VERSION)
        rc = vmp_err_set(err, VMP_EVERSION, 0, 0, "a store of a newer vmprof (version %lld)",
            (long long)version);
    else if (rc == 0 && objects == 0) {
        snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
            APPLICATION_ID, SCHEMA_VERSION);
        rc = vmp_sqlite_exec(q, schema, err);
        if (rc == 0)
            rc = vmp_sqlite_exec(q, sql, err);
    }
    return vmp_sqlite_end(q, rc, err);
}

/* The folder of `path`, to be freed. */
static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static void
sqlite_close(vmp_store *s)
{
    vmp_sqlite *q = vmp_sqlite_of(s);
    for (size_t i = 0; i < VMP_SQLITE_MAX_KEPT; i++)
        sqlite3_finalize(q->kept[i].statement);
    if (q->db)
        sqlite3_close(q->db);
    pthread_mutex_destroy(&q->lock);
    free(q->folder);
    free(q);
}

static const vmp_store_ops ops = {
    .close = sqlite_close,
    .put = vmp_sqlite_put,
    .find = vmp_sqlite_find,
    .list = vmp_sqlite_list,
    .read = vmp_sqlite_read,
    .relabel = vmp_sqlite_relabel,
    .remove = vmp_sqlite_remove,
    .expire = vmp_sqlite_expire,
    .totals = vmp_sqlite_totals,
    .run_new = vmp_sqlite_run_new,
    .run_find = vmp_sqlite_run_find,
    .run_freeze = vmp_sqlite_run_freeze,
};

static int
open_database(vmp_sqlite *q, const char *path, vmp_err *err)
{
    /* SQLite gives the files beside the database its mode. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int saved = errno;
        return vmp_err_set(err, VMP_EIO, saved, 0, "%s", strerror(saved));
    }
    close(fd);
    int rc = vmp_sqlite_rc(
        q, sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), err);
    if (rc == 0)
        rc = vmp_sqlite_rc(q, sqlite3_busy_timeout(q->db, BUSY_TIMEOUT_MS), err);
    if (rc == 0)
        rc = vmp_sqlite_exec(q, settings, err);
    return rc == 0 ? make_tables(q, err) : rc;
}

int
vmp_store_sqlite_open(vmp_store **ret_s, const char *path, vmp_err *err)
{
    vmp_sqlite *q = calloc(1, sizeof(*q));
    if (!q)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    q->base.ops = &ops;
    pthread_mutex_init(&q->lock, NULL);
    q->folder = folder_of(path);
    q->base.folder = q->folder;
    vmp_store *s = &q->base;
    int rc = q->folder ? open_database(q, path, err)
                       : vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    if (rc < 0)
        vmp_store_close(&s);
    else
        *ret_s = s;
    return rc;
}

void
vmp_store_close(vmp_store **s)
{
    if (*s)
        (*s)->ops->close(*s);
    *s = NULL;
}
