/* SPDX-License-Identifier: MIT */
/* The commands. Each takes its own argv (argv[0] is its name) and returns an enum cli_exit. */
#ifndef PTPMON_CLI_COMMANDS_H
#define PTPMON_CLI_COMMANDS_H

int command_list(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_record(int argc, char **argv);
int command_correlate(int argc, char **argv);
int command_analyze(int argc, char **argv);
int command_simulate(int argc, char **argv);
int command_demo(int argc, char **argv);
/* Of the driver that is installed on Windows. */
int command_install(int argc, char **argv);
int command_uninstall(int argc, char **argv);
int command_status(int argc, char **argv);
int command_stats(int argc, char **argv);

/* For the list of commands, of those that are not the same on every system; "" = it is not in the list, and says why.
 */
extern const char command_demo_summary[];
extern const char command_install_summary[], command_uninstall_summary[];
extern const char command_status_summary[], command_stats_summary[];

#endif
