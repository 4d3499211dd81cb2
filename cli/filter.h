/* SPDX-License-Identifier: MIT */
/* Which frames to show. An empty filter shows all; the criteria that are set must all fit. */
#ifndef PTPMON_CLI_FILTER_H
#define PTPMON_CLI_FILTER_H

#include <ptpmon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_PORTS 32
#define FILTER_VLANS 4096

struct filter_port {
    uint8_t clockIdentity[8];
    bool any_port;
    uint16_t portNumber;
};

struct filter {
    bool by_domain, by_type, by_vlan, by_direction;
    bool domains[256];
    bool types[16];
    bool vlans[FILTER_VLANS]; /* 0 = priority tag */
    bool untagged;
    uint8_t direction;
    struct filter_port ports[FILTER_PORTS];
    size_t port_count; /* 0 = any */
};

bool filter_shows(const struct filter *filter, const PTP_TIMESTAMP_EVENT *identity);
/* For an analysis, of which the domains alone choose: is this message computed with? */
bool filter_analyzes(const struct filter *filter, const PTP_TIMESTAMP_EVENT *identity);

/*
 * Each adds a comma list to the filter; on failure false, and `bad` holds the item that is none.
 * Domains: 0-255. Types: names as the standard spells them, case ignored, or numbers 0-15. Ports:
 * a clockIdentity of 16 hex digits, dots and colons between them allowed, with "-portNumber" or
 * without. VLANs: 0-4095 or "none". Direction: "rx" or "tx", no list.
 */
#define FILTER_ITEM_SIZE 64
bool filter_add_domains(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE]);
bool filter_add_types(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE]);
bool filter_add_ports(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE]);
bool filter_add_vlans(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE]);
bool filter_set_direction(struct filter *filter, const char *text, char bad[static FILTER_ITEM_SIZE]);

#endif
