#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

void
vmp_cli_remove_logs(const char *path)
{
    char *copy = strdup(path), *copy2 = strdup(path);
    const char *folder = copy ? dirname(copy) : NULL, *name = copy2 ? basename(copy2) : NULL;
    DIR *dir = folder && name ? opendir(folder) : NULL;
    size_t n = name ? strlen(name) : 0;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (strncmp(entry->d_name, name, n) == 0 &&
            (entry->d_name[n] == '\0' || entry->d_name[n] == '.'))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    if (folder)
        (void)rmdir(folder);
    free(copy);
    free(copy2);
}
