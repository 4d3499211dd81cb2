/* SPDX-License-Identifier: MIT */
/* The driver's package: its files where it was unpacked, and Windows's store of drivers, from which it is installed. */
#ifndef PTPMON_CLI_WINDOWS_DRIVER_PACKAGE_H
#define PTPMON_CLI_WINDOWS_DRIVER_PACKAGE_H

#include <stdbool.h>
#include <wchar.h>

/* All that fail say why, and return an enum cli_exit, which is CLI_OK else. */

/* The INF at `path`, NULL: beside this program, as *inf, to be freed; and whether it and the files that belong to it
 * are there. */
int driver_package_find(const char *path, wchar_t **inf);

/* Puts it into the store. What Windows shows and asks on a screen, it may ask here. */
int driver_package_store(const wchar_t *inf);

/* Takes all versions of it out of the store. */
int driver_package_forget(void);

#endif
