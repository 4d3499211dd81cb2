/* SPDX-License-Identifier: MIT */
/* Child programs that never outlive this process: the kernel kills them when it ends, however it ends. */
#ifndef PTPMON_CLI_PROCESS_H
#define PTPMON_CLI_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_PATH_SIZE 4096

/* Looks for a program in PATH and where system administration programs lie; false = not installed. */
bool process_find(const char *program, char path[static PROCESS_PATH_SIZE]);

struct process {
    pid_t pid;  /* 0 = not running */
    int status; /* as of waitpid(), once it has ended */
};

/*
 * Starts argv[0], a path, in the network namespace of this descriptor (-1 = this process's), its
 * output appended to the file `log`. False: errno says why not.
 */
bool process_start(struct process *process, char *const argv[], int network_namespace, const char *log);

/* False once the process has ended. */
bool process_is_running(struct process *process);

/* Waits for its end; true if it ended with 0. */
bool process_wait(struct process *process);

/* Asks it to end, kills it after a second, and waits for its end. */
void process_stop(struct process *process);

#endif
