/* SPDX-License-Identifier: MIT */
/*
 * Live capture, through libpcap.
 *
 * There is one handle per direction, since a captured frame does not say which way it went. No promiscuous mode: the
 * driver side sees what the interface is set to receive, and both sides must see the same. On the loopback interface
 * libpcap shows every frame once, as received.
 */
#include "capture.h"

#include "error.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND INT64_C(1000000000)

/*
 * Immediate mode gives every frame a slot of fixed size. libpcap's other mode packs frames into
 * blocks, but closes a block every few ms, however empty: a reader that pauses for longer than the
 * number of blocks times that would lose frames even of sparse traffic. With this length two slots
 * fit a page, and so do a full frame of 1500 bytes payload and its tags.
 */
#define SNAPSHOT_LENGTH 1920
/* Per direction: as many slots as the default event ring holds records, and some. */
#define BUFFER_BYTES (32 * 1024 * 1024)
/* A received frame reaches the capture later than its time says: by microseconds, on a busy processor by
 * milliseconds. So frames from before a stop are awaited for this long after it. */
#define DRAIN_NS (NS_PER_SECOND / 10)

/* PTP as core/frame_read.h knows it; the outermost tag may have been taken out of the frame. */
#define PTP \
    "(ether proto 0x88f7 or udp dst portrange 319-320 or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44" \
    " or ip6[6] = 51 or ip6[6] = 60)))"
#define PTP_OR_TAGGED(inner) "(" PTP " or (vlan and " inner "))"
static const char filter_text[] = PTP_OR_TAGGED(PTP_OR_TAGGED(PTP_OR_TAGGED(PTP_OR_TAGGED(PTP))));

struct live_capture {
    ptpmon_capture base;
    pcap_t *handles[2]; /* by AVB_DIRECTION_RX and _TX */
    unsigned index;     /* of the interface */
    ptpmon_capture_interface about;
    unsigned turn;      /* the handle that is asked first */
    bool drained[2];    /* stopped, and everything until then was delivered */
    int64_t drained_at; /* CLOCK_MONOTONIC from which an empty handle is drained */
    u_int last_drop[2];
    uint64_t dropped;
    int64_t started_at, stopped_at;
    uint64_t told_lost; /* of `dropped`, what next_loss() has told */
    int64_t looked_at;  /* capture time of its last look at the drop counters */
};

static struct live_capture *live_capture(const ptpmon_capture *base)
{
    return (struct live_capture *)base;
}

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static void close_live(ptpmon_capture *base)
{
    struct live_capture *capture = live_capture(base);
    for (int i = 0; i < 2; i++) {
        if (capture->handles[i] != NULL)
            pcap_close(capture->handles[i]);
    }
}

static ptpmon_status fail_no_interface(const char *name)
{
    return ptpmon_fail(PTPMON_NO_INTERFACE, "%s: no such interface; `ptpmon list` shows those there are", name);
}

static ptpmon_status fail_to_activate(const char *name, pcap_t *handle, int status)
{
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return fail_no_interface(name);
    case PCAP_ERROR_PERM_DENIED:
        return ptpmon_fail(PTPMON_NO_PERMISSION, "%s: capturing frames needs CAP_NET_RAW; run as root", name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return ptpmon_fail(PTPMON_IO, "%s: the interface is down; `ip link set %s up` brings it up", name, name);
    default:
        return ptpmon_fail(PTPMON_IO, "%s: cannot capture: %s", name,
                           *pcap_geterr(handle) ? pcap_geterr(handle) : pcap_statustostr(status));
    }
}

static const char *linktype_name(pcap_t *handle)
{
    const char *name = pcap_datalink_val_to_name(pcap_datalink(handle));
    return name != NULL ? name : "unknown";
}

/*
 * Compiled without a live handle: for one, libpcap lets `vlan` match the tag that was taken out of
 * the frame as well, and then looks for what follows it four bytes too far.
 */
