/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <windows.h>

static LONG stop_requested;

/* On a thread of its own. A console that is closed gives its programs some seconds, and does not wait for the rest. */
static BOOL WINAPI on_control(DWORD event)
{
    (void)event;
    return InterlockedExchange(&stop_requested, 1) == 0; /* FALSE: ends the process */
}

void cli_signals_setup(void)
{
    SetConsoleCtrlHandler(on_control, TRUE);
}

void cli_signals_default(void)
{
    SetConsoleCtrlHandler(on_control, FALSE);
}

bool cli_stop_requested(void)
{
    return InterlockedCompareExchange(&stop_requested, 0, 0) != 0;
}
