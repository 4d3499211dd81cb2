/* SPDX-License-Identifier: MIT */
/*
 * Live capture, through Npcap.
 *
 * One handle brings both directions. Npcap does not say which way a frame went: what has the adapter's own address as
 * its source was sent. No promiscuous mode: the driver side sees what the adapter is set to receive, and both sides
 * must see the same. Npcap's driver resolves 1 us, and stamps sent frames before our filter sees them, received ones
 * after it.
 */
#include "capture.h"

#include "error.h"
#include "windows/adapters.h"
#include "windows/clocks.h"
#include "windows/npcap.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)

#define SNAPSHOT_LENGTH 1920
#define BUFFER_BYTES    (32 * 1024 * 1024)
/* So long frames may wait for others where they are not delivered at once. */
#define TIMEOUT_MS 10
/* Frames from before a stop are awaited for this long after it. */
#define DRAIN_NS (NS_PER_SECOND / 10)

/* PTP as core/frame_read.h knows it, behind up to four VLAN tags. */
#define PTP \
    "(ether proto 0x88f7 or udp dst portrange 319-320 or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44" \
    " or ip6[6] = 51 or ip6[6] = 60)))"
#define PTP_OR_TAGGED(inner) "(" PTP " or (vlan and " inner "))"
static const char filter_text[] = PTP_OR_TAGGED(PTP_OR_TAGGED(PTP_OR_TAGGED(PTP_OR_TAGGED(PTP))));

struct live_capture {
    ptpmon_capture base;
    const struct ptpmon_npcap *npcap;
    pcap_t *handle;
    uint64_t luid; /* of the adapter */
    ptpmon_capture_interface about;
    uint32_t resolution_ns;
    bool drained;        /* stopped, and everything until then was delivered */
    uint64_t drained_at; /* event time from which an empty handle is drained */
    u_int last_drop;
    uint64_t dropped;
    int64_t started_at, stopped_at;
    uint64_t told_lost; /* of `dropped`, what next_loss() has told */
    int64_t looked_at;  /* capture time of its last look at the drop counter */
};

static struct live_capture *live_capture(const ptpmon_capture *base)
{
    return (struct live_capture *)base;
}

static PTP_CLOCKS_RECORD clocks_now(void)
{
    PTP_CLOCKS_RECORD clocks;
    (void)ptpmon_clocks_now(&clocks); /* it cannot fail on this system */
    return clocks;
}

static int64_t realtime_now(void)
{
    return (int64_t)clocks_now().realtime_ns;
}

static void close_live(ptpmon_capture *base)
{
    struct live_capture *capture = live_capture(base);
    if (capture->handle != NULL)
        capture->npcap->close(capture->handle);
}

static ptpmon_status fail_to_capture(const struct live_capture *capture, const char *what)
{
    return ptpmon_fail(PTPMON_IO, "%s: cannot capture: %s", capture->base.name, what);
}

static ptpmon_status fail_to_activate(const struct live_capture *capture, int status)
{
    const char *said = capture->npcap->geterr(capture->handle);
    if (status == PCAP_ERROR_PERM_DENIED)
        return ptpmon_fail(PTPMON_NO_PERMISSION,
                           "%s: Npcap was installed for administrators only; run as administrator", capture->base.name);
    return fail_to_capture(capture, *said ? said : capture->npcap->statustostr(status));
}

