#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "load.h"
#include "term_progress.h"

typedef struct loading {
    vmp_progress bar;
    uint64_t total; /* bytes; 0: not known */
} loading;

static void
on_progress(void *ctx, uint64_t bytes_done)
{
    loading *l = ctx;
    vmp_progress_step(&l->bar, bytes_done, l->total);
}

static vmp_profile *
load_fd(int fd, const char *path, bool keep_samples)
{
    struct stat st;
    vmp_err err = {0};
    vmp_profile *profile = NULL;
    loading l = {0};
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        l.total = (uint64_t)st.st_size;
    vmp_progress_start(&l.bar, STDERR_FILENO, "reading");
    vmp_load_options options = {
        .keep_samples = keep_samples, .progress = on_progress, .progress_ctx = &l};
    int rc = vmp_load_fd(&profile, fd, &options, &err);
    vmp_progress_stop(&l.bar);
    if (rc < 0) {
        vmp_cli_fail("%s: %s", path, err.text[0] ? err.text : vmp_err_text(rc));
        return NULL;
    }
    return profile;
}

vmp_profile *
vmp_cli_load(const char *path, bool keep_samples)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        vmp_cli_fail("%s: %s", path, strerror(errno));
        return NULL;
    }
    vmp_profile *profile = load_fd(fd, path, keep_samples);
    if (!standard_input)
        close(fd);
    if (profile)
        vmp_cli_note_end(path, profile, keep_samples);
    return profile;
}

void
vmp_cli_note_end(const char *path, const vmp_profile *p, bool taking)
{
    const char *does = taking ? "taking" : "showing";
    if (p->cut)
        vmp_cli_note("%s: the log has no clean end; %s what was written", path, does);
    else if (p->behind_at)
        vmp_cli_note("%s: the file is damaged behind the log's end, at byte %" PRIu64
                     " (%s); %s the log before that",
            path, p->behind_at, vmp_profile_string(p, p->behind).p, does);
}

void
vmp_cli_note_cut_jitlog(const char *path, uint64_t at)
{
    vmp_cli_note("%s: the jitlog is cut at byte %" PRIu64 "; showing what is before", path, at);
}

int
vmp_cli_check_inputs(const char *command, const char *before, const char *after)
{
    if (strcmp(before, "-") == 0 && strcmp(after, "-") == 0)
        return vmp_cli_usage(command, "standard input is one log only");
    return 0;
}

enum vmp_cli_clock
vmp_cli_clock_of(const vmp_profile *p)
{
    if (p->process_count <= 1)
        return VMP_CLI_CLOCK_NONE;
    return vmp_profile_is_wall(p) ? VMP_CLI_CLOCK_WALL : VMP_CLI_CLOCK_CPU;
}

int
vmp_cli_check_clocks(const char *const paths[2], const enum vmp_cli_clock clocks[2])
{
    if (clocks[0] == clocks[1] || clocks[0] == VMP_CLI_CLOCK_NONE ||
        clocks[1] == VMP_CLI_CLOCK_NONE)
        return 0;
    return vmp_cli_fail("%s tells time on the wall, the other log CPU time",
        paths[clocks[1] == VMP_CLI_CLOCK_WALL]);
}
