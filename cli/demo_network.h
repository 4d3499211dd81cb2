/* SPDX-License-Identifier: MIT */
/*
 * The demo's own network: two namespaces without names, joined by a veth pair, and a private /run.
 * All of it belongs to this process and vanishes with it, whatever ends it.
 */
#ifndef PTPMON_CLI_DEMO_NETWORK_H
#define PTPMON_CLI_DEMO_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#define DEMO_DIRECTORY   "/run/ptpmon-demo" /* in the private /run */
#define DEMO_CLIENT      "client"           /* the end of the pair in this process's namespace, and its role */
#define DEMO_GRANDMASTER "grandmaster"      /* the other end */

struct demo_network {
    int grandmaster; /* descriptor of the other namespace */
};

/* Moves this process into the client's namespace. False: `why` gets one sentence with the remedy. */
bool demo_network_create(struct demo_network *network, char *why, size_t size);

#endif
