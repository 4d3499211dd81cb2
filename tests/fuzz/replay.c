/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over stored inputs, with any compiler: fuzz_X_replay FILE-OR-DIRECTORY...
 * Succeeds when every input passed and every argument had at least one. A failing input aborts
 * the program; the last line before it names the file.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int fail(const char *path, const char *action)
{
    fprintf(stderr, "%s: cannot %s: %s\n", path, action, strerror(errno));
    return -1;
}

/* A block of exactly the file's bytes, so that a sanitizer sees a read beyond them. */
static uint8_t *read_exactly(FILE *file, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes != NULL && fread(bytes, 1, size, file) != size) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

/* Returns the number of inputs run, or -1. */
static int run_file(const char *path, const struct stat *status)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail(path, "open it");
    size_t size = (size_t)status->st_size;
    uint8_t *bytes = read_exactly(file, size);
    fclose(file);
    if (bytes == NULL)
        return fail(path, "read it");
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 1;
}

static int run_path(const char *path);

static int run_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return fail(path, "open it");
    int total = 0;
    for (struct dirent *entry = readdir(directory); entry != NULL && total >= 0; entry = readdir(directory)) {
        char inside[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        int run = run_path(inside);
        total = run < 0 ? -1 : total + run;
    }
    closedir(directory);
    return total;
}

static int run_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return fail(path, "find it");
    return S_ISDIR(status.st_mode) ? run_directory(path) : run_file(path, &status);
}

int main(int argc, char **argv)
{
    int total = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE-OR-DIRECTORY...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        int run = run_path(argv[i]);
        if (run < 0)
            return 1;
        if (run == 0) {
            fprintf(stderr, "%s: no inputs in it\n", argv[i]);
            return 1;
        }
        total += run;
    }
    printf("%d inputs passed\n", total);
    return 0;
}
