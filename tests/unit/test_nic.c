/* SPDX-License-Identifier: MIT */
/*
 * What needs hardware or kernel modules that may be missing: a card with hardware stamps and a PHC,
 * VLAN devices, bonds. The kernel's answers are played by this file: it stands in for ioctl() and
 * recv() (linked with --wrap).
 */
#include "linux/clocks.h"
#include "linux/stamping.h"

#include <errno.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* ---- The played card ----------------------------------------------------------------------- */

static struct {
    struct ethtool_ts_info stamping;
    struct hwtstamp_config config;
    int get_problem, set_problem; /* errno of SIOCGHWTSTAMP, SIOCSHWTSTAMP */
    unsigned sets;
    int extended_problem, offset_problem; /* errno of PTP_SYS_OFFSET_EXTENDED, PTP_SYS_OFFSET */
    int64_t phc_ahead;                    /* PHC - CLOCK_REALTIME, ns */
    int64_t realtime_set;                 /* ns by which CLOCK_REALTIME is set at PHC readings */
    unsigned realtime_sets;               /* at how many of them */
    unsigned phc_reads;
} card;

static int64_t realtime_moved; /* what was set altogether */

static void insert_card(void)
{
    memset(&card, 0, sizeof card);
    realtime_moved = 0;
    card.stamping.so_timestamping = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE |
                                    SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
                                    SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    card.stamping.tx_types = 1u << HWTSTAMP_TX_OFF | 1u << HWTSTAMP_TX_ON;
    card.stamping.rx_filters =
        1u << HWTSTAMP_FILTER_NONE | 1u << HWTSTAMP_FILTER_PTP_V2_EVENT | 1u << HWTSTAMP_FILTER_ALL;
    card.stamping.phc_index = 3;
}

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_recv(int fd, void *buffer, size_t length, int flags);

static int64_t to_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = __real_clock_gettime(clock, time);
    int64_t ns = to_ns(time) + (clock == CLOCK_REALTIME ? realtime_moved : 0);
    *time = (struct timespec){ns / NS_PER_SECOND, ns % NS_PER_SECOND};
    return result;
}

static int answer(int problem)
{
    errno = problem;
    return problem == 0 ? 0 : -1;
}

static struct ptp_clock_time clock_time(int64_t ns)
{
    return (struct ptp_clock_time){.sec = ns / NS_PER_SECOND, .nsec = (uint32_t)(ns % NS_PER_SECOND)};
}

static int64_t played_realtime(void)
{
    struct timespec time;
    __wrap_clock_gettime(CLOCK_REALTIME, &time);
    return to_ns(&time);
}

/* Bracket i is 2,000 - 100 * i ns wide, its PHC reading in the middle; of `wide` ones the same, side by side. */
static int answer_offsets(struct ptp_sys_offset_extended *offsets)
{
    if (card.extended_problem != 0)
        return answer(card.extended_problem);
    assert_true(offsets->n_samples > 1 && offsets->n_samples <= PTP_MAX_SAMPLES);
    if (card.phc_reads++ < card.realtime_sets)
        realtime_moved += card.realtime_set;
    int64_t at = played_realtime();
    for (unsigned i = 0; i < offsets->n_samples; i++) {
        int64_t width = 2000 - 100 * (int64_t)i;
        offsets->ts[i][0] = clock_time(at);
        offsets->ts[i][1] = clock_time(at + width / 2 + card.phc_ahead);
        offsets->ts[i][2] = clock_time(at + width);
        at += width;
    }
    return 0;
}

static int answer_old_offsets(struct ptp_sys_offset *offsets)
{
    if (card.offset_problem != 0)
        return answer(card.offset_problem);
    int64_t at = played_realtime();
    for (unsigned i = 0; i < offsets->n_samples; i++) {
        int64_t width = i == 4 ? 600 : 5000;
        offsets->ts[2 * i] = clock_time(at);
        offsets->ts[2 * i + 1] = clock_time(at + width / 2 + card.phc_ahead);
        at += width;
    }
    offsets->ts[2 * offsets->n_samples] = clock_time(at);
    return 0;
}

