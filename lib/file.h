/* SPDX-License-Identifier: MIT */
/*
 * Files by UTF-8 paths, as bytes; each system has its own file.c. The descriptors are those of the C library: close(),
 * fstat(), ftruncate() work on them. What fails sets errno.
 */
#ifndef PTPMON_LIB_FILE_H
#define PTPMON_LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* For writing; made where there is none. `empty`: what it holds goes. -1: failed. */
int ptpmon_file_create(const char *path, bool empty);

/* For reading; does not wait for the other end of a pipe with a name. -1: failed. */
int ptpmon_file_open(const char *path);

/* For reading, from the start. NULL: failed. */
FILE *ptpmon_file_stream(const char *path);

/* True: it is not there (any more). */
bool ptpmon_file_remove(const char *path);

/* Whether both are open on one file. */
bool ptpmon_file_is_same(int a, int b);

/* As POSIX write() and pread(): how many bytes, which may be fewer than asked for; -1: failed. */
int64_t ptpmon_file_write(int file, const void *bytes, size_t length);
int64_t ptpmon_file_read_at(int file, void *bytes, size_t length, uint64_t offset);

#endif