static ptpmon_status compile_filter(const char *name, struct bpf_program *program)
{
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, SNAPSHOT_LENGTH);
    if (dead == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for the capture filter; close other programs", name);
    ptpmon_status status = PTPMON_OK;
    if (pcap_compile(dead, program, filter_text, 1, PCAP_NETMASK_UNKNOWN) != 0)
        status = ptpmon_fail(PTPMON_IO, "%s: cannot compile the capture filter: %s", name, pcap_geterr(dead));
    pcap_close(dead);
    return status;
}

/*
 * Lets the kernel drop the other direction, so that it takes no slots and its losses are not
 * counted here. libpcap would do the same for the word "inbound", but runs the filter once more
 * itself over the first frame, where it cannot see the direction, and loses that frame. Without
 * this the capture is right too: libpcap drops the other direction when it is read.
 */
static void filter_direction(pcap_t *handle, uint8_t direction, const struct bpf_program *program)
{
    bool outgoing = direction == AVB_DIRECTION_TX;
    struct sock_filter code[256] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, outgoing, !outgoing),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const unsigned prefix = 3;
    if (program->bf_len > sizeof code / sizeof *code - prefix)
        return;
    for (unsigned i = 0; i < program->bf_len; i++) {
        const struct bpf_insn *from = &program->bf_insns[i];
        code[prefix + i] = (struct sock_filter){from->code, from->jt, from->jf, from->k};
    }
    struct sock_fprog filter = {(unsigned short)(prefix + program->bf_len), code};
    (void)setsockopt(pcap_fileno(handle), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

static ptpmon_status set_filter(const char *name, pcap_t *handle, uint8_t direction)
{
    struct bpf_program program;
    ptpmon_status status = compile_filter(name, &program);
    if (status != PTPMON_OK)
        return status;
    if (pcap_setfilter(handle, &program) != 0)
        status = ptpmon_fail(PTPMON_IO, "%s: cannot set the capture filter: %s", name, pcap_geterr(handle));
    else
        filter_direction(handle, direction, &program);
    pcap_freecode(&program);
    return status;
}

/* What libpcap takes in before the filter is set, it filters itself when it is read. */
static ptpmon_status start_handle(const char *name, pcap_t *handle, uint8_t direction)
{
    char problem[PCAP_ERRBUF_SIZE];
    pcap_set_snaplen(handle, SNAPSHOT_LENGTH);
    pcap_set_buffer_size(handle, BUFFER_BYTES);
    pcap_set_immediate_mode(handle, 1);
    pcap_set_promisc(handle, 0);
    if (pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) != 0)
        return ptpmon_fail(PTPMON_NOT_SUPPORTED, "%s: no capture times in ns; libpcap 1.5 or later gives them", name);
    int status = pcap_activate(handle);
    if (status < 0)
        return fail_to_activate(name, handle, status);
    if (pcap_datalink(handle) != DLT_EN10MB)
        return ptpmon_fail(
            PTPMON_NOT_SUPPORTED,
            "%s: frames of linktype %s, not Ethernet; `ptpmon list` shows the interfaces that can be used", name,
            linktype_name(handle));
    if (pcap_setnonblock(handle, 1, problem) != 0)
        return ptpmon_fail(PTPMON_IO, "%s: cannot capture: %s", name, problem);
    if (pcap_setdirection(handle, direction == AVB_DIRECTION_RX ? PCAP_D_IN : PCAP_D_OUT) != 0)
        return ptpmon_fail(PTPMON_NOT_SUPPORTED, "%s: cannot tell the directions apart: %s", name, pcap_geterr(handle));
    return set_filter(name, handle, direction);
}

static ptpmon_status open_handle(struct live_capture *capture, uint8_t direction)
{
    char problem[PCAP_ERRBUF_SIZE];
    pcap_t *handle = pcap_create(capture->base.name, problem);
    if (handle == NULL)
        return ptpmon_fail(PTPMON_IO, "%s: cannot capture: %s", capture->base.name, problem);
    capture->handles[direction] = handle;
    return start_handle(capture->base.name, handle, direction);
}