static int answer_ethtool(void *data)
{
    if (*(uint32_t *)data != ETHTOOL_GET_TS_INFO)
        return answer(EOPNOTSUPP);
    card.stamping.cmd = ETHTOOL_GET_TS_INFO;
    memcpy(data, &card.stamping, sizeof card.stamping);
    return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    (void)fd;
    struct ifreq *device = argument;

    switch (request) {
    case PTP_SYS_OFFSET_EXTENDED:
        return answer_offsets(argument);
    case PTP_SYS_OFFSET:
        return answer_old_offsets(argument);
    case SIOCETHTOOL:
        return answer_ethtool(device->ifr_data);
    case SIOCGHWTSTAMP:
        if (card.get_problem == 0)
            memcpy(device->ifr_data, &card.config, sizeof card.config);
        return answer(card.get_problem);
    case SIOCSHWTSTAMP:
        card.sets++;
        if (card.set_problem == 0)
            memcpy(&card.config, device->ifr_data, sizeof card.config);
        return answer(card.set_problem);
    default:
        fail_msg("unexpected ioctl %#lx", request);
        return answer(EINVAL);
    }
}

/* ---- Stamping ------------------------------------------------------------------------------ */

static uint32_t bits_with_filters(uint32_t rx_filters)
{
    struct ptpmon_stamping stamping;
    card.stamping.rx_filters = rx_filters;
    assert_int_equal(ptpmon_stamping_read("eth7", &stamping), PTPMON_OK);
    assert_int_equal(stamping.phc_index, 3);
    return stamping.bits &
           (PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_ALL | PTPMON_CAN_RX_HW_PTP_L2 | PTPMON_CAN_RX_HW_PTP_UDP);
}

static void tells_what_each_filter_can(void **state)
{
    (void)state;
    insert_card();
    assert_int_equal(bits_with_filters(0), 0);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_NONE), 0);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_PTP_V1_L4_EVENT), PTPMON_CAN_RX_HARDWARE);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_PTP_V2_L2_SYNC), PTPMON_CAN_RX_HARDWARE);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_PTP_V2_L2_EVENT),
                     PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_PTP_L2);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_PTP_V2_L4_EVENT),
                     PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_PTP_UDP);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_PTP_V2_EVENT),
                     PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_PTP_L2 | PTPMON_CAN_RX_HW_PTP_UDP);
    assert_int_equal(bits_with_filters(1u << HWTSTAMP_FILTER_ALL), PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_ALL |
                                                                       PTPMON_CAN_RX_HW_PTP_L2 |
                                                                       PTPMON_CAN_RX_HW_PTP_UDP);
}

static void tells_what_is_on(void **state)
{
    (void)state;
    struct ptpmon_stamping stamping;
    const uint32_t on = PTPMON_ON_RX_HARDWARE | PTPMON_ON_TX_HARDWARE;
    insert_card();
    assert_int_equal(ptpmon_stamping_read("eth7", &stamping), PTPMON_OK);
    assert_int_equal(stamping.bits & on, 0);
    card.config.rx_filter = HWTSTAMP_FILTER_PTP_V2_L2_EVENT;
    assert_int_equal(ptpmon_stamping_read("eth7", &stamping), PTPMON_OK);
    assert_int_equal(stamping.bits & on, PTPMON_ON_RX_HARDWARE);
    card.config.rx_filter = HWTSTAMP_FILTER_NONE;
    card.config.tx_type = HWTSTAMP_TX_ONESTEP_SYNC;
    assert_int_equal(ptpmon_stamping_read("eth7", &stamping), PTPMON_OK);
    assert_int_equal(stamping.bits & on, PTPMON_ON_TX_HARDWARE);
    card.get_problem = EOPNOTSUPP;
    assert_int_equal(ptpmon_stamping_read("eth7", &stamping), PTPMON_OK);
    assert_int_equal(stamping.bits & on, 0);
}

static void needs_both_a_stamp_and_its_delivery(void **state)
{
    (void)state;
    struct ptpmon_stamping stamping;
    insert_card();
    card.stamping.so_timestamping &= ~(uint32_t)(SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_SOFTWARE);
    assert_int_equal(ptpmon_stamping_read("eth7", &stamping), PTPMON_OK);
    assert_int_equal(stamping.bits, 0);
}

