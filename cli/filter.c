/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool shows_port(const struct filter *filter, const PTP_TIMESTAMP_EVENT *identity)
{
    for (size_t i = 0; i < filter->port_count; i++) {
        const struct filter_port *port = &filter->ports[i];
        if (memcmp(port->clockIdentity, identity->clockIdentity, sizeof port->clockIdentity) == 0 &&
            (port->any_port || port->portNumber == identity->portNumber))
            return true;
    }
    return filter->port_count == 0;
}

static bool shows_vlan(const struct filter *filter, const PTP_TIMESTAMP_EVENT *identity)
{
    if (!(identity->stamp & AVB_STAMP_VLAN))
        return filter->untagged;
    return filter->vlans[identity->vlanId % FILTER_VLANS];
}

bool filter_shows(const struct filter *filter, const PTP_TIMESTAMP_EVENT *identity)
{
    if (filter->by_domain && !filter->domains[identity->domainNumber])
        return false;
    if (filter->by_type && !filter->types[identity->messageType % 16])
        return false;
    /* A frame of unknown direction may be either. */
    if (filter->by_direction && identity->direction != filter->direction &&
        identity->direction != AVB_DIRECTION_UNKNOWN)
        return false;
    if (filter->by_vlan && !shows_vlan(filter, identity))
        return false;
    return shows_port(filter, identity);
}

/* A link is the same one in every domain; who measures it does so in one of them. */
static bool serves_all_domains(const PTP_TIMESTAMP_EVENT *identity)
{
    uint8_t type = identity->messageType & 0xF;
    return type == AVB_PTP_PDELAY_REQ || type == AVB_PTP_PDELAY_RESP || type == AVB_PTP_PDELAY_RESP_FOLLOW_UP;
}

bool filter_analyzes(const struct filter *filter, const PTP_TIMESTAMP_EVENT *identity)
{
    return !filter->by_domain || filter->domains[identity->domainNumber] || serves_all_domains(identity);
}

typedef bool (*add_item)(struct filter *filter, const char *item);

static bool add_list(struct filter *filter, const char *list, add_item add, char bad[static FILTER_ITEM_SIZE])
{
    for (;;) {
        size_t length = strcspn(list, ",");
        bool fits = length < FILTER_ITEM_SIZE;
        snprintf(bad, FILTER_ITEM_SIZE, "%.*s", (int)length, list);
        if (!fits || !add(filter, bad))
            return false;
        if (list[length] == 0)
            return true;
        list += length + 1;
    }
}

static bool add_domain(struct filter *filter, const char *item)
{
    uint64_t domain;
    if (!cli_parse_number(item, 0, 255, &domain))
        return false;
    filter->by_domain = true;
    filter->domains[domain] = true;
    return true;
}

static bool add_type(struct filter *filter, const char *item)
{
    uint64_t type;
    bool found = cli_parse_number(item, 0, 15, &type);
    for (uint8_t i = 0; !found && i < 16; i++) {
        const char *name = ptpmon_message_type_name(i);
        found = strcasecmp(item, name) == 0 && strcmp(name, "reserved") != 0;
        type = i;
    }
    if (!found)
        return false;
    filter->by_type = true;
    filter->types[type] = true;
    return true;
}

static bool add_vlan(struct filter *filter, const char *item)
{
    uint64_t vlan;
    if (strcasecmp(item, "none") == 0)
        filter->untagged = true;
    else if (cli_parse_number(item, 0, FILTER_VLANS - 1, &vlan))
        filter->vlans[vlan] = true;
    else
        return false;
    filter->by_vlan = true;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool add_port(struct filter *filter, const char *item)
{
    struct filter_port port = {.any_port = true};
    uint64_t number;
    unsigned digits = 0;
    for (; *item != 0 && *item != '-'; item++) {
        int digit = hex_digit(*item);
        if (digit < 0 && (*item == '.' || *item == ':'))
            continue;
        if (digit < 0 || digits == 16)
            return false;
        uint8_t *byte = &port.clockIdentity[digits++ / 2];
        *byte = (uint8_t)(*byte << 4 | digit);
    }
    if (digits != 16 || filter->port_count == FILTER_PORTS)
        return false;
    if (*item == '-') {
        if (!cli_parse_number(item + 1, 0, UINT16_MAX, &number))
            return false;
        port.any_port = false;
        port.portNumber = (uint16_t)number;
    }
    filter->ports[filter->port_count++] = port;
    return true;
}

bool filter_add_domains(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE])
{
    return add_list(filter, list, add_domain, bad);
}

bool filter_add_types(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE])
{
    return add_list(filter, list, add_type, bad);
}

bool filter_add_ports(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE])
{
    return add_list(filter, list, add_port, bad);
}

bool filter_add_vlans(struct filter *filter, const char *list, char bad[static FILTER_ITEM_SIZE])
{
    return add_list(filter, list, add_vlan, bad);
}

bool filter_set_direction(struct filter *filter, const char *text, char bad[static FILTER_ITEM_SIZE])
{
    bool rx = strcasecmp(text, "rx") == 0;
    snprintf(bad, FILTER_ITEM_SIZE, "%s", text);
    if (!rx && strcasecmp(text, "tx") != 0)
        return false;
    filter->by_direction = true;
    filter->direction = (uint8_t)(rx ? AVB_DIRECTION_RX : AVB_DIRECTION_TX);
    return true;
}