/* Asked through the handle's socket, which stays in its network namespace wherever the thread goes. */
static bool interface_is_there(const struct live_capture *capture)
{
    struct ifreq request = {.ifr_ifindex = (int)capture->index};
    return ioctl(pcap_fileno(capture->handles[0]), SIOCGIFNAME, &request) == 0;
}

static ptpmon_status fail_live(const struct live_capture *capture, pcap_t *handle)
{
    if (!interface_is_there(capture))
        return ptpmon_fail(PTPMON_NO_INTERFACE,
                           "%s: the interface vanished during the capture; start again when `ptpmon list` shows it",
                           capture->base.name);
    return ptpmon_fail(PTPMON_IO, "%s: the capture failed: %s", capture->base.name, pcap_geterr(handle));
}

/* The drop counter of libpcap has 32 bits and may wrap. ps_ifdrop is left out: what the card loses, no side sees. */
static ptpmon_status count_dropped(struct live_capture *capture, unsigned which)
{
    struct pcap_stat counters;
    if (pcap_stats(capture->handles[which], &counters) != 0)
        return fail_live(capture, capture->handles[which]);
    capture->dropped += counters.ps_drop - capture->last_drop[which];
    capture->last_drop[which] = counters.ps_drop;
    return PTPMON_OK;
}

/* What was dropped before both directions ran, mostly before there was a filter, is no loss. */
static ptpmon_status start(struct live_capture *capture)
{
    ptpmon_status status = open_handle(capture, AVB_DIRECTION_RX);
    if (status == PTPMON_OK)
        status = open_handle(capture, AVB_DIRECTION_TX);
    for (unsigned i = 0; status == PTPMON_OK && i < 2; i++)
        status = count_dropped(capture, i);
    capture->dropped = 0;
    capture->started_at = capture->looked_at = now(CLOCK_REALTIME);
    return status;
}

static void read_boot_id(char *boot_id, size_t size)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    if (fgets(boot_id, (int)size, file) != NULL)
        boot_id[strcspn(boot_id, "\n")] = 0;
    fclose(file);
}

/* While the interface is surely there; what cannot be had stays unknown. */
static void describe(struct live_capture *capture)
{
    ptpmon_capture_interface *about = &capture->about;
    struct ifreq request = {0};
    snprintf(about->name, sizeof about->name, "%s", capture->base.name);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", capture->base.name);
    about->has_mac = ioctl(pcap_fileno(capture->handles[0]), SIOCGIFHWADDR, &request) == 0;
    if (about->has_mac)
        memcpy(about->mac, request.ifr_hwaddr.sa_data, sizeof about->mac);
    if (gethostname(about->host, sizeof about->host - 1) != 0)
        about->host[0] = 0;
    read_boot_id(about->boot_id, sizeof about->boot_id);
}

/* The nanosecond precision asked for puts ns into tv_usec. */
static int64_t time_of(const struct pcap_pkthdr *header)
{
    return (int64_t)header->ts.tv_sec * NS_PER_SECOND + header->ts.tv_usec;
}

static void fill_frame(const struct live_capture *capture, const struct pcap_pkthdr *header, const u_char *bytes,
                       uint8_t direction, ptpmon_frame *frame)
{
    *frame = (ptpmon_frame){
        .time_ns = time_of(header),
        .bytes = bytes,
        .captured_length = header->caplen,
        .length = header->len,
        .resolution_ns = 1,
        .direction = direction,
        .number = capture->base.frames + 1,
    };
}

/* What comes after the stop is dropped by the kernel and no loss: the counter is read for the last time. */
static ptpmon_status drain_ended(struct live_capture *capture, unsigned which)
{
    capture->drained[which] = true;
    return count_dropped(capture, which);
}