static void assert_enables(int tx_type, int rx_filter)
{
    struct hwtstamp_config before = card.config;
    struct ptpmon_stamping_saved saved;
    if (ptpmon_stamping_enable("eth7", &saved) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    assert_int_equal(card.config.tx_type, tx_type);
    assert_int_equal(card.config.rx_filter, rx_filter);
    ptpmon_stamping_restore("eth7", &saved);
    assert_memory_equal(&card.config, &before, sizeof before);
}

static void enables_and_restores(void **state)
{
    (void)state;
    insert_card();
    assert_enables(HWTSTAMP_TX_ON, HWTSTAMP_FILTER_PTP_V2_EVENT);
    assert_int_equal(card.sets, 2);
    card.stamping.rx_filters = 1u << HWTSTAMP_FILTER_ALL | 1u << HWTSTAMP_FILTER_PTP_V2_L2_EVENT;
    assert_enables(HWTSTAMP_TX_ON, HWTSTAMP_FILTER_ALL);
    card.config = (struct hwtstamp_config){.tx_type = HWTSTAMP_TX_ONESTEP_P2P, .rx_filter = HWTSTAMP_FILTER_NONE};
    assert_enables(HWTSTAMP_TX_ONESTEP_P2P, HWTSTAMP_FILTER_ALL);
}

/* A daemon that was started in the meantime has chosen for itself. */
static void restores_nothing_that_somebody_else_has_set(void **state)
{
    (void)state;
    insert_card();
    struct ptpmon_stamping_saved saved;
    assert_int_equal(ptpmon_stamping_enable("eth7", &saved), PTPMON_OK);
    card.config.rx_filter = HWTSTAMP_FILTER_PTP_V2_L2_EVENT;
    ptpmon_stamping_restore("eth7", &saved);
    assert_int_equal(card.config.rx_filter, HWTSTAMP_FILTER_PTP_V2_L2_EVENT);
    assert_int_equal(card.config.tx_type, HWTSTAMP_TX_ON);
    assert_int_equal(card.sets, 1);
}

static void leaves_alone_what_suffices(void **state)
{
    (void)state;
    insert_card();
    card.config = (struct hwtstamp_config){.tx_type = HWTSTAMP_TX_ON, .rx_filter = HWTSTAMP_FILTER_ALL};
    assert_enables(HWTSTAMP_TX_ON, HWTSTAMP_FILTER_ALL);
    card.config =
        (struct hwtstamp_config){.tx_type = HWTSTAMP_TX_ONESTEP_SYNC, .rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT};
    assert_enables(HWTSTAMP_TX_ONESTEP_SYNC, HWTSTAMP_FILTER_PTP_V2_EVENT);
    assert_int_equal(card.sets, 0);
}

static void assert_refuses(ptpmon_status status)
{
    struct hwtstamp_config before = card.config;
    struct ptpmon_stamping_saved saved;
    assert_int_equal(ptpmon_stamping_enable("eth7", &saved), status);
    assert_int_equal(strncmp(ptpmon_error_message(), "eth7: ", 6), 0);
    assert_memory_equal(&card.config, &before, sizeof before);
}

static void refuses_to_enable(void **state)
{
    (void)state;
    insert_card();
    card.stamping.rx_filters = 1u << HWTSTAMP_FILTER_PTP_V2_L2_EVENT | 1u << HWTSTAMP_FILTER_PTP_V2_L4_SYNC;
    assert_refuses(PTPMON_NOT_SUPPORTED);
    insert_card();
    card.stamping.tx_types = 1u << HWTSTAMP_TX_OFF;
    assert_refuses(PTPMON_NOT_SUPPORTED);
    insert_card();
    card.get_problem = EOPNOTSUPP; /* could not be restored */
    assert_refuses(PTPMON_NOT_SUPPORTED);
    assert_int_equal(card.sets, 0);
    insert_card();
    card.set_problem = EPERM;
    assert_refuses(PTPMON_NO_PERMISSION);
    card.set_problem = ERANGE;
    assert_refuses(PTPMON_NOT_SUPPORTED);
    card.set_problem = EIO;
    assert_refuses(PTPMON_IO);
}

/* ---- Clocks -------------------------------------------------------------------------------- */

static void assert_is_clocks_record(const PTP_CLOCKS_RECORD *clocks)
{
    static const uint8_t zeros[16] = {0};
    assert_int_equal(clocks->direction, AVB_DIRECTION_CLOCKS);
    assert_memory_equal(clocks->reserved0, zeros, sizeof clocks->reserved0);
    assert_memory_equal(clocks->reserved1, zeros, sizeof clocks->reserved1);
    assert_int_equal(clocks->sequence, 0);
}

static int64_t system_offset(void)
{
    struct timespec realtime, monotonic;
    __wrap_clock_gettime(CLOCK_REALTIME, &realtime);
    __wrap_clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return to_ns(&realtime) - to_ns(&monotonic);
}

/* Realtime and monotonic time of the record are of one instant. */
static void assert_system_clocks_agree(const PTP_CLOCKS_RECORD *clocks)
{
    int64_t offset = (int64_t)clocks->realtime_ns - (int64_t)clocks->system_timestamp;
    assert_true(llabs(offset - system_offset()) < 1000000);
    assert_true(clocks->realtime_uncertainty_ns < 1000000);
}

static void reads_the_system_clocks(void **state)
{
    (void)state;
    struct timespec before, after;
    PTP_CLOCKS_RECORD clocks;
    insert_card();
    memset(&clocks, 0xA5, sizeof clocks);
    __wrap_clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(ptpmon_clocks_now(&clocks), PTPMON_OK);
    __wrap_clock_gettime(CLOCK_MONOTONIC, &after);
    assert_is_clocks_record(&clocks);
    assert_system_clocks_agree(&clocks);
    assert_true((int64_t)clocks.system_timestamp >= to_ns(&before) &&
                (int64_t)clocks.system_timestamp <= to_ns(&after));
    assert_int_equal(clocks.hw_timestamp_ns, 0);
    assert_int_equal(clocks.hw_uncertainty_ns, 0);
}

static void reads_the_narrowest_bracket_of_the_phc(void **state)
{
    (void)state;
    PTP_CLOCKS_RECORD clocks;
    insert_card();
    card.phc_ahead = 37 * NS_PER_SECOND + 123;
    memset(&clocks, 0xA5, sizeof clocks);
    assert_int_equal(ptpmon_clocks_read(STDIN_FILENO, &clocks), PTPMON_OK);
    assert_is_clocks_record(&clocks);
    assert_system_clocks_agree(&clocks);
    assert_true((int64_t)(clocks.hw_timestamp_ns - clocks.realtime_ns) == card.phc_ahead);
    assert_int_equal(clocks.hw_uncertainty_ns, (2000 - 9 * 100 + 1) / 2); /* the last of ten */
    assert_int_equal(card.phc_reads, 1);
}

static void falls_back_to_the_wide_bracket(void **state)
{
    (void)state;
    static const int refusals[] = {EOPNOTSUPP, ENOTTY, EINVAL};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        PTP_CLOCKS_RECORD clocks;
        insert_card();
        card.extended_problem = refusals[i];
        card.phc_ahead = -5 * NS_PER_SECOND;
        assert_int_equal(ptpmon_clocks_read(STDIN_FILENO, &clocks), PTPMON_OK);
        assert_system_clocks_agree(&clocks);
        assert_true((int64_t)(clocks.hw_timestamp_ns - clocks.realtime_ns) == card.phc_ahead);
        assert_int_equal(clocks.hw_uncertainty_ns, 300);
    }
}

