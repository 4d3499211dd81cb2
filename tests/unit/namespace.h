/* SPDX-License-Identifier: MIT */
/* A private network namespace for a test process; it vanishes with the process. */
#ifndef PTPMON_TESTS_NAMESPACE_H
#define PTPMON_TESTS_NAMESPACE_H

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool enter_private_namespace(void)
{
    if (unshare(CLONE_NEWNET) == 0)
        return true;
    fprintf(stderr, "a network namespace of its own needs CAP_SYS_ADMIN: %s; run this test as root\n", strerror(errno));
    return false;
}

/* Runs a shell command; true where it succeeded. */
__attribute__((format(printf, 1, 2))) static inline bool run(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return length < (int)sizeof command && system(command) == 0;
}

#endif
