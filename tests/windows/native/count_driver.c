/* SPDX-License-Identifier: MIT */
/*
 *     count_driver WAY COUNT handler|nothing
 *
 * Calls a handler of the driver COUNT times, or in its place NDIS's function that it ends with, to be counted by
 * callgrind: the difference is what the handler costs. Prints how many records were emitted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver_run.h"
#include "nt_native.h"
#include "unit/frame_builder.h"

static struct test_frame frame;

static void sync_on_ethernet(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x88F7);
    put_sync(&frame, 1);
}

static void sync_with_tag(void)
{
    put_addresses(&frame, 1);
    put_tag(&frame, 0x8100, 0xA064);
    put_be16(&frame, 0x88F7);
    put_sync(&frame, 1);
}

static void sync_on_ipv4(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x0800);
    put_ipv4(&frame, 17, 0, 0, 8 + PTP_SYNC_LENGTH);
    put_udp(&frame, 319, PTP_SYNC_LENGTH);
    put_sync(&frame, 1);
}

static void sync_on_ipv6(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x86DD);
    put_ipv6(&frame, 17, 8 + PTP_SYNC_LENGTH);
    put_udp(&frame, 319, PTP_SYNC_LENGTH);
    put_sync(&frame, 1);
}

static void tcp_on_ipv4(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x0800);
    put_ipv4(&frame, 6, 0, 0, 1000);
    put_zeros(&frame, 1000);
}

static void udp_on_ipv4(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x0800);
    put_ipv4(&frame, 17, 0, 0, 8 + 1000);
    put_udp(&frame, 443, 1000);
    put_zeros(&frame, 1000);
}

static void tcp_on_ipv6(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x86DD);
    put_ipv6(&frame, 6, 1000);
    put_zeros(&frame, 1000);
}

static void udp_on_ipv6(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x86DD);
    put_ipv6(&frame, 17, 8 + 1000);
    put_udp(&frame, 443, 1000);
    put_zeros(&frame, 1000);
}

static void arp(void)
{
    put_addresses(&frame, 1);
    put_be16(&frame, 0x0806);
    put_zeros(&frame, 46);
}

static const struct way {
    const char *name;
    enum driver_traffic traffic;
    UINT8 monitor, stamps, dispatch, lists, pieces;
    void (*make)(void);
} ways[] = {
    {"disabled_receive", DRIVER_RECEIVE, 0, 0, 1, 1, 1, sync_on_ethernet},
    {"disabled_send", DRIVER_SEND, 0, 0, 1, 1, 1, sync_on_ethernet},
    {"disabled_complete", DRIVER_COMPLETE, 0, 0, 1, 1, 1, sync_on_ethernet},
    {"complete_without_stamps", DRIVER_COMPLETE, 1, 0, 1, 1, 1, sync_on_ethernet},
    {"emit", DRIVER_EMIT, 1, 0, 1, 1, 1, sync_on_ethernet},
    {"record", DRIVER_RECEIVE, 1, 0, 1, 1, 1, sync_on_ethernet},
    {"record_passive", DRIVER_RECEIVE, 1, 0, 0, 1, 1, sync_on_ethernet},
    {"record_in_pieces", DRIVER_RECEIVE, 1, 0, 1, 1, 4, sync_on_ethernet},
    {"record_chain_of_16", DRIVER_RECEIVE, 1, 0, 1, 16, 1, sync_on_ethernet},
    {"record_tagged", DRIVER_RECEIVE, 1, 0, 1, 1, 1, sync_with_tag},
    {"record_ipv4", DRIVER_RECEIVE, 1, 0, 1, 1, 1, sync_on_ipv4},
    {"record_ipv6", DRIVER_RECEIVE, 1, 0, 1, 1, 1, sync_on_ipv6},
    {"record_sent", DRIVER_SEND, 1, 1, 1, 1, 1, sync_on_ethernet},
    {"record_of_stamp", DRIVER_COMPLETE, 1, 1, 1, 1, 1, sync_on_ethernet},
    {"foreign", DRIVER_RECEIVE, 1, 0, 1, 1, 1, tcp_on_ipv4},
    {"foreign_passive", DRIVER_RECEIVE, 1, 0, 0, 1, 1, tcp_on_ipv4},
    {"foreign_chain_of_32", DRIVER_RECEIVE, 1, 0, 1, 32, 1, tcp_on_ipv4},
    {"foreign_chain_of_64", DRIVER_RECEIVE, 1, 0, 1, 64, 1, tcp_on_ipv4},
    {"foreign_udp_32", DRIVER_RECEIVE, 1, 0, 1, 32, 1, udp_on_ipv4},
    {"foreign_udp_64", DRIVER_RECEIVE, 1, 0, 1, 64, 1, udp_on_ipv4},
    {"foreign_arp_32", DRIVER_RECEIVE, 1, 0, 1, 32, 1, arp},
    {"foreign_arp_64", DRIVER_RECEIVE, 1, 0, 1, 64, 1, arp},
    {"foreign_tcp_ipv6_32", DRIVER_RECEIVE, 1, 0, 1, 32, 1, tcp_on_ipv6},
    {"foreign_tcp_ipv6_64", DRIVER_RECEIVE, 1, 0, 1, 64, 1, tcp_on_ipv6},
    {"foreign_udp_ipv6_32", DRIVER_RECEIVE, 1, 0, 1, 32, 1, udp_on_ipv6},
    {"foreign_udp_ipv6_64", DRIVER_RECEIVE, 1, 0, 1, 64, 1, udp_on_ipv6},
};

int main(int argc, char **argv)
{
    const struct way *way = ways, *end = ways + sizeof ways / sizeof *ways;
    struct driver_run run;
    while (argc == 4 && way < end && strcmp(argv[1], way->name) != 0)
        way++;
    if (argc != 4 || way == end) {
        fprintf(stderr, "usage: count_driver WAY COUNT handler|nothing\n");
        return 2;
    }
    UINT64 count = strtoull(argv[2], NULL, 10);
    way->make();
    NET_BUFFER_LIST *lists = driver_lists(frame.bytes, frame.length, way->lists, way->pieces, 0);
    lab_set_counter(1000000); /* what the system takes for its time is not the driver's */
    driver_run_begin(&run, way->monitor ? AVB_RING_MAX_CAPACITY : 0, way->stamps, way->dispatch);
    driver_pass pass = strcmp(argv[3], "handler") == 0 ? driver_handler(way->traffic) : driver_nothing(way->traffic);
    for (UINT64 i = 0; i < count; i++)
        pass(lists, way->lists);
    printf("%llu\n", (unsigned long long)driver_run_emitted(&run));
    driver_run_end();
    return 0;
}
