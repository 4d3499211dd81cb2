/* SPDX-License-Identifier: MIT */
/*
 * The interfaces of the calling thread's network namespace. Everything is asked through sockets:
 * sysfs shows the namespace that it was mounted for, which is another one after setns() or unshare().
 */
#include "error.h"
#include "linux/device_ioctl.h"
#include "linux/stamping.h"

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>

/* The kernel builds dump messages of at most 32 KiB. */
#define RECEIVE_BYTES (64 * 1024)
/* Dumps are repeated while links change under them. The last is taken as it is. */
#define DUMP_ATTEMPTS 5

/* A link as the kernel tells it, of any kind. */
struct link {
    ptpmon_interface interface;
    bool ethernet;
    uint32_t link_index;   /* the link it was made on or is paired with, in this namespace; 0 = none */
    uint32_t master_index; /* the bond, bridge or team that it is part of; 0 = none */
    char kind[32];         /* IFLA_INFO_KIND; "" for real cards */
};

struct link_table {
    struct link *links;
    size_t count, capacity;
};

/* ---- RTM_GETLINK --------------------------------------------------------------------------- */

static uint32_t attribute_u32(const struct rtattr *attribute)
{
    uint32_t value = 0;
    if (RTA_PAYLOAD(attribute) >= sizeof value)
        memcpy(&value, RTA_DATA(attribute), sizeof value);
    return value;
}

/* The kernel's strings may lack their terminating 0. */
static void attribute_string(const struct rtattr *attribute, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)RTA_PAYLOAD(attribute), (const char *)RTA_DATA(attribute));
}

static void read_link_info(const struct rtattr *info, struct link *link)
{
    int64_t length = (int64_t)RTA_PAYLOAD(info);
    for (const struct rtattr *a = RTA_DATA(info); RTA_OK(a, length); a = RTA_NEXT(a, length)) {
        if (a->rta_type == IFLA_INFO_KIND)
            attribute_string(a, link->kind, sizeof link->kind);
    }
}

static void read_attribute(const struct rtattr *attribute, struct link *link)
{
    ptpmon_interface *interface = &link->interface;
    switch (attribute->rta_type & NLA_TYPE_MASK) {
    case IFLA_IFNAME:
        attribute_string(attribute, interface->name, sizeof interface->name);
        break;
    case IFLA_ADDRESS:
        if (RTA_PAYLOAD(attribute) == sizeof interface->mac)
            memcpy(interface->mac, RTA_DATA(attribute), sizeof interface->mac);
        break;
    case IFLA_LINK:
        link->link_index = attribute_u32(attribute);
        break;
    case IFLA_MASTER:
        link->master_index = attribute_u32(attribute);
        break;
    case IFLA_NUM_RX_QUEUES:
        interface->rx_queues = attribute_u32(attribute);
        break;
    case IFLA_NUM_TX_QUEUES:
        interface->tx_queues = attribute_u32(attribute);
        break;
    case IFLA_LINKINFO:
        read_link_info(attribute, link);
        break;
    default:
        break;
    }
}

static void read_link(const struct nlmsghdr *message, struct link *link)
{
    const struct ifinfomsg *info = NLMSG_DATA(message);
    int64_t length = (int64_t)IFLA_PAYLOAD(message);
    bool elsewhere = false; /* IFLA_LINK counts in another namespace */

    *link = (struct link){.ethernet = info->ifi_type == ARPHRD_ETHER || info->ifi_type == ARPHRD_LOOPBACK};
    link->interface.index = (uint32_t)info->ifi_index;
    link->interface.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING);
    for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, length); a = RTA_NEXT(a, length)) {
        read_attribute(a, link);
        elsewhere |= a->rta_type == IFLA_LINK_NETNSID;
    }
    if (elsewhere)
        link->link_index = 0;
    if (info->ifi_type == ARPHRD_LOOPBACK)
        link->interface.kind = PTPMON_KIND_LOOPBACK;
}

static bool table_add(struct link_table *table, const struct link *link)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 16;
        struct link *links = realloc(table->links, capacity * sizeof *links);
        if (links == NULL)
            return false;
        table->links = links;
        table->capacity = capacity;
    }
    table->links[table->count++] = *link;
    return true;
}

static ptpmon_status fail_no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "interfaces: no memory for the list; close other programs");
}

static ptpmon_status fail_dump(int problem)
{
    return ptpmon_fail_errno("interfaces", "list them through rtnetlink", problem);
}

static int send_request(int fd)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
        struct rtattr attribute;
        uint32_t skip;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .info = {.ifi_family = AF_UNSPEC},
        .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK},
        .skip = RTEXT_FILTER_SKIP_STATS,
    };
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent = sendto(fd, &request, sizeof request, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    return sent < 0 ? errno : 0;
}

