/* SPDX-License-Identifier: MIT */
/* How the library reports failures: a status for the program, a sentence for the person. */
#ifndef PTPMON_LIB_ERROR_H
#define PTPMON_LIB_ERROR_H

#include <ptpmon.h>
#include <stdio.h>

/* A function that takes a format, by the position of it and of what is put in. mingw-w64 has two kinds of formats, and
 * says in <stdio.h> which one printf() takes. */
#ifdef __MINGW_PRINTF_FORMAT
#define PTPMON_PRINTF(format_at, arguments_at) __attribute__((format(__MINGW_PRINTF_FORMAT, format_at, arguments_at)))
#else
#define PTPMON_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#endif

/* Keeps the sentence for ptpmon_error_message() and returns `status`, so that callers write
 * `return ptpmon_fail(PTPMON_NO_INTERFACE, "%s: no such interface; ...", name)`.
 * The sentence names the object first and ends with the remedy, without a full stop. */
ptpmon_status ptpmon_fail(ptpmon_status status, const char *format, ...) PTPMON_PRINTF(2, 3);

/* ptpmon_fail() for a failed system call: "<object>: cannot <action>: <strerror>", with the status
 * that fits errno_value (EPERM, EACCES: NO_PERMISSION; ENODEV, ENXIO: NO_INTERFACE; ENOMEM:
 * NO_MEMORY; EOPNOTSUPP: NOT_SUPPORTED; EBUSY: BUSY; else IO). */
ptpmon_status ptpmon_fail_errno(const char *object, const char *action, int errno_value);

#endif
