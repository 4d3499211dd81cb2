/* SPDX-License-Identifier: MIT */
/*
 * Live capture, through Npcap.
 *
 * One handle brings both directions. Npcap does not say which way a frame went: what has the adapter's own address as
 * its source was sent. No promiscuous mode: the driver side sees what the adapter is set to receive, and both sides
 * must see the same. A capture of an adapter that is reset is begun anew. Npcap's driver resolves 1 us, and stamps sent
 * frames before our filter sees them, received ones after it.
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

/* An adapter that is reset takes its captures along: another is tried this often, and for this long. What is missed
 * meanwhile is told this often. */
#define RETRY_NS    (NS_PER_SECOND / 4)
#define PATIENCE_NS (15 * NS_PER_SECOND)
#define MISSED_NS   (NS_PER_SECOND / 2)

/* PTP as core/frame_read.h knows it, behind up to four VLAN tags. */
#define PTP \
    "(ether proto 0x88f7 or udp dst portrange 319-320 or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44" \
    " or ip6[6] = 51 or ip6[6] = 60)))"
#define PTP_OR_TAGGED(inner) "(" PTP " or (vlan and " inner "))"
static const char filter_text[] = PTP_OR_TAGGED(PTP_OR_TAGGED(PTP_OR_TAGGED(PTP_OR_TAGGED(PTP))));

struct live_capture {
    ptpmon_capture base;
    const struct ptpmon_npcap *npcap;
    pcap_t *handle; /* NULL: the adapter is being reset */
    char npf_name[64];
    uint64_t luid;             /* of the adapter */
    int64_t gone_at, tried_at; /* UTC; of the reset */
    bool missed;               /* something, which was not told yet */
    char problem[128];         /* what Npcap said as the capture failed */
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
    return ptpmon_fail(PTPMON_IO, "%s: the capture failed: %s", capture->base.name, capture->problem);
}

/* It has failed: with its adapter, which may come back. */
static void note_gone(struct live_capture *capture)
{
    snprintf(capture->problem, sizeof capture->problem, "%s", capture->npcap->geterr(capture->handle));
    capture->npcap->close(capture->handle);
    capture->handle = NULL;
    capture->gone_at = capture->tried_at = realtime_now();
    capture->missed = true;
}

/* The counter has 32 bits and may wrap. Of an adapter that is gone what was counted stands. */
static void count_dropped(struct live_capture *capture)
{
    struct pcap_stat counters;
    if (capture->handle == NULL)
        return;
    if (capture->npcap->stats(capture->handle, &counters) != 0) {
        note_gone(capture);
        return;
    }
    capture->dropped += counters.ps_drop - capture->last_drop;
    capture->last_drop = counters.ps_drop;
}

static ptpmon_status open_handle(struct live_capture *capture)
{
    char problem[PCAP_ERRBUF_SIZE];
    capture->handle = capture->npcap->create(capture->npf_name, problem);
    if (capture->handle == NULL)
        return fail_to_capture(capture, problem);
    ptpmon_status status = activate(capture);
    if (status == PTPMON_OK)
        return status;
    capture->npcap->close(capture->handle);
    capture->handle = NULL;
    return status;
}

static ptpmon_status start(struct live_capture *capture)
{
    ptpmon_status status = open_handle(capture);
    if (status != PTPMON_OK)
        return status;
    count_dropped(capture);
    if (capture->handle == NULL)
        return fail_live(capture);
    capture->dropped = 0;
    capture->started_at = capture->looked_at = realtime_now();
    return PTPMON_OK;
}

/* OK: the adapter is back, and captured. NOTHING: not yet. */
static ptpmon_status capture_again(struct live_capture *capture)
{
    int64_t now = realtime_now();
    if (now - capture->tried_at < RETRY_NS && now >= capture->tried_at) /* it may be set */
        return PTPMON_NOTHING;
    capture->tried_at = now;
    ptpmon_status status = open_handle(capture);
    if (status == PTPMON_OK) {
        capture->last_drop = 0;
        count_dropped(capture);
    }
    if (status == PTPMON_OK && capture->handle != NULL)
        return PTPMON_OK;
    return now - capture->gone_at < PATIENCE_NS ? PTPMON_NOTHING : fail_live(capture);
}

