/* SPDX-License-Identifier: MIT */
/* The network configuration of Windows (INetCfg), as far as a filter driver is put into it and taken out. */
#ifndef PTPMON_CLI_WINDOWS_NETWORK_CONFIGURATION_H
#define PTPMON_CLI_WINDOWS_NETWORK_CONFIGURATION_H

#include <stdbool.h>
#include <wchar.h>

/* The driver's component, as its INF names it. */
#define NETWORK_COMPONENT L"ptpmon_avb"

struct network_configuration;

/* What follows from a change. */
enum network_change {
    NETWORK_CHANGED,
    NETWORK_NEEDS_RESTART, /* done, and complete once Windows has been restarted */
    NETWORK_NOT_CHANGED,   /* a message said why: *code is an enum cli_exit */
};

/* Opens it for a change, which nobody else may make meanwhile. NULL: a message said why, and *code is an enum cli_exit.
 */
struct network_configuration *network_configuration_open(int *code);
void network_configuration_close(struct network_configuration *configuration);

/* Whether the component is in it. False also where that cannot be known: a change then says why. */
bool network_configuration_has(struct network_configuration *configuration);

/* Puts the component in, whose package the driver store has, and binds it to every adapter that it fits. */
enum network_change network_configuration_add(struct network_configuration *configuration, int *code);
enum network_change network_configuration_remove(struct network_configuration *configuration, int *code);

#endif
