/* SPDX-License-Identifier: MIT */
/*
 * The eBPF program at its real hooks: hand-made frames are sent over a veth pair, once for each way
 * of attaching, and what the monitors at both ends report must be what core/frame says of them.
 */
#include "unit/namespace.h"
#include "vectors/frames.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <ptpmon.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define SENDER   "pm-sender"
#define RECEIVER "pm-receiver"

/* A received frame that ends right behind its tag the kernel drops before any hook. */
static bool ends_behind_tag(const struct frame_vector *vector)
{
    return vector->captured == sizeof(struct ether_header) + 4 && vector->bytes[12] == 0x81 && vector->bytes[13] == 0;
}

static bool can_be_sent(const struct frame_vector *vector)
{
    return vector->tag == 0 && vector->captured == vector->length && vector->captured >= sizeof(struct ether_header) &&
           !ends_behind_tag(vector);
}

static ptpmon_monitor *start(const char *interface, uint32_t flags)
{
    ptpmon_monitor *monitor;
    ptpmon_monitor_options options = {.flags = flags};
    if (ptpmon_monitor_open(interface, &options, &monitor) != PTPMON_OK || ptpmon_monitor_enable(monitor) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    return monitor;
}

static ptpmon_statistics statistics_of(ptpmon_monitor *monitor)
{
    ptpmon_statistics statistics;
    assert_int_equal(ptpmon_monitor_statistics(monitor, &statistics), PTPMON_OK);
    return statistics;
}

/* A packet socket on the interface; `protocol` is what the sender claims, host order. */
static int open_sender(const char *interface, uint16_t protocol)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void send_vector(int fd, const struct frame_vector *vector)
{
    if (send(fd, vector->bytes, vector->captured, 0) != (ssize_t)vector->captured)
        fail_msg("%s: cannot be sent: %s", vector->name, strerror(errno));
}

/* Sends all vectors; returns how many there were of each kind. */
static void send_all(uint64_t sent[AVB_FRAME_KINDS])
{
    int fd = open_sender(SENDER, 0);
    memset(sent, 0, AVB_FRAME_KINDS * sizeof *sent);
    for (size_t i = 0; i < frame_vector_count; i++) {
        if (can_be_sent(&frame_vectors[i])) {
            send_vector(fd, &frame_vectors[i]);
            sent[frame_vectors[i].kind]++;
        }
    }
    close(fd);
}

/* The next record, waiting for it. */
static PTP_TIMESTAMP_EVENT next_record(ptpmon_monitor *monitor, const char *name)
{
    ptpmon_batch batch;
    if (ptpmon_monitor_wait(monitor, 2000) != PTPMON_OK)
        fail_msg("%s: no record came", name);
    assert_int_equal(ptpmon_records_peek(monitor, &batch), PTPMON_OK);
    PTP_TIMESTAMP_EVENT record = *ptpmon_batch_at(&batch, 0);
    assert_int_equal(ptpmon_records_release(monitor, 1), PTPMON_OK);
    return record;
}

/* The frame's part of the record is the vector's; what only the hook can know is plausible. */
static void expect_frame(const PTP_TIMESTAMP_EVENT *got, const struct frame_vector *vector, uint8_t direction)
{
    PTP_TIMESTAMP_EVENT want = vector->event;
    want.direction = direction;
    want.queueId = got->queueId;
    want.system_timestamp = got->system_timestamp;
    want.software_timestamp = got->software_timestamp;
    if (memcmp(got, &want, sizeof want) != 0)
        fail_msg("%s: the %s record differs from what core/frame says", vector->name, direction ? "TX" : "RX");
    assert_int_not_equal(got->system_timestamp, 0);
    if (direction == AVB_DIRECTION_RX)
        assert_int_not_equal(got->software_timestamp, 0);
    else
        assert_int_equal(got->software_timestamp, 0);
}

static void expect_all(ptpmon_monitor *monitor, uint8_t direction, const uint64_t sent[AVB_FRAME_KINDS])
{
    for (size_t i = 0; i < frame_vector_count; i++) {
        const struct frame_vector *vector = &frame_vectors[i];
        if (!can_be_sent(vector) || vector->kind != AVB_FRAME_PTP)
            continue;
        PTP_TIMESTAMP_EVENT record = next_record(monitor, vector->name);
        expect_frame(&record, vector, direction);
    }
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    assert_int_equal(ptpmon_monitor_wait(monitor, 0), PTPMON_END);

    ptpmon_statistics statistics = statistics_of(monitor);
    assert_int_equal(statistics.frames_seen, sent[AVB_FRAME_PTP]);
    assert_int_equal(statistics.frames_emitted, sent[AVB_FRAME_PTP]);
    assert_int_equal(statistics.frames_dropped, 0);
    assert_int_equal(statistics.ptp_v1, sent[AVB_FRAME_PTP_V1]);
    assert_int_equal(statistics.other_version, sent[AVB_FRAME_OTHER_VERSION]);
    assert_int_equal(statistics.truncated, sent[AVB_FRAME_TRUNCATED]);
    assert_int_equal(statistics.bad_length, sent[AVB_FRAME_BAD_LENGTH]);
    assert_int_equal(statistics.tx_unreadable, 0);
}

static void every_vector_through_both_hooks(uint32_t flags)
{
    ptpmon_monitor *tx = start(SENDER, flags);
    ptpmon_monitor *rx = start(RECEIVER, flags);
    uint64_t sent[AVB_FRAME_KINDS];
    send_all(sent);
    expect_all(tx, AVB_DIRECTION_TX, sent);
    expect_all(rx, AVB_DIRECTION_RX, sent);
    ptpmon_monitor_close(tx);
    ptpmon_monitor_close(rx);
}

static void all_that_the_kernel_allows(void **state)
{
    (void)state;
    every_vector_through_both_hooks(0);
}

static void without_tracing(void **state)
{
    (void)state;
    every_vector_through_both_hooks(PTPMON_NO_TRACING);
}

static void through_clsact(void **state)
{
    (void)state;
    every_vector_through_both_hooks(PTPMON_NO_TRACING | PTPMON_NO_TCX);
    assert_false(run("tc qdisc show dev " RECEIVER " | grep -q clsact"));
}

/* The monitor made clsact, but another filter has come to it: that one stays, with the qdisc. */
static void clsact_filters_of_others_stay(void **state)
{
    (void)state;
    ptpmon_monitor *monitor = start(RECEIVER, PTPMON_NO_TCX);
    assert_true(run("tc filter add dev " RECEIVER " ingress prio 7 bpf bytecode '1,6 0 0 0,' classid 1:"));
    ptpmon_monitor_close(monitor);
    assert_true(run("tc filter show dev " RECEIVER " ingress | grep -q 'pref 7 '"));
    assert_false(run("tc filter show dev " RECEIVER " ingress | grep -q rx_frame"));
    assert_true(run("tc qdisc del dev " RECEIVER " clsact"));
}

static void clsact_qdisc_of_others_stays(void **state)
{
    (void)state;
    assert_true(run("tc qdisc add dev " RECEIVER " clsact"));
    ptpmon_monitor *first = start(RECEIVER, PTPMON_NO_TCX);
    ptpmon_monitor *second = start(RECEIVER, PTPMON_NO_TCX);
    ptpmon_monitor_close(first);
    ptpmon_monitor_close(second);
    assert_true(run("tc qdisc show dev " RECEIVER " | grep -q clsact"));
    assert_false(run("tc filter show dev " RECEIVER " ingress | grep -q rx_frame"));
    assert_true(run("tc qdisc del dev " RECEIVER " clsact"));
}

static const struct frame_vector *first_of_kind(enum avb_frame_kind kind, uint8_t transport)
{
    size_t i = 0;
    while (!can_be_sent(&frame_vectors[i]) || frame_vectors[i].kind != kind ||
           frame_vectors[i].event.transport != transport || (frame_vectors[i].event.stamp & AVB_STAMP_VLAN))
        i++;
    return &frame_vectors[i];
}

/* skb->protocol is what the sender claims; the frame is what counts. */
static void sender_that_claims_another_protocol(void **state)
{
    (void)state;
    const struct frame_vector *vector = first_of_kind(AVB_FRAME_PTP, AVB_TRANSPORT_ETHERNET);
    for (uint32_t flags = 0; flags <= PTPMON_NO_TRACING; flags += PTPMON_NO_TRACING) {
        ptpmon_monitor *tx = start(SENDER, flags);
        int fd = open_sender(SENDER, ETHERTYPE_ARP);
        send_vector(fd, vector);
        PTP_TIMESTAMP_EVENT record = next_record(tx, vector->name);
        expect_frame(&record, vector, AVB_DIRECTION_TX);
        close(fd);
        ptpmon_monitor_close(tx);
    }
}

/* A bridge's port does so a little after it is up. */
static bool forwards(const char *port)
{
    return run("ip -d link show %s | grep -q 'state forwarding'", port);
}

/* A tag that the kernel carries beside the frame: a bridge forwards a tagged frame that way. */
static void out_of_band_tag_on_sending(void **state)
{
    (void)state;
    assert_true(
        run("ip link add pm-in type veth peer name pm-in-port && ip link add pm-out type veth peer name pm-end && "
            "ip link add pm-bridge type bridge mcast_snooping 0 && "
            "ip link set pm-in-port master pm-bridge && ip link set pm-out master pm-bridge && "
            "for i in pm-in pm-in-port pm-out pm-end pm-bridge; do ip link set $i up; done"));
    for (int i = 0; i < 3000 && !(forwards("pm-in-port") && forwards("pm-out")); i++)
        usleep(10000);
    for (uint32_t flags = 0; flags <= PTPMON_NO_TRACING; flags += PTPMON_NO_TRACING) {
        ptpmon_monitor *tx = start("pm-out", flags);
        int fd = open_sender("pm-in", 0);
        size_t tagged = 0;
        for (size_t i = 0; i < frame_vector_count; i++) {
            const struct frame_vector *vector = &frame_vectors[i];
            /* A bridge forwards group addresses outside 01-80-C2-00-00-0X. */
            if (!can_be_sent(vector) || vector->kind != AVB_FRAME_PTP || !(vector->event.stamp & AVB_STAMP_VLAN) ||
                vector->bytes[0] != 0x01 || vector->bytes[1] == 0x80)
                continue;
            send_vector(fd, vector);
            PTP_TIMESTAMP_EVENT record = next_record(tx, vector->name);
            expect_frame(&record, vector, AVB_DIRECTION_TX);
            tagged++;
        }
        assert_true(tagged > 0);
        close(fd);
        ptpmon_monitor_close(tx);
    }
    assert_true(run("ip link del pm-bridge && ip link del pm-in && ip link del pm-out"));
}

/* Enabling again starts with empty counters and an empty ring. */
static void enable_after_disable_starts_afresh(void **state)
{
    (void)state;
    uint64_t sent[AVB_FRAME_KINDS];
    ptpmon_monitor *rx = start(RECEIVER, 0);
    send_all(sent);
    assert_int_equal(ptpmon_monitor_disable(rx), PTPMON_OK);
    assert_int_equal(statistics_of(rx).frames_seen, sent[AVB_FRAME_PTP]);
    assert_int_equal(ptpmon_monitor_enable(rx), PTPMON_OK);
    assert_int_equal(statistics_of(rx).frames_seen, 0);
    assert_int_equal(ptpmon_monitor_wait(rx, 0), PTPMON_NOTHING);
    send_all(sent);
    expect_all(rx, AVB_DIRECTION_RX, sent);
    ptpmon_monitor_close(rx);
}

/* A TX stamp that the sender asks for, read by it from its error queue, comes as a LATE_STAMP record. */
static void late_stamp_follows_its_frame(void **state)
{
    (void)state;
    const struct frame_vector *vector = first_of_kind(AVB_FRAME_PTP, AVB_TRANSPORT_ETHERNET);
    ptpmon_monitor *tx = start(SENDER, 0);
    ptpmon_monitor_info info;
    assert_int_equal(ptpmon_monitor_info_get(tx, &info), PTPMON_OK);
    if (strcmp(info.tx_stamps, "none") == 0) {
        ptpmon_monitor_close(tx);
        skip();
    }
    int fd = open_sender(SENDER, 0);
    int want = 1 << 1 | 1 << 4; /* SOF_TIMESTAMPING_TX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &want, sizeof want), 0);
    send_vector(fd, vector);
    char data[2048], control[512];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    for (int i = 0; i < 100 && recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0; i++)
        usleep(10000);

    PTP_TIMESTAMP_EVENT frame = next_record(tx, vector->name);
    assert_true(frame.stamp & AVB_STAMP_EXPECTED);
    PTP_TIMESTAMP_EVENT stamp = next_record(tx, vector->name);
    assert_true(stamp.stamp & AVB_STAMP_LATE);
    assert_false(stamp.stamp & AVB_STAMP_EXPECTED);
    assert_int_equal(stamp.sequenceId, frame.sequenceId);
    assert_int_equal(stamp.hw_timestamp_ns, 0);

    const struct timespec *read_by_sender = NULL; /* struct scm_timestamping: the software stamp comes first */
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each))
        if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_TIMESTAMPING)
            read_by_sender = (const struct timespec *)(const void *)CMSG_DATA(each);
    assert_non_null(read_by_sender);
    assert_int_equal(stamp.software_timestamp,
                     (uint64_t)read_by_sender->tv_sec * 1000000000u + (uint64_t)read_by_sender->tv_nsec);

    ptpmon_statistics statistics = statistics_of(tx);
    assert_int_equal(statistics.stamps_seen, 1);
    assert_int_equal(statistics.stamps_emitted, 1);
    close(fd);
    ptpmon_monitor_close(tx);
}

