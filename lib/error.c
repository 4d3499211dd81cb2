/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[512] = "no error";

ptpmon_status ptpmon_fail(ptpmon_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return status;
}

ptpmon_status ptpmon_fail_errno(const char *object, const char *action, int errno_value)
{
    ptpmon_status status;
    switch (errno_value) {
    case EPERM:
    case EACCES:
        status = PTPMON_NO_PERMISSION;
        break;
    case ENODEV:
    case ENXIO:
        status = PTPMON_NO_INTERFACE;
        break;
    case ENOMEM:
        status = PTPMON_NO_MEMORY;
        break;
    case EOPNOTSUPP:
        status = PTPMON_NOT_SUPPORTED;
        break;
    case EBUSY:
        status = PTPMON_BUSY;
        break;
    default:
        status = PTPMON_IO;
        break;
    }
    return ptpmon_fail(status, "%s: cannot %s: %s", object, action, strerror(errno_value));
}

const char *ptpmon_error_message(void)
{
    return message;
}
