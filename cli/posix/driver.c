/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"

#include <string.h>

/* Not in the list of commands. */
const char command_install_summary[] = "";
const char command_uninstall_summary[] = "";
const char command_status_summary[] = "";
const char command_stats_summary[] = "";

static int refuse(int argc, char **argv)
{
    static const char sentence[] =
        "this command is on Windows only, where a driver is installed; here ptpmon brings its eBPF program along, and "
        "`ptpmon list` shows the interfaces";
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        cli_say("Usage: ptpmon %s\n\n%s.\n", argv[0], sentence);
        return CLI_OK;
    }
    cli_message("%s", sentence);
    return CLI_UNSUPPORTED;
}

int command_install(int argc, char **argv)
{
    return refuse(argc, argv);
}

int command_uninstall(int argc, char **argv)
{
    return refuse(argc, argv);
}

int command_status(int argc, char **argv)
{
    return refuse(argc, argv);
}

int command_stats(int argc, char **argv)
{
    return refuse(argc, argv);
}