static void names_the_clock_that_cannot_be_read(void **state)
{
    (void)state;
    PTP_CLOCKS_RECORD clocks;
    insert_card();
    card.extended_problem = ENODEV;
    assert_int_equal(ptpmon_clocks_read(STDIN_FILENO, &clocks), PTPMON_NO_INTERFACE);
    card.extended_problem = ENOTTY;
    card.offset_problem = ENOTTY;
    assert_int_equal(ptpmon_clocks_read(STDIN_FILENO, &clocks), PTPMON_IO);
    char link[64];
    ssize_t length = readlink("/proc/self/fd/0", link, sizeof link - 1);
    assert_true(length > 0);
    assert_int_equal(strncmp(ptpmon_error_message(), link, (size_t)length), 0);
    assert_int_equal(ptpmon_clocks_read(987654, &clocks), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "PTP hardware clock: "));
}

static void notices_that_realtime_is_set_meanwhile(void **state)
{
    (void)state;
    PTP_CLOCKS_RECORD clocks;
    insert_card();
    card.phc_ahead = NS_PER_SECOND;
    card.realtime_set = -NS_PER_SECOND / 100;
    card.realtime_sets = 2;
    assert_int_equal(ptpmon_clocks_read(STDIN_FILENO, &clocks), PTPMON_OK);
    assert_int_equal(card.phc_reads, 3);
    assert_system_clocks_agree(&clocks);
    assert_true((int64_t)(clocks.hw_timestamp_ns - clocks.realtime_ns) == card.phc_ahead);

    insert_card();
    card.realtime_set = NS_PER_SECOND / 100;
    card.realtime_sets = UINT_MAX;
    assert_int_equal(ptpmon_clocks_read(STDIN_FILENO, &clocks), PTPMON_IO);
    assert_non_null(strstr(ptpmon_error_message(), "CLOCK_REALTIME"));
    assert_in_range(card.phc_reads, 2, 10);
}

