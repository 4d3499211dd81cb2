/* SPDX-License-Identifier: MIT */
/* Files and directories by UTF-8 paths. Each system has its own: cli/posix, cli/windows. What fails sets errno. */
#ifndef PTPMON_CLI_FILES_H
#define PTPMON_CLI_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* For reading bytes; NULL: failed. */
FILE *files_open(const char *path);

/* Whether the name is taken, be it by a link to nothing. */
bool files_is_taken(const char *path);

/* Whether what it names can be read once only: a pipe, a socket. What is not there is none. */
bool files_is_stream(const char *path);

/* The name under which a program opens its own standard input; NULL: it has none on this system. */
const char *files_standard_input(void);

/* True: it is not there (any more). */
bool files_remove(const char *path);

/* Bytes; 0 where there is none. */
uint64_t files_size(const char *path);

/* What a file of this name could still grow by; false: not known. */
bool files_room(const char *path, uint64_t *bytes);

/* The last component of a path: where it begins. */
const char *files_name_in(const char *path);

/* Calls visit() for each name in the directory of `path`, until one says false; true: none did, or the directory cannot
 * be read. */
bool files_each_beside(const char *path, bool (*visit)(void *context, const char *name), void *context);

#endif
