/* SPDX-License-Identifier: MIT */
/*
 * chain_bridge attach INTERFACE RECORDS  attaches an adapter to the driver that has the interface's GUID, LUID and
 *                                        index, with a ring of so many records; says "adapter: N"
 *              bridge INTERFACE ADAPTER  passes each frame of the interface through the driver, until an end marker
 *              burst ADAPTER FRAMES      half of them received, half sent, each by a thread, without a pause
 *              end                       takes the adapter away; fails where the driver broke a rule of the kernel
 *
 * The frames come from wpcap.dll, in both directions; what has the interface's own address as its source was sent.
 */
#include "client.h"

#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For experiments on one network; whoever tests sends it when all traffic has ended. */
#define END_MARKER 0x88B5

#define SNAPSHOT_LENGTH 2048
#define BUFFER_BYTES    (8 * 1024 * 1024)
#define CHAIN           16 /* frames in a call of the driver, at most */
#define BURST_CHAIN     50

static const char *running = "-";

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("FAIL %s: ", running);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
    exit(1);
}

static void say(const char *format, ...) __attribute__((format(gnu_printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

/* ---- The interface ---- */

static MIB_IF_ROW2 find_interface(const char *name)
{
    wchar_t wide[IF_MAX_STRING_SIZE + 1];
    MIB_IF_ROW2 row;
    NET_LUID luid;
    CHECK(MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, IF_MAX_STRING_SIZE + 1) > 0);
    CHECK_SAME(ConvertInterfaceAliasToLuid(wide, &luid), NO_ERROR);
    memset(&row, 0, sizeof row);
    row.InterfaceLuid = luid;
    CHECK_SAME(GetIfEntry2(&row), NO_ERROR);
    CHECK_SAME(row.PhysicalAddressLength, 6);
    return row;
}

static void write_guid(char *text, size_t size, const GUID *guid)
{
    const unsigned char *d = guid->Data4;
    snprintf(text, size, "{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", guid->Data1, guid->Data2, guid->Data3,
             d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

static int attach(const char *name, UINT32 records)
{
    MIB_IF_ROW2 row = find_interface(name);
    struct lab_adapter_config config = {.net_luid = row.InterfaceLuid.Value,
                                        .if_index = row.InterfaceIndex,
                                        .keywords = LAB_KEYWORD_RING_CAPACITY,
                                        .ring_capacity = records};
    write_guid(config.guid, sizeof config.guid, &row.InterfaceGuid);
    lab_value(LAB_CALL_RESET, 0, 0);
    lab_name(config.guid);
    say("adapter: %u\n", adapter_start(&config));
    return 0;
}

/* ---- Frames from wpcap.dll ---- */

struct pcap_header {
    struct timeval time;
    UINT32 captured, length;
};

struct pcap {
    void *handle;
    void *(*create)(const char *device, char *problem);
    int (*set_snaplen)(void *handle, int bytes);
    int (*set_buffer_size)(void *handle, int bytes);
    int (*set_timeout)(void *handle, int milliseconds);
    int (*set_promisc)(void *handle, int on);
    int (*activate)(void *handle);
    int (*setnonblock)(void *handle, int on, char *problem);
    int (*next_ex)(void *handle, struct pcap_header **header, const UINT8 **bytes);
    int (*stats)(void *handle, UINT32 counters[4]); /* received, dropped, dropped by the interface; one for growth */
    const char *(*geterr)(void *handle);
};

static void find(HMODULE library, const char *name, void *function, size_t size)
{
    FARPROC found = GetProcAddress(library, name);
    if (!found)
        fail("wpcap.dll lacks %s", name);
    memcpy(function, &found, size);
}

static struct pcap load_pcap(void)
{
    struct pcap pcap = {.handle = NULL};
    HMODULE library = LoadLibraryA("wpcap.dll");
    if (!library)
        fail("wpcap.dll cannot be loaded: error %lu", GetLastError());
#define FIND(name) find(library, "pcap_" #name, &pcap.name, sizeof pcap.name)
    FIND(create);
    FIND(set_snaplen);
    FIND(set_buffer_size);
    FIND(set_timeout);
    FIND(set_promisc);
    FIND(activate);
    FIND(setnonblock);
    FIND(next_ex);
    FIND(stats);
    FIND(geterr);
#undef FIND
    return pcap;
}

static struct pcap capture(const GUID *guid)
{
    char device[64] = "\\Device\\NPF_", problem[512] = "";
    struct pcap pcap = load_pcap();
    write_guid(device + strlen(device), sizeof device - strlen(device), guid);
    pcap.handle = pcap.create(device, problem);
    if (!pcap.handle)
        fail("%s: %s", device, problem);
    CHECK_SAME(pcap.set_snaplen(pcap.handle, SNAPSHOT_LENGTH), 0);
    CHECK_SAME(pcap.set_buffer_size(pcap.handle, BUFFER_BYTES), 0);
    CHECK_SAME(pcap.set_timeout(pcap.handle, 1), 0);
    CHECK_SAME(pcap.set_promisc(pcap.handle, 0), 0);
    if (pcap.activate(pcap.handle) < 0)
        fail("%s: %s", device, pcap.geterr(pcap.handle));
    if (pcap.setnonblock(pcap.handle, 1, problem) != 0)
        fail("%s: %s", device, problem);
    return pcap;
}

/* 0: there is none now. */
static int next_frame(const struct pcap *pcap, struct frame *frame)
{
    struct pcap_header *header;
    const UINT8 *bytes;
    int result = pcap->next_ex(pcap->handle, &header, &bytes);
    if (result < 0)
        fail("the capture failed: %s", pcap->geterr(pcap->handle));
    if (result == 0)
        return 0;
    if (header->captured != header->length || header->length < 14 || header->length > FRAME_BYTES)
        fail("a frame of %u bytes, %u captured, cannot be passed", header->length, header->captured);
    memcpy(frame->bytes, bytes, header->length);
    frame->length = header->length;
    return 1;
}

/* ---- The bridge ---- */

struct bridge {
    UINT32 adapter;
    UINT8 mac[6];
    struct traffic traffic; /* what waits to be passed, of one direction */
    UINT64 passed[2];       /* received, sent */
};

static void pass_waiting(struct bridge *bridge)
{
    struct lab_traffic *head = &bridge->traffic.head;
    if (head->frame_count == 0)
        return;
    CHECK_SAME(traffic_run(&bridge->traffic), head->list_count);
    bridge->passed[head->directions == LAB_TRAFFIC_SEND] += head->frame_count;
    traffic_begin(&bridge->traffic, bridge->adapter, head->directions);
}

/* In the order in which they were captured; a chain has one direction. */
static void pass(struct bridge *bridge, const struct frame *frame)
{
    UINT32 direction = memcmp(frame->bytes + 6, bridge->mac, 6) ? LAB_TRAFFIC_RECEIVE : LAB_TRAFFIC_SEND;
    if (bridge->traffic.head.directions != direction || bridge->traffic.head.frame_count == CHAIN) {
        pass_waiting(bridge);
        traffic_begin(&bridge->traffic, bridge->adapter, direction);
    }
    traffic_list(&bridge->traffic);
    traffic_frame(&bridge->traffic, frame);
}

static int is_end_marker(const struct frame *frame)
{
    return (frame->bytes[12] << 8 | frame->bytes[13]) == END_MARKER;
}

static int run_bridge(const char *name, UINT32 adapter)
{
    static struct bridge bridge;
    struct frame frame;
    UINT32 counters[4] = {0};
    MIB_IF_ROW2 row = find_interface(name);
    struct pcap pcap = capture(&row.InterfaceGuid);
    bridge.adapter = adapter;
    memcpy(bridge.mac, row.PhysicalAddress, sizeof bridge.mac);
    traffic_begin(&bridge.traffic, adapter, LAB_TRAFFIC_RECEIVE);
    say("ready\n");
    for (int ended = 0; !ended;) {
        if (next_frame(&pcap, &frame)) {
            pass(&bridge, &frame);
            ended = is_end_marker(&frame);
        } else {
            pass_waiting(&bridge);
            Sleep(1);
        }
    }
    pass_waiting(&bridge);
    CHECK_SAME(pcap.stats(pcap.handle, counters), 0);
    CHECK_SAME(counters[1], 0);
    say("received: %llu\nsent: %llu\n", bridge.passed[0], bridge.passed[1]);
    return 0;
}

/* ---- The burst ---- */

/* Each thread counts its frames in sequenceId, and has a portNumber of its own. */
static int burst(UINT32 adapter, UINT32 frames)
{
    static struct traffic traffic;
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 0, NULL, 0);
    CHECK(frames > 0 && frames % (2 * BURST_CHAIN) == 0 && frames / 2 <= 0x10000);
    traffic_begin(&traffic, adapter, LAB_TRAFFIC_RECEIVE | LAB_TRAFFIC_SEND);
    for (UINT32 i = 0; i < BURST_CHAIN; i++) {
        traffic_list(&traffic);
        traffic_frame(&traffic, &frame);
    }
    traffic.head.threads = 2;
    traffic.head.calls = frames / 2 / BURST_CHAIN;
    traffic.head.port_offset = frame.ptp + 28;
    traffic.head.sequence_offset = frame.ptp + 30;
    traffic_start(&traffic);
    struct lab_out out = traffic_end(0);
    say("passed: %llu\n", out.frames);
    return out.frames != frames;
}

static int end(void)
{
    lab_value(LAB_CALL_RESET, 0, 0);
    check_breaches();
    say("ended\n");
    return 0;
}

static UINT32 number(const char *text)
{
    return (UINT32)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    running = argc > 1 ? argv[1] : "";
    if (!strcmp(running, "attach") && argc == 4)
        return attach(argv[2], number(argv[3]));
    if (!strcmp(running, "bridge") && argc == 4)
        return run_bridge(argv[2], number(argv[3]));
    if (!strcmp(running, "burst") && argc == 4)
        return burst(number(argv[2]), number(argv[3]));
    if (!strcmp(running, "end") && argc == 2)
        return end();
    fprintf(stderr, "chain_bridge: what is to be done?\n");
    return 2;
}
