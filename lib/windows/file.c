/* SPDX-License-Identifier: MIT */
#include "file.h"

#include "windows/wide.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <share.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <windows.h>

/* The C library takes a number of 32 bits. */
#define BYTES_AT_ONCE ((size_t)1 << 30)

/* Of a directory the C library says that access is denied. */
static int explained(int error, const wchar_t *path)
{
    DWORD attributes = error == EACCES ? GetFileAttributesW(path) : INVALID_FILE_ATTRIBUTES;
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? EISDIR : error;
}

static int open_path(const char *path, int flags)
{
    wchar_t *wide = ptpmon_wide_path(path);
    if (wide == NULL)
        return -1;
    int file = _wsopen(wide, flags | _O_BINARY | _O_NOINHERIT, _SH_DENYNO, _S_IREAD | _S_IWRITE);
    int error = file < 0 ? explained(errno, wide) : 0;
    free(wide);
    errno = error;
    return file;
}

int ptpmon_file_create(const char *path, bool empty)
{
    return open_path(path, _O_WRONLY | _O_CREAT | (empty ? _O_TRUNC : 0));
}

int ptpmon_file_open(const char *path)
{
    return open_path(path, _O_RDONLY);
}

FILE *ptpmon_file_stream(const char *path)
{
    int file = ptpmon_file_open(path);
    FILE *stream = file < 0 ? NULL : _fdopen(file, "rb");
    if (stream == NULL && file >= 0)
        _close(file);
    return stream;
}

bool ptpmon_file_remove(const char *path)
{
    wchar_t *wide = ptpmon_wide_path(path);
    bool removed = wide != NULL && (_wunlink(wide) == 0 || errno == ENOENT);
    int error = errno;
    free(wide);
    errno = error;
    return removed;
}

bool ptpmon_file_is_same(int a, int b)
{
    BY_HANDLE_FILE_INFORMATION about_a, about_b;
    return GetFileInformationByHandle((HANDLE)_get_osfhandle(a), &about_a) &&
           GetFileInformationByHandle((HANDLE)_get_osfhandle(b), &about_b) &&
           about_a.dwVolumeSerialNumber == about_b.dwVolumeSerialNumber &&
           about_a.nFileIndexHigh == about_b.nFileIndexHigh && about_a.nFileIndexLow == about_b.nFileIndexLow;
}

static unsigned at_once(size_t length)
{
    return (unsigned)(length < BYTES_AT_ONCE ? length : BYTES_AT_ONCE);
}

int64_t ptpmon_file_write(int file, const void *bytes, size_t length)
{
    return _write(file, bytes, at_once(length));
}

int64_t ptpmon_file_read_at(int file, void *bytes, size_t length, uint64_t offset)
{
    if (_lseeki64(file, (int64_t)offset, SEEK_SET) < 0)
        return -1;
    return _read(file, bytes, at_once(length));
}
