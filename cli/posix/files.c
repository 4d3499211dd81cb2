/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

FILE *files_open(const char *path)
{
    return fopen(path, "rbe");
}

bool files_is_taken(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

bool files_is_stream(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode));
}

const char *files_standard_input(void)
{
    return "/dev/stdin";
}

bool files_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT;
}

uint64_t files_size(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
}

bool files_room(const char *path, uint64_t *bytes)
{
    struct statvfs about;
    char *copy = strdup(path);
    bool known = copy != NULL && statvfs(dirname(copy), &about) == 0;
    free(copy);
    if (known)
        *bytes = (uint64_t)about.f_bavail * about.f_frsize;
    return known;
}

const char *files_name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static DIR *open_directory_of(const char *path)
{
    const char *name = files_name_in(path);
    char *directory = name == path ? strdup(".") : strndup(path, (size_t)(name - path));
    DIR *opened = directory != NULL ? opendir(directory) : NULL;
    free(directory);
    return opened;
}

bool files_each_beside(const char *path, bool (*visit)(void *context, const char *name), void *context)
{
    DIR *opened = open_directory_of(path);
    if (opened == NULL)
        return true;
    bool all = true;
    const struct dirent *entry;
    while (all && (entry = readdir(opened)) != NULL)
        all = visit(context, entry->d_name);
    int error = errno;
    closedir(opened);
    errno = error;
    return all;
}
