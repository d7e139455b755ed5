#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Writes to a new file beside `path`, one that nobody has, which takes its place when it
 * is whole, so that a failure leaves what was there; what is no plain file is written to. */
static int
write_file(const char *path, const char *log, vmp_cli_produce *produce, void *ctx)
{
    char part[4096];
    struct stat st;
    vmp_err err = {0};
    vmp_out out;
    bool plain = lstat(path, &st) != 0 || S_ISREG(st.st_mode);
    if (plain &&
        (size_t)snprintf(part, sizeof(part), "%s.%ld.part", path, (long)getpid()) >= sizeof(part))
        return vmp_cli_fail("%s: %s", path, strerror(ENAMETOOLONG));
    int fd = open(
        plain ? part : path, O_WRONLY | O_CREAT | O_CLOEXEC | (plain ? O_EXCL : O_TRUNC), 0666);
    if (fd < 0)
        return vmp_cli_fail("%s: %s", plain ? part : path, strerror(errno));
    vmp_out_init(&out, fd);
    int rc = produce(&out, ctx, &err), status = 0;
    if (rc < 0)
        status = vmp_cli_fail("%s: %s", log, err.text);
    else if (vmp_out_flush(&out, &err) < 0)
        status = vmp_cli_fail("%s: %s", path, err.text);
    vmp_out_fini(&out);
    if (close(fd) < 0 && status == 0)
        status = vmp_cli_fail("%s: %s", path, strerror(errno));
    if (plain && status == 0 && rename(part, path) < 0)
        status = vmp_cli_fail("%s: %s", path, strerror(errno));
    if (plain && status != 0)
        unlink(part);
    return status;
}

int
vmp_cli_write(const char *path, const char *log, vmp_cli_produce *produce, void *ctx)
{
    vmp_cli_output o;
    vmp_err err = {0};
    if (strcmp(path, "-") != 0)
        return write_file(path, log, produce, ctx);
    vmp_cli_output_open(&o, VMP_TERM_COLOR_NEVER);
    int rc = produce(&o.out, ctx, &err);
    int status = vmp_cli_output_close(&o, 0);
    return rc < 0 ? vmp_cli_fail("%s: %s", log, err.text) : status;
}

int
vmp_cli_check_output(const char *command, const char *output, const char *input)
{
    struct stat out, in;
    if (!input || strcmp(input, "-") == 0 || strcmp(output, "-") == 0 || stat(output, &out) < 0 ||
        stat(input, &in) < 0 || !S_ISREG(in.st_mode) || out.st_dev != in.st_dev ||
        out.st_ino != in.st_ino)
        return 0;
    return vmp_cli_usage(command, "%s: it is read and cannot be the output too", output);
}
