/* SPDX-License-Identifier: MIT */
/* Apart from npcap.h, which needs libpcap's headers. */
#ifndef PTPMON_LIB_WINDOWS_NPCAP_FILE_H
#define PTPMON_LIB_WINDOWS_NPCAP_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

/* The path of the library that captures go through, in a buffer of `size` characters. False: there is none that can be
 * used. Any thread. */
bool ptpmon_npcap_file(wchar_t *path, uint32_t size);

#endif
