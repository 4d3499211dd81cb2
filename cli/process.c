/* SPDX-License-Identifier: MIT */
#include "process.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_WAIT_MS  1000
#define STOP_SLICE_MS 5

bool process_find(const char *program, char path[static PROCESS_PATH_SIZE])
{
    char directories[PROCESS_PATH_SIZE];
    const char *variable = getenv("PATH");
    snprintf(directories, sizeof directories, "%s:/usr/local/sbin:/usr/sbin:/sbin", variable != NULL ? variable : "");
    char *next = NULL;
    for (char *directory = strtok_r(directories, ":", &next); directory != NULL;
         directory = strtok_r(NULL, ":", &next)) {
        int length = snprintf(path, PROCESS_PATH_SIZE, "%s/%s", directory, program);
        if (length < PROCESS_PATH_SIZE && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* In the child; returns only if something failed. */
static void become(char *const argv[], int network_namespace, const char *log, pid_t parent)
{
    /* Its own group: Ctrl-C at the terminal is for the parent, which ends its children in order. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || setpgid(0, 0) != 0)
        return;
    if (getppid() != parent) /* it ended before the line above */
        _exit(1);
    if (network_namespace >= 0 && setns(network_namespace, CLONE_NEWNET) != 0)
        return;
    int nothing = open("/dev/null", O_RDONLY);
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (nothing < 0 || output < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        return;
    close(nothing);
    close(output);
    cli_signals_default();
    execv(argv[0], argv);
}

/* The child tells over the pipe why it could not start; exec closes the pipe. */
bool process_start(struct process *process, char *const argv[], int network_namespace, const char *log)
{
    int report[2], problem = 0;
    pid_t parent = getpid();
    *process = (struct process){0};
    if (pipe2(report, O_CLOEXEC) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        become(argv, network_namespace, log, parent);
        problem = errno;
        _exit(write(report[1], &problem, sizeof problem) == sizeof problem ? 127 : 126);
    }
    int fork_problem = errno;
    close(report[1]);
    ssize_t length = pid > 0 ? read(report[0], &problem, sizeof problem) : 0;
    close(report[0]);
    if (pid < 0) {
        errno = fork_problem;
        return false;
    }
    process->pid = pid;
    if (length != sizeof problem)
        return true;
    process_wait(process);
    errno = problem;
    return false;
}

bool process_is_running(struct process *process)
{
    if (process->pid != 0 && waitpid(process->pid, &process->status, WNOHANG) == process->pid)
        process->pid = 0;
    return process->pid != 0;
}

bool process_wait(struct process *process)
{
    while (process->pid != 0) {
        pid_t pid = waitpid(process->pid, &process->status, 0);
        if (pid < 0 && errno == EINTR)
            continue;
        process->pid = 0;
    }
    return WIFEXITED(process->status) && WEXITSTATUS(process->status) == 0;
}

void process_stop(struct process *process)
{
    if (process->pid == 0)
        return;
    kill(process->pid, SIGTERM);
    for (int waited = 0; waited < STOP_WAIT_MS && process_is_running(process); waited += STOP_SLICE_MS)
        nanosleep(&(struct timespec){.tv_nsec = STOP_SLICE_MS * NS_PER_MS}, NULL);
    if (process_is_running(process))
        kill(process->pid, SIGKILL);
    process_wait(process);
}
