/* SPDX-License-Identifier: MIT */
#include "files.h"

#include "file.h"
#include "windows/wide.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <share.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

FILE *files_open(const char *path)
{
    wchar_t *wide = ptpmon_wide_path(path);
    FILE *file = wide != NULL ? _wfsopen(wide, L"rbN", _SH_DENYNO) : NULL;
    free(wide);
    return file;
}

static DWORD attributes_of(const char *path)
{
    wchar_t *wide = ptpmon_wide_path(path);
    DWORD attributes = wide != NULL ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    free(wide);
    return attributes;
}

bool files_is_taken(const char *path)
{
    return attributes_of(path) != INVALID_FILE_ATTRIBUTES;
}

/* Asking for the attributes of a pipe would open it; its name is enough. */
bool files_is_stream(const char *path)
{
    static const char pipes[] = "\\\\.\\pipe\\";
    return _strnicmp(path, pipes, sizeof pipes - 1) == 0;
}

const char *files_standard_input(void)
{
    return NULL;
}

bool files_remove(const char *path)
{
    return ptpmon_file_remove(path);
}

uint64_t files_size(const char *path)
{
    WIN32_FILE_ATTRIBUTE_DATA about;
    wchar_t *wide = ptpmon_wide_path(path);
    bool known = wide != NULL && GetFileAttributesExW(wide, GetFileExInfoStandard, &about);
    free(wide);
    return known ? (uint64_t)about.nFileSizeHigh << 32 | about.nFileSizeLow : 0;
}

const char *files_name_in(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != 0; at++) {
        if (*at == '/' || *at == '\\' || *at == ':')
            name = at + 1;
    }
    return name;
}

/* "C:\captures\*" for "C:\captures\name"; `length` is then that of "C:\captures\". */
static wchar_t *beside(const char *path, size_t *length)
{
    size_t directory = (size_t)(files_name_in(path) - path);
    char *pattern = malloc(directory + sizeof ".\\*");
    if (pattern == NULL)
        return NULL;
    memcpy(pattern, path, directory);
    strcpy(pattern + directory, directory > 0 ? "*" : ".\\*");
    wchar_t *wide = ptpmon_wide_path(pattern);
    free(pattern);
    if (wide != NULL)
        *length = wcslen(wide) - 1;
    return wide;
}

bool files_room(const char *path, uint64_t *bytes)
{
    ULARGE_INTEGER available;
    size_t length;
    wchar_t *directory = beside(path, &length);
    if (directory == NULL)
        return false;
    directory[length] = 0;
    bool known = GetDiskFreeSpaceExW(directory, &available, NULL, NULL);
    free(directory);
    if (known)
        *bytes = available.QuadPart;
    return known;
}

/* No memory for a name: it is none of the names that are looked for, or using it will say so. */
static bool visit_name(const wchar_t *wide, bool (*visit)(void *context, const char *name), void *context)
{
    char *name = ptpmon_utf8(wide);
    bool go_on = name == NULL || visit(context, name);
    int error = errno;
    free(name);
    errno = error;
    return go_on;
}

bool files_each_beside(const char *path, bool (*visit)(void *context, const char *name), void *context)
{
    WIN32_FIND_DATAW found;
    size_t length;
    wchar_t *pattern = beside(path, &length);
    HANDLE search = pattern != NULL ? FindFirstFileW(pattern, &found) : INVALID_HANDLE_VALUE;
    free(pattern);
    if (search == INVALID_HANDLE_VALUE)
        return true;
    bool all;
    do {
        all = visit_name(found.cFileName, visit, context);
    } while (all && FindNextFileW(search, &found));
    int error = errno;
    FindClose(search);
    errno = error;
    return all;
}
