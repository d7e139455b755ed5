#include "report_jit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "report.h"
#include "term_mtime.h"

/* File systems tell times by the tick of the kernel, or by the second. */
static const int64_t SLACK_NS = 1000000000;

/* The file was last written to before the run of the profile began. */
static bool
is_older(const struct stat *st, const vmp_profile *p)
{
    vmp_report_info *info = NULL;
    bool older = vmp_report_info_new(&info, p) == 0 && info->start_unix_ns > 0 &&
                 vmp_term_mtime_ns(st) < info->start_unix_ns - SLACK_NS;
    vmp_report_info_free(&info);
    return older;
}

/* LOG.jit; NULL: it is not there, or not of this run. */
static char *
find_beside(const char *log, const vmp_profile *p)
{
    static const char suffix[] = ".jit";
    struct stat st;
    size_t n = strlen(log);
    char *path = strcmp(log, "-") == 0 ? NULL : malloc(n + sizeof(suffix));
    if (!path)
        return NULL;
    memcpy(path, log, n);
    memcpy(path + n, suffix, sizeof(suffix));
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        if (!is_older(&st, p))
            return path;
        vmp_cli_note("%s: older than the log, so not of its run; --jitlog takes it", path);
    }
    free(path);
    return NULL;
}

static int
read_path(const char *path, vmp_jitlog **ret_j, vmp_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vmp_err_set(err, VMP_EIO, errno, 0, "%s", strerror(errno));
    int rc = vmp_jitlog_read_fd(ret_j, fd, err);
    close(fd);
    return rc;
}

int
vmp_report_jit_read(
    const char *log, const char *asked, const vmp_profile *p, vmp_jitlog **ret_j, char **ret_path)
{
    vmp_err err = {0};
    char *path = asked ? strdup(asked) : find_beside(log, p);
    int status = 0;
    if (!path)
        return asked ? vmp_cli_fail("%s", vmp_err_text(VMP_ENOMEM)) : 0;
    int rc = read_path(path, ret_j, &err);
    const char *why = err.text[0] ? err.text : vmp_err_text(rc);
    if (rc < 0 && asked)
        status = vmp_cli_fail("%s: %s", path, why);
    else if (rc < 0)
        vmp_cli_note("%s: %s; the page is without it", path, why);
    else if (!asked)
        vmp_cli_note("%s: the log of its JIT is in the page too", path);
    if (rc == 0 && (*ret_j)->cut)
        vmp_cli_note_cut_jitlog(path, (*ret_j)->cut_at);
    if (rc == 0)
        *ret_path = path;
    else
        free(path);
    return status;
}
