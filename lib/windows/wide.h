/* SPDX-License-Identifier: MIT */
/* Between UTF-8, which the library and the command speak, and the UTF-16 of Windows. */
#ifndef PTPMON_LIB_WINDOWS_WIDE_H
#define PTPMON_LIB_WINDOWS_WIDE_H

#include <wchar.h>

/* All are to be freed. NULL: errno is ENOMEM, or EILSEQ where the text is not UTF-8. */
wchar_t *ptpmon_wide(const char *text);

/* What is not UTF-16 becomes U+FFFD. */
char *ptpmon_utf8(const wchar_t *text);

/* As the system's file functions take it: in full, and in the form without limit where it is longer than others may
 * be. Also errno ENOENT: there is no such path. */
wchar_t *ptpmon_wide_path(const char *path);

#endif