/* ---- Links --------------------------------------------------------------------------------- */

static struct {
    uint8_t bytes[8192];
    size_t length, taken;
} dump;

ssize_t __wrap_recv(int fd, void *buffer, size_t length, int flags)
{
    (void)fd;
    (void)flags;
    assert_true(dump.length <= length);
    memcpy(buffer, dump.bytes, dump.length);
    dump.taken++;
    return (ssize_t)dump.length;
}

static void *dump_put(const void *bytes, size_t length)
{
    void *at = dump.bytes + dump.length;
    assert_true(dump.length + length <= sizeof dump.bytes);
    memcpy(at, bytes, length);
    dump.length += (length + 3) & ~(size_t)3;
    return at;
}

static struct rtattr *dump_attribute(unsigned short type, const void *data, size_t length)
{
    struct rtattr attribute = {.rta_len = (unsigned short)RTA_LENGTH(length), .rta_type = type};
    struct rtattr *at = dump_put(&attribute, sizeof attribute);
    dump_put(data, length);
    return at;
}

static void dump_u32(unsigned short type, uint32_t value)
{
    dump_attribute(type, &value, sizeof value);
}

struct played_link {
    const char *name, *kind;
    int index;
    uint32_t link, master;
    bool link_elsewhere;
    unsigned short type;
};

static void dump_message(unsigned short type, unsigned short flags, const struct played_link *link)
{
    size_t start = dump.length;
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = flags};
    dump_put(&header, sizeof header);
    if (link != NULL) {
        struct ifinfomsg info = {.ifi_type = link->type ? link->type : ARPHRD_ETHER, .ifi_index = link->index};
        dump_put(&info, sizeof info);
        dump_attribute(IFLA_IFNAME, link->name, strlen(link->name) + 1);
        if (link->link)
            dump_u32(IFLA_LINK, link->link);
        if (link->link_elsewhere)
            dump_u32(IFLA_LINK_NETNSID, 0);
        if (link->master)
            dump_u32(IFLA_MASTER, link->master);
        if (link->kind != NULL) {
            struct rtattr *nest = dump_attribute(IFLA_LINKINFO, "", 0);
            dump_attribute(IFLA_INFO_KIND, link->kind, strlen(link->kind)); /* without its 0, as the kernel may */
            nest->rta_len = (unsigned short)((const uint8_t *)(dump.bytes + dump.length) - (const uint8_t *)nest);
        }
    }
    header.nlmsg_len = (uint32_t)(dump.length - start);
    memcpy(dump.bytes + start, &header, sizeof header);
}

static void play_links(const struct played_link *links, size_t count)
{
    dump.length = dump.taken = 0;
    insert_card();
    for (size_t i = 0; i < count; i++)
        dump_message(RTM_NEWLINK, NLM_F_MULTI, &links[i]);
    dump_message(NLMSG_DONE, NLM_F_MULTI, NULL);
}

static void assert_interface(const ptpmon_interface *interface, const char *name, ptpmon_interface_kind kind,
                             const char *lower)
{
    assert_string_equal(interface->name, name);
    assert_int_equal(interface->kind, kind);
    assert_string_equal(interface->lower, lower);
    assert_int_equal(interface->prefer_lower, lower[0] != 0);
}