static int64_t time_of(const struct live_capture *capture, const struct pcap_pkthdr *header)
{
    int64_t fraction = (int64_t)header->ts.tv_usec * (capture->resolution_ns == 1 ? 1 : 1000);
    return (int64_t)header->ts.tv_sec * NS_PER_SECOND + fraction;
}

static void fill_frame(const struct live_capture *capture, const struct pcap_pkthdr *header, const u_char *bytes,
                       ptpmon_frame *frame)
{
    bool sent = header->caplen >= 12 && memcmp(bytes + 6, capture->about.mac, 6) == 0;
    *frame = (ptpmon_frame){
        .time_ns = time_of(capture, header),
        .bytes = bytes,
        .captured_length = header->caplen,
        .length = header->len,
        .resolution_ns = capture->resolution_ns,
        .direction = sent ? AVB_DIRECTION_TX : AVB_DIRECTION_RX,
        .number = capture->base.frames + 1,
    };
}

/* OK, NOTHING, or a failure after which no more comes. */
static ptpmon_status read_live(struct live_capture *capture, ptpmon_frame *frame)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    if (capture->handle == NULL && capture->stopped_at != 0)
        return PTPMON_NOTHING;
    ptpmon_status status = capture->handle == NULL ? capture_again(capture) : PTPMON_OK;
    if (status != PTPMON_OK)
        return status;
    int result = capture->npcap->next_ex(capture->handle, &header, &bytes);
    if (result < 0)
        note_gone(capture);
    if (result != 1 || (capture->stopped_at != 0 && time_of(capture, header) > capture->stopped_at))
        return PTPMON_NOTHING;
    fill_frame(capture, header, bytes, frame);
    return PTPMON_OK;
}

static ptpmon_status next_live(ptpmon_capture *base, ptpmon_frame *frame)
{
    struct live_capture *capture = live_capture(base);
    if (capture->drained)
        return PTPMON_END;
    bool last = capture->stopped_at != 0 && clocks_now().system_timestamp >= capture->drained_at;
    ptpmon_status status = read_live(capture, frame);
    if (status != PTPMON_NOTHING || !last)
        return status;
    capture->drained = true;
    count_dropped(capture);
    return PTPMON_END;
}

/* Whether what is missed is to be told: when it is over, else not at every look. */
static bool tells_missed(const struct live_capture *capture, int64_t now)
{
    bool is_over = capture->handle != NULL || capture->stopped_at != 0;
    return capture->missed && (is_over || now - capture->looked_at >= MISSED_NS);
}

/* The times lie outside of what happened between two readings of the counter, never inside. */
static ptpmon_status next_loss_live(ptpmon_capture *base, ptpmon_capture_loss *loss)
{
    struct live_capture *capture = live_capture(base);
    int64_t before = realtime_now();
    if (!capture->drained)
        count_dropped(capture);
    bool tells = tells_missed(capture, before), grew = capture->dropped != capture->told_lost;
    int64_t from = capture->looked_at;
    if (tells || !capture->missed)
        capture->looked_at = before;
    if (!tells && !grew)
        return PTPMON_NOTHING;
    /* 0 frames: nobody could count. */
    *loss = (ptpmon_capture_loss){grew ? capture->dropped - capture->told_lost : 0, from, realtime_now()};
    capture->told_lost = capture->dropped;
    capture->missed = capture->missed && (!tells || (capture->handle == NULL && capture->stopped_at == 0));
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
    if (!capture->drained)
        count_dropped(capture);
    statistics->dropped = capture->dropped;
    statistics->started_at = capture->started_at;
    statistics->stopped_at = capture->stopped_at;
    return PTPMON_OK;
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
    snprintf(opened->npf_name, sizeof opened->npf_name, "\\Device\\NPF_%s", adapter.interface.guid);
    status = start(opened);
    if (status != PTPMON_OK) {
        ptpmon_capture_close(&opened->base);
        return status;
    }
    *capture = &opened->base;
    return PTPMON_OK;
}
