/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int ptpmon_file_create(const char *path, bool empty)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (empty ? O_TRUNC : 0), 0666);
}

int ptpmon_file_open(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

FILE *ptpmon_file_stream(const char *path)
{
    return fopen(path, "rbe");
}

bool ptpmon_file_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT;
}

bool ptpmon_file_is_same(int a, int b)
{
    struct stat about_a, about_b;
    return fstat(a, &about_a) == 0 && fstat(b, &about_b) == 0 && about_a.st_dev == about_b.st_dev &&
           about_a.st_ino == about_b.st_ino;
}

int64_t ptpmon_file_write(int file, const void *bytes, size_t length)
{
    return write(file, bytes, length);
}

int64_t ptpmon_file_read_at(int file, void *bytes, size_t length, uint64_t offset)
{
    return pread(file, bytes, length, (off_t)offset);
}
