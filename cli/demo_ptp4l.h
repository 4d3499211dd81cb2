/* SPDX-License-Identifier: MIT */
/* A grandmaster and a client of linuxptp on the demo's network. No clock is ever set: free_running. */
#ifndef PTPMON_CLI_DEMO_PTP4L_H
#define PTPMON_CLI_DEMO_PTP4L_H

#include "demo_network.h"
#include "process.h"

struct demo_profile {
    const char *name;        /* "default", "gptp" */
    const char *description; /* for people */
    const char *options;     /* lines of the configuration that differ from ptp4l's defaults */
};

extern const struct demo_profile demo_profiles[]; /* ends with a NULL name */

struct demo_ptp4l {
    struct process grandmaster, client;
    char grandmaster_log[64], client_log[64];
};

/* Both: false, and `why` gets one sentence with the remedy. */
bool demo_ptp4l_find(char program[static PROCESS_PATH_SIZE], char *why, size_t size);
bool demo_ptp4l_start(struct demo_ptp4l *ptp4l, const char *program, const struct demo_profile *profile,
                      const struct demo_network *network, char *why, size_t size);
bool demo_ptp4l_is_running(struct demo_ptp4l *ptp4l);
void demo_ptp4l_stop(struct demo_ptp4l *ptp4l);

/* True once the client has chosen the other end's clock. */
bool demo_ptp4l_client_follows(const struct demo_ptp4l *ptp4l);

/* What both have said, on standard error. */
void demo_ptp4l_print_logs(const struct demo_ptp4l *ptp4l);

#endif
