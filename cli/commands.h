/* SPDX-License-Identifier: MIT */
/* The commands. Each takes its own argv (argv[0] is its name) and returns an enum cli_exit. */
#ifndef PTPMON_CLI_COMMANDS_H
#define PTPMON_CLI_COMMANDS_H

int command_list(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_record(int argc, char **argv);
int command_correlate(int argc, char **argv);
int command_demo(int argc, char **argv);

/* For the list of commands; it is not on every system what it is on Linux. */
extern const char command_demo_summary[];

#endif