static void names_what_lies_under_each_kind(void **state)
{
    (void)state;
    static const struct played_link links[] = {
        {"bond0", "bond", 9, .link = 0},
        {"eth1", NULL, 3, .master = 9},
        {"eth0", NULL, 2, .master = 9},
        {"bond0.7", "vlan", 12, .link = 9},
        {"team0", "team", 13, .link = 0},
        {"eth2", NULL, 4, .master = 13},
        {"far.7", "vlan", 14, .link = 2, .link_elsewhere = true},
        {"veth0", "veth", 15, .link = 2},
        {"mac0", "macvlan", 16, .link = 4},
        {"wg0", "wireguard", 17, .type = ARPHRD_NONE},
        {"lan1", "dsa", 18, .link = 4},
        {"eth9", NULL, 19, .link = 19}, /* some cards name themselves */
    };
    ptpmon_interface *list;
    size_t count;
    play_links(links, sizeof links / sizeof *links);
    assert_int_equal(ptpmon_interfaces(&list, &count), PTPMON_OK);
    assert_int_equal(count, 11);
    assert_interface(&list[0], "eth0", PTPMON_KIND_ETHERNET, "");
    assert_interface(&list[1], "eth1", PTPMON_KIND_ETHERNET, "");
    assert_interface(&list[2], "eth2", PTPMON_KIND_ETHERNET, "");
    assert_interface(&list[3], "bond0", PTPMON_KIND_BOND, "eth0, eth1");
    assert_interface(&list[4], "bond0.7", PTPMON_KIND_VLAN, "bond0");
    assert_interface(&list[5], "team0", PTPMON_KIND_BOND, "eth2");
    assert_interface(&list[6], "far.7", PTPMON_KIND_VLAN, "");
    assert_interface(&list[7], "veth0", PTPMON_KIND_VETH, "");
    assert_interface(&list[8], "mac0", PTPMON_KIND_OTHER, "eth2");
    assert_interface(&list[9], "lan1", PTPMON_KIND_OTHER, "");
    assert_interface(&list[10], "eth9", PTPMON_KIND_ETHERNET, "");
    assert_int_equal(list[0].phc_index, 3);
    assert_true(list[0].stamping & PTPMON_CAN_RX_HW_ALL);
    ptpmon_interfaces_free(list);
}

/* A dump under which links changed is taken again, but not for ever. */
static void repeats_an_interrupted_dump(void **state)
{
    (void)state;
    ptpmon_interface *list;
    size_t count;
    const struct played_link link = {"eth0", NULL, 2, .link = 0};
    insert_card();
    dump.length = dump.taken = 0;
    dump_message(RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, &link);
    dump_message(NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, NULL);
    assert_int_equal(ptpmon_interfaces(&list, &count), PTPMON_OK);
    assert_int_equal(count, 1);
    assert_in_range(dump.taken, 2, 10);
    ptpmon_interfaces_free(list);
}

static void reports_a_refused_dump(void **state)
{
    (void)state;
    ptpmon_interface *list = NULL;
    size_t count;
    struct nlmsgerr refusal = {.error = -EPERM};
    struct nlmsghdr header = {.nlmsg_type = NLMSG_ERROR, .nlmsg_len = NLMSG_LENGTH(sizeof refusal)};
    dump.length = 0;
    dump_put(&header, sizeof header);
    dump_put(&refusal, sizeof refusal);
    assert_int_equal(ptpmon_interfaces(&list, &count), PTPMON_NO_PERMISSION);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_each_filter_can),
        cmocka_unit_test(tells_what_is_on),
        cmocka_unit_test(needs_both_a_stamp_and_its_delivery),
        cmocka_unit_test(enables_and_restores),
        cmocka_unit_test(restores_nothing_that_somebody_else_has_set),
        cmocka_unit_test(leaves_alone_what_suffices),
        cmocka_unit_test(refuses_to_enable),
        cmocka_unit_test(reads_the_system_clocks),
        cmocka_unit_test(reads_the_narrowest_bracket_of_the_phc),
        cmocka_unit_test(falls_back_to_the_wide_bracket),
        cmocka_unit_test(names_the_clock_that_cannot_be_read),
        cmocka_unit_test(notices_that_realtime_is_set_meanwhile),
        cmocka_unit_test(names_what_lies_under_each_kind),
        cmocka_unit_test(repeats_an_interrupted_dump),
        cmocka_unit_test(reports_a_refused_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