static ptpmon_status set_filter(const struct live_capture *capture)
{
    const struct ptpmon_npcap *npcap = capture->npcap;
    struct bpf_program program;
    if (npcap->compile(capture->handle, &program, filter_text, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return ptpmon_fail(PTPMON_IO, "%s: cannot compile the capture filter: %s", capture->base.name,
                           npcap->geterr(capture->handle));
    ptpmon_status status = PTPMON_OK;
    if (npcap->setfilter(capture->handle, &program) != 0)
        status = fail_to_capture(capture, npcap->geterr(capture->handle));
    npcap->freecode(&program);
    return status;
}

/* Times of the system's own clock, as fine as they are to be had: what Npcap lacks of this it refuses, and has its
 * usual ones. */
static void ask_for_times(struct live_capture *capture)
{
    (void)capture->npcap->set_tstamp_type(capture->handle, PCAP_TSTAMP_HOST_HIPREC);
    bool has_ns = capture->npcap->set_tstamp_precision(capture->handle, PCAP_TSTAMP_PRECISION_NANO) == 0;
    capture->resolution_ns = has_ns ? 1 : 1000;
}

static ptpmon_status activate(struct live_capture *capture)
{
    const struct ptpmon_npcap *npcap = capture->npcap;
    char problem[PCAP_ERRBUF_SIZE];
    npcap->set_snaplen(capture->handle, SNAPSHOT_LENGTH);
    npcap->set_buffer_size(capture->handle, BUFFER_BYTES);
    npcap->set_timeout(capture->handle, TIMEOUT_MS);
    if (npcap->set_immediate_mode != NULL)
        npcap->set_immediate_mode(capture->handle, 1);
    npcap->set_promisc(capture->handle, 0);
    ask_for_times(capture);
    int status = npcap->activate(capture->handle);
    if (status < 0)
        return fail_to_activate(capture, status);
    if (npcap->datalink(capture->handle) != DLT_EN10MB)
        return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                           "%s: its frames are not Ethernet; `ptpmon list` shows the interfaces that can be used",
                           capture->base.name);
    if (npcap->setnonblock(capture->handle, 1, problem) != 0)
        return fail_to_capture(capture, problem);
    return set_filter(capture);
}

static ptpmon_status fail_live(const struct live_capture *capture)
{
    if (!ptpmon_adapter_is_there(capture->luid))
        return ptpmon_fail(PTPMON_NO_INTERFACE,
                           "%s: the interface vanished during the capture; start again when `ptpmon list` shows it",
                           capture->base.name);
    return ptpmon_fail(PTPMON_IO, "%s: the capture failed: %s", capture->base.name,
                       capture->npcap->geterr(capture->handle));
}

/* The counter has 32 bits and may wrap. */
static ptpmon_status count_dropped(struct live_capture *capture)
{
    struct pcap_stat counters;
    if (capture->npcap->stats(capture->handle, &counters) != 0)
        return fail_live(capture);
    capture->dropped += counters.ps_drop - capture->last_drop;
    capture->last_drop = counters.ps_drop;
    return PTPMON_OK;
}

static ptpmon_status start(struct live_capture *capture, const char *npf_name)
{
    char problem[PCAP_ERRBUF_SIZE];
    capture->handle = capture->npcap->create(npf_name, problem);
    if (capture->handle == NULL)
        return fail_to_capture(capture, problem);
    ptpmon_status status = activate(capture);
    if (status == PTPMON_OK)
        status = count_dropped(capture);
    capture->dropped = 0;
    capture->started_at = capture->looked_at = realtime_now();
    return status;
}

static void fill_frame(const struct live_capture *capture, const struct pcap_pkthdr *header, const u_char *bytes,
                       ptpmon_frame *frame)
{
    bool sent = header->caplen >= 12 && memcmp(bytes + 6, capture->about.mac, 6) == 0;
    int64_t fraction = (int64_t)header->ts.tv_usec * (capture->resolution_ns == 1 ? 1 : 1000);
    *frame = (ptpmon_frame){
        .time_ns = (int64_t)header->ts.tv_sec * NS_PER_SECOND + fraction,
        .bytes = bytes,
        .captured_length = header->caplen,
        .length = header->len,
        .resolution_ns = capture->resolution_ns,
        .direction = sent ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
        .number = capture->base.frames + 1,
    };
}

static ptpmon_status next_live(ptpmon_capture *base, ptpmon_frame *frame)
{
    struct live_capture *capture = live_capture(base);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    if (capture->drained)
        return PTPMON_END;
    bool last = capture->stopped_at != 0 && clocks_now().system_timestamp >= capture->drained_at;
    int result = capture->npcap->next_ex(capture->handle, &header, &bytes);
    if (result == 1) {
        fill_frame(capture, header, bytes, frame);
        if (capture->stopped_at == 0 || frame->time_ns <= capture->stopped_at)
            return PTPMON_OK;
    } else if (result != 0 && capture->stopped_at == 0) {
        return fail_live(capture);
    }
    if (!last)
        return PTPMON_NOTHING;
    capture->drained = true;
    ptpmon_status status = count_dropped(capture);
    return status == PTPMON_OK ? PTPMON_END : status;
}

/* The times lie outside of what happened between two readings of the counter, never inside. */
static ptpmon_status next_loss_live(ptpmon_capture *base, ptpmon_capture_loss *loss)
{
    struct live_capture *capture = live_capture(base);
    int64_t before = realtime_now();
    ptpmon_status status = capture->drained ? PTPMON_OK : count_dropped(capture);
    if (status != PTPMON_OK)
        return status;
    int64_t from = capture->looked_at;
    capture->looked_at = before;
    if (capture->dropped == capture->told_lost)
        return PTPMON_NOTHING;
    *loss = (ptpmon_capture_loss){capture->dropped - capture->told_lost, from, realtime_now()};
    capture->told_lost = capture->dropped;
    return PTPMON_OK;
}

static void stop_live(ptpmon_capture *base)
{
    struct live_capture *capture = live_capture(base);
    if (capture->stopped_at != 0)
        return;
    PTP_CLOCKS_RECORD now = clocks_now();
    capture->stopped_at = (int64_t)now.realtime_ns;
    capture->drained_at = now.system_timestamp + (uint64_t)DRAIN_NS;
}

static ptpmon_status statistics_live(ptpmon_capture *base, ptpmon_capture_statistics *statistics)
{
    struct live_capture *capture = live_capture(base);
    ptpmon_status status = capture->drained ? PTPMON_OK : count_dropped(capture);
    statistics->dropped = capture->dropped;
    statistics->started_at = capture->started_at;
    statistics->stopped_at = capture->stopped_at;
    return status;
}

static void interface_get_live(const ptpmon_capture *base, size_t interface, ptpmon_capture_interface *about)
{
    (void)interface;
    *about = live_capture(base)->about;
}

static const struct ptpmon_capture_operations live_operations = {
    .kind = PTPMON_CAPTURE_LIVE,
    .next = next_live,
    .statistics = statistics_live,
    .close = close_live,
    .next_loss = next_loss_live,
    .stop = stop_live,
    .interface_get = interface_get_live,
};

static void describe(struct live_capture *capture, const ptpmon_interface *interface)
{
    ptpmon_capture_interface *about = &capture->about;
    memcpy(about->name, interface->name, sizeof about->name);
    memcpy(about->mac, interface->mac, sizeof about->mac);
    about->has_mac = true;
    ptpmon_host_describe(about->host, sizeof about->host, about->boot_id, sizeof about->boot_id);
}

ptpmon_status ptpmon_capture_open_live(const char *interface_name, ptpmon_capture **capture)
{
    struct ptpmon_adapter adapter;
    char npf_name[64];
    ptpmon_status status = ptpmon_adapter_find(interface_name, &adapter);
    if (status != PTPMON_OK)
        return status;
    const struct ptpmon_npcap *npcap = ptpmon_npcap();
    if (npcap == NULL)
        return ptpmon_npcap_fail(interface_name);
    struct live_capture *opened = ptpmon_capture_new(&live_operations, sizeof *opened, interface_name);
    if (opened == NULL)
        return PTPMON_NO_MEMORY;
    opened->npcap = npcap;
    opened->luid = adapter.luid;
    describe(opened, &adapter.interface);
    snprintf(npf_name, sizeof npf_name, "\\Device\\NPF_%s", adapter.interface.guid);
    status = start(opened, npf_name);
    if (status != PTPMON_OK) {
        ptpmon_capture_close(&opened->base);
        return status;
    }
    *capture = &opened->base;
    return PTPMON_OK;
}
