/* SPDX-License-Identifier: MIT */
#include "windows/wide.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

/* Directories may have 12 characters fewer than files, 260 with the terminating 0. */
#define SHORT_PATH (MAX_PATH - 12)

wchar_t *ptpmon_wide(const char *text)
{
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = length > 0 ? malloc((size_t)length * sizeof *wide) : NULL;
    if (wide == NULL)
        errno = length > 0 ? ENOMEM : EILSEQ;
    else
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
    return wide;
}

char *ptpmon_utf8(const wchar_t *text)
{
    int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *utf8 = length > 0 ? malloc((size_t)length) : NULL;
    if (utf8 == NULL)
        errno = ENOMEM;
    else
        WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, length, NULL, NULL);
    return utf8;
}

/* Of the system's own name space already, such as \\.\NUL and \\?\C:\... */
static bool is_verbatim(const wchar_t *path)
{
    return wcsncmp(path, L"\\\\.\\", 4) == 0 || wcsncmp(path, L"\\\\?\\", 4) == 0;
}

/* The full form of `path`, with room for a prefix before it. */
static wchar_t *full_path(const wchar_t *path, size_t room)
{
    DWORD length = GetFullPathNameW(path, 0, NULL, NULL);
    wchar_t *full = length > 0 ? calloc(length + room, sizeof *full) : NULL;
    if (full == NULL) {
        errno = length > 0 ? ENOMEM : ENOENT;
        return NULL;
    }
    DWORD written = GetFullPathNameW(path, length, full + room, NULL);
    if (written > 0 && written < length)
        return full;
    free(full);
    errno = ENOENT;
    return NULL;
}

wchar_t *ptpmon_wide_path(const char *path)
{
    static const wchar_t local[] = L"\\\\?\\", network[] = L"\\\\?\\UNC";
    const size_t room = sizeof network / sizeof *network - 1;
    wchar_t *wide = ptpmon_wide(path);
    if (wide == NULL || is_verbatim(wide))
        return wide;
    wchar_t *full = full_path(wide, room);
    free(wide);
    if (full == NULL)
        return NULL;
    size_t length = wcslen(full + room);
    if (length < SHORT_PATH || is_verbatim(full + room)) {
        wmemmove(full, full + room, length + 1);
    } else if (wcsncmp(full + room, L"\\\\", 2) == 0) { /* \\server\share\... */
        wmemmove(full + room, full + room + 1, length);
        wmemcpy(full, network, room);
    } else {
        const size_t prefix = sizeof local / sizeof *local - 1;
        wmemmove(full + prefix, full + room, length + 1);
        wmemcpy(full, local, prefix);
    }
    return full;
}
