/* SPDX-License-Identifier: MIT */
#include "windows/failure.h"

#include "error.h"
#include "windows/wide.h"

#include <stdlib.h>
#include <windows.h>

static ptpmon_status status_of(unsigned long error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
        return PTPMON_NO_PERMISSION;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
        return PTPMON_NO_MEMORY;
    case ERROR_BUSY:
        return PTPMON_BUSY;
    case ERROR_DEV_NOT_EXIST:
        return PTPMON_NO_INTERFACE;
    case ERROR_NOT_SUPPORTED:
    case ERROR_CALL_NOT_IMPLEMENTED:
        return PTPMON_NOT_SUPPORTED;
    default:
        return PTPMON_IO;
    }
}

ptpmon_status ptpmon_fail_windows(const char *object, const char *action, unsigned long error)
{
    wchar_t text[256];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, error, 0, text,
                                  sizeof text / sizeof *text, NULL);
    while (length > 0 && (text[length - 1] == L'\n' || text[length - 1] == L'\r' || text[length - 1] == L'.'))
        length--;
    text[length < sizeof text / sizeof *text ? length : 0] = 0;
    char *said = length > 0 ? ptpmon_utf8(text) : NULL;
    ptpmon_status status = said != NULL
                               ? ptpmon_fail(status_of(error), "%s: cannot %s: %s", object, action, said)
                               : ptpmon_fail(status_of(error), "%s: cannot %s: error %lu", object, action, error);
    free(said);
    return status;
}
