/* SPDX-License-Identifier: MIT */
/* For the programs that write seeds: the directory that their one argument names, and the files in it. */
#ifndef PTPMON_TESTS_SEEDS_H
#define PTPMON_TESTS_SEEDS_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the directory where it is missing. 0, or what the program is to exit with, having said why. */
static inline int seeds_begin(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (mkdir(argv[1], 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: cannot make the directory: %s\n", argv[1], strerror(errno));
        return 1;
    }
    return 0;
}

/* Writes a header, of 0 bytes where there is none, and a body. 0: it could not, and says why. */
static inline int seed_write(const char *directory, const char *name, const void *header, size_t header_bytes,
                             const void *body, size_t body_bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    int written = file != NULL && fwrite(header, 1, header_bytes, file) == header_bytes &&
                  fwrite(body, 1, body_bytes, file) == body_bytes;
    if (file != NULL && fclose(file) != 0)
        written = 0;
    if (!written)
        fprintf(stderr, "%s: cannot write it: %s\n", path, strerror(errno));
    return written;
}

#endif