/* `last`: nothing from before the stop is still under way to the handle. */
static ptpmon_status next_of(struct live_capture *capture, unsigned which, bool last, ptpmon_frame *frame)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int64_t stopped_at = capture->stopped_at;
    int result = pcap_next_ex(capture->handles[which], &header, &bytes);

    if (result == 1) {
        if (stopped_at == 0 || time_of(header) <= stopped_at) {
            fill_frame(capture, header, bytes, (uint8_t)which, frame);
            return PTPMON_OK;
        }
    } else if (result != 0 && stopped_at == 0) {
        return fail_live(capture, capture->handles[which]);
    }
    if (last) {
        ptpmon_status status = drain_ended(capture, which);
        if (status != PTPMON_OK)
            return status;
    }
    return PTPMON_NOTHING;
}

static ptpmon_status next_live(ptpmon_capture *base, ptpmon_frame *frame)
{
    struct live_capture *capture = live_capture(base);
    bool last = capture->stopped_at != 0 && now(CLOCK_MONOTONIC) >= capture->drained_at;
    ptpmon_status outcome = PTPMON_NOTHING;
    for (unsigned i = 0; i < 2; i++) {
        unsigned which = (capture->turn + i) % 2;
        if (capture->drained[which])
            continue;
        ptpmon_status status = next_of(capture, which, last, frame);
        if (status == PTPMON_OK) {
            capture->turn = which ^ 1u;
            return PTPMON_OK;
        }
        /* A failure waits until the other direction's frames are delivered. */
        if (status != PTPMON_NOTHING)
            outcome = status;
    }
    return capture->drained[0] && capture->drained[1] ? PTPMON_END : outcome;
}

static ptpmon_status count_all_dropped(struct live_capture *capture)
{
    ptpmon_status status = PTPMON_OK;
    for (unsigned i = 0; status == PTPMON_OK && i < 2; i++)
        status = capture->drained[i] ? PTPMON_OK : count_dropped(capture, i);
    return status;
}

/* The times lie outside of what happened between two readings of the counters, never inside. */
static ptpmon_status next_loss_live(ptpmon_capture *base, ptpmon_capture_loss *loss)
{
    struct live_capture *capture = live_capture(base);
    int64_t before = now(CLOCK_REALTIME);
    ptpmon_status status = count_all_dropped(capture);
    if (status != PTPMON_OK)
        return status;
    int64_t from = capture->looked_at;
    capture->looked_at = before;
    if (capture->dropped == capture->told_lost)
        return PTPMON_NOTHING;
    *loss = (ptpmon_capture_loss){capture->dropped - capture->told_lost, from, now(CLOCK_REALTIME)};
    capture->told_lost = capture->dropped;
    return PTPMON_OK;
}

static void stop_live(ptpmon_capture *base)
{
    struct live_capture *capture = live_capture(base);
    if (capture->stopped_at != 0)
        return;
    capture->stopped_at = now(CLOCK_REALTIME);
    capture->drained_at = now(CLOCK_MONOTONIC) + DRAIN_NS;
}

static ptpmon_status statistics_live(ptpmon_capture *base, ptpmon_capture_statistics *statistics)
{
    struct live_capture *capture = live_capture(base);
    ptpmon_status status = count_all_dropped(capture);
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

ptpmon_status ptpmon_capture_open_live(const char *interface_name, ptpmon_capture **capture)
{
    /* libpcap takes other names too, such as "any"; they have no index. */
    unsigned index = if_nametoindex(interface_name);
    if (index == 0)
        return fail_no_interface(interface_name);
    struct live_capture *opened = ptpmon_capture_new(&live_operations, sizeof *opened, interface_name);
    if (opened == NULL)
        return PTPMON_NO_MEMORY;
    opened->index = index;
    ptpmon_status status = start(opened);
    if (status != PTPMON_OK) {
        ptpmon_capture_close(&opened->base);
        return status;
    }
    describe(opened);
    *capture = &opened->base;
    return PTPMON_OK;
}