/* Takes the messages of one datagram. OK: more will come. END: that was all. */
static ptpmon_status read_messages(const void *bytes, int64_t length, struct link_table *table, bool *interrupted)
{
    for (const struct nlmsghdr *m = bytes; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
        struct link link;
        *interrupted |= (m->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        switch (m->nlmsg_type) {
        case NLMSG_DONE:
            return PTPMON_END;
        case NLMSG_ERROR:
            return fail_dump(-((const struct nlmsgerr *)NLMSG_DATA(m))->error);
        case RTM_NEWLINK:
            read_link(m, &link);
            if (!table_add(table, &link))
                return fail_no_memory();
            break;
        default:
            break;
        }
    }
    return PTPMON_OK;
}

static ptpmon_status dump(int fd, void *buffer, struct link_table *table, bool *interrupted)
{
    int problem = send_request(fd);
    if (problem != 0)
        return fail_dump(problem);
    ptpmon_status status = PTPMON_OK;
    while (status == PTPMON_OK) {
        ssize_t length = recv(fd, buffer, RECEIVE_BYTES, 0);
        if (length >= 0)
            status = read_messages(buffer, length, table, interrupted);
        else if (errno != EINTR)
            status = fail_dump(errno);
    }
    return status == PTPMON_END ? PTPMON_OK : status;
}

static ptpmon_status read_table(struct link_table *table)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return fail_dump(errno);
    void *buffer = malloc(RECEIVE_BYTES);
    if (buffer == NULL) {
        close(fd);
        return fail_no_memory();
    }
    ptpmon_status status = PTPMON_OK;
    bool interrupted = true;
    for (int attempt = 0; status == PTPMON_OK && interrupted && attempt < DUMP_ATTEMPTS; attempt++) {
        interrupted = false;
        table->count = 0;
        status = dump(fd, buffer, table, &interrupted);
    }
    free(buffer);
    close(fd);
    return status;
}

/* ---- What follows from it ------------------------------------------------------------------ */

static bool is_one_of(const char *kind, const char *const *kinds)
{
    for (; *kinds != NULL; kinds++) {
        if (strcmp(kind, *kinds) == 0)
            return true;
    }
    return false;
}

/* Kinds whose IFLA_LINK is the device under them. A veth's is its peer. */
static const char *const made_on_another[] = {"vlan", "macvlan", "macvtap", NULL};

static ptpmon_interface_kind kind_of(const struct link *link)
{
    static const struct {
        const char *name;
        ptpmon_interface_kind kind;
    } kinds[] = {
        {"", PTPMON_KIND_ETHERNET}, {"veth", PTPMON_KIND_VETH}, {"bridge", PTPMON_KIND_BRIDGE},
        {"bond", PTPMON_KIND_BOND}, {"team", PTPMON_KIND_BOND}, {"vlan", PTPMON_KIND_VLAN},
    };
    if (link->interface.kind == PTPMON_KIND_LOOPBACK)
        return PTPMON_KIND_LOOPBACK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(link->kind, kinds[i].name) == 0)
            return kinds[i].kind;
    }
    return PTPMON_KIND_OTHER;
}

/* Adds a name to a list of names; where there is no room any more, "..." stands for the rest. */
static void append_name(char *list, size_t size, const char *name)
{
    static const char rest[] = ", ...";
    size_t length = strlen(list);
    if (length >= sizeof rest && strcmp(list + length - (sizeof rest - 1), rest) == 0)
        return;
    if (length + 2 + strlen(name) + sizeof rest <= size)
        snprintf(list + length, size - length, "%s%s", length ? ", " : "", name);
    else
        snprintf(list + length, size - length, "%s", rest);
}

static void find_lower(const struct link_table *table, struct link *link)
{
    uint32_t under = is_one_of(link->kind, made_on_another) ? link->link_index : 0;
    ptpmon_interface *interface = &link->interface;
    for (size_t i = 0; i < table->count; i++) {
        const struct link *other = &table->links[i];
        if (other->master_index == interface->index || (under != 0 && other->interface.index == under))
            append_name(interface->lower, sizeof interface->lower, other->interface.name);
    }
    interface->prefer_lower = interface->lower[0] != 0;
}

/* Where the driver does not tell how many queues are in use, those that there are count. */
static void ask_driver(ptpmon_interface *interface)
{
    struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ptpmon_stamping stamping = {.phc_index = -1};

    if (device_ioctl(interface->name, SIOCETHTOOL, &driver) == 0)
        snprintf(interface->driver, sizeof interface->driver, "%.*s", (int)sizeof driver.driver, driver.driver);
    if (device_ioctl(interface->name, SIOCETHTOOL, &channels) == 0) {
        uint32_t rx = channels.rx_count + channels.combined_count;
        uint32_t tx = channels.tx_count + channels.combined_count;
        interface->rx_queues = rx ? rx : interface->rx_queues;
        interface->tx_queues = tx ? tx : interface->tx_queues;
    }
    (void)ptpmon_stamping_read(interface->name, &stamping);
    interface->stamping = stamping.bits;
    interface->phc_index = stamping.phc_index;
}

static int by_index(const void *one, const void *other)
{
    uint32_t a = ((const struct link *)one)->interface.index, b = ((const struct link *)other)->interface.index;
    return (a > b) - (a < b);
}

/* Those of `table` that the list is about, described in full. */
static size_t keep_ethernet(struct link_table *table, ptpmon_interface *list)
{
    size_t kept = 0;
    if (table->links != NULL)
        qsort(table->links, table->count, sizeof *table->links, by_index);
    for (size_t i = 0; i < table->count; i++) {
        struct link *link = &table->links[i];
        if (!link->ethernet)
            continue;
        link->interface.kind = kind_of(link);
        find_lower(table, link);
        ask_driver(&link->interface);
        list[kept++] = link->interface;
    }
    return kept;
}

/* An interface that vanishes meanwhile stays in the list, with what was known of it. */
ptpmon_status ptpmon_interfaces(ptpmon_interface **list, size_t *count)
{
    struct link_table table = {0};
    ptpmon_status status = read_table(&table);
    if (status == PTPMON_OK) {
        ptpmon_interface *found = calloc(table.count + 1, sizeof *found);
        if (found != NULL) {
            *count = keep_ethernet(&table, found);
            *list = found;
        } else {
            status = fail_no_memory();
        }
    }
    free(table.links);
    return status;
}

void ptpmon_interfaces_free(ptpmon_interface *list)
{
    free(list);
}