static void enabling_in_another_namespace_is_refused(void **state)
{
    (void)state;
    ptpmon_monitor *monitor;
    assert_int_equal(ptpmon_monitor_open(RECEIVER, NULL, &monitor), PTPMON_OK);
    int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_INVALID);
    assert_int_equal(setns(here, CLONE_NEWNET), 0);
    assert_int_equal(ptpmon_monitor_enable(monitor), PTPMON_OK);
    close(here);
    ptpmon_monitor_close(monitor);
}

static void errors_name_the_object(void **state)
{
    (void)state;
    ptpmon_monitor *monitor;
    assert_int_equal(ptpmon_monitor_open("pm-nowhere", NULL, &monitor), PTPMON_NO_INTERFACE);
    assert_non_null(strstr(ptpmon_error_message(), "pm-nowhere"));
    assert_int_equal(ptpmon_monitor_open("a-name-far-too-long-for-an-interface", NULL, &monitor), PTPMON_NO_INTERFACE);
    ptpmon_monitor_options options = {.ring_bytes = 5000};
    assert_int_equal(ptpmon_monitor_open(RECEIVER, &options, &monitor), PTPMON_INVALID);
    assert_non_null(strstr(ptpmon_error_message(), "5000"));
}

static void vanished_interface_is_reported(void **state)
{
    (void)state;
    assert_true(run("ip link add pm-short type veth peer name pm-lived && ip link set pm-short up"));
    ptpmon_monitor *monitor = start("pm-short", 0);
    assert_true(run("ip link del pm-short"));
    assert_int_equal(ptpmon_monitor_wait(monitor, 1000), PTPMON_NO_INTERFACE);
    assert_non_null(strstr(ptpmon_error_message(), "pm-short"));
    assert_int_equal(ptpmon_monitor_disable(monitor), PTPMON_OK);
    ptpmon_monitor_close(monitor);
}

int main(void)
{
    if (!enter_private_namespace())
        return EXIT_FAILURE;
    if (!run("ip link add " SENDER " mtu 9000 type veth peer name " RECEIVER " mtu 9000 && "
             "ip link set " SENDER " up && ip link set " RECEIVER " up"))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_the_kernel_allows),
        cmocka_unit_test(without_tracing),
        cmocka_unit_test(through_clsact),
        cmocka_unit_test(clsact_filters_of_others_stay),
        cmocka_unit_test(clsact_qdisc_of_others_stays),
        cmocka_unit_test(sender_that_claims_another_protocol),
        cmocka_unit_test(out_of_band_tag_on_sending),
        cmocka_unit_test(enable_after_disable_starts_afresh),
        cmocka_unit_test(late_stamp_follows_its_frame),
        cmocka_unit_test(enabling_in_another_namespace_is_refused),
        cmocka_unit_test(errors_name_the_object),
        cmocka_unit_test(vanished_interface_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
