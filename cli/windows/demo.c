/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"

#include <string.h>

const char command_demo_summary[] = "on Linux only: a grandmaster and a client of its own, watched";

static const char sentence[] =
    "the demo is on Linux only, where it runs a grandmaster and a client of its own; "
    "`ptpmon correlate` shows recordings here";

int command_demo(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        cli_say("Usage: ptpmon demo\n\n%s.\n", sentence);
        return CLI_OK;
    }
    cli_message("%s", sentence);
    return CLI_UNSUPPORTED;
}
