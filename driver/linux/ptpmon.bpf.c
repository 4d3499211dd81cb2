/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The Linux driver side: sees every frame of one interface and emits a record for each PTP frame.
 *
 *   received   tc ingress                        frame, RX hardware and software stamp
 *   sent       net_dev_start_xmit (tracing)      frame, queue, whether a TX stamp was requested; this is
 *                                                where packet sockets tap, so it sees what a capture sees
 *              tc egress (without tracing)       frame only
 *   TX stamp   skb_tstamp_tx, skb_complete_tx_timestamp: hardware stamps as the NIC's driver gives them
 *              sock_queue_err_skb: software stamps on their way to the sender
 *              kfree_skb, consume_skb: both kinds, when the sender has read them, where the kernel
 *              refuses fentry
 *
 * The library loads the programs that the kernel allows and attaches one way per line.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <avb/avb_ptp_linux.h>
#include <frame_read.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct avb_linux_settings settings;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20); /* the library sets the size */
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct avb_linux_counters);
} counters SEC(".maps");

/* The parts of the kernel's structures that are used here; the loader relocates them. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
    unsigned int inum;
};
struct net {
    struct ns_common ns;
};
typedef struct {
    struct net *net;
} possible_net_t;
struct net_device {
    int ifindex;
    possible_net_t nd_net;
};
struct sock_common {
    possible_net_t skc_net;
};
struct sock {
    struct sock_common __sk_common;
};
struct skb_shared_hwtstamps {
    __s64 hwtstamp;
};
struct skb_shared_info {
    __u8 tx_flags;
    struct skb_shared_hwtstamps hwtstamps;
};
struct inet_skb_parm {
    int iif;
};
struct sock_exterr_skb {
    union {
        struct inet_skb_parm h4;
    } header;
    struct sock_extended_err {
        __u32 ee_errno;
        __u8 ee_origin;
        __u8 ee_type;
        __u8 ee_code;
        __u8 ee_pad;
        __u32 ee_info;
    } ee;
};
struct sk_buff {
    struct net_device *dev;
    struct sock *sk;
    __s64 tstamp;
    char cb[48];
    unsigned int len, data_len;
    __u16 queue_mapping, vlan_tci, mac_header;
    __u32 vlan_all;
    unsigned char *head, *data;
    unsigned int end;
};
struct sk_buff___before_6_2 {
    __u8 vlan_present : 1;
};
#pragma clang attribute pop

/* tx_flags of skb_shared_info */
#define SKBTX_HW_TSTAMP   0x1
#define SKBTX_SW_TSTAMP   0x2
#define SKBTX_IN_PROGRESS 0x4

#define TC_NEXT (-1) /* TCX_NEXT and TC_ACT_UNSPEC: other programs run, nothing about the frame changes */

/* Counters are per CPU, but a softirq may interrupt a program in process context. */
#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline struct avb_linux_counters *counters_here(void)
{
    __u32 zero = 0;
    return bpf_map_lookup_elem(&counters, &zero);
}

/* Puts the record into the ring. The reader is woken when the fill level crosses the watermark,
 * never for every event; its own timer fetches the rest. */
static __always_inline int emit(const PTP_TIMESTAMP_EVENT *event)
{
    PTP_TIMESTAMP_EVENT *record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
    if (!record)
        return -1;
    *record = *event;
    __u64 filled = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
    bool crossed = filled >= settings.watermark && filled - sizeof *record - BPF_RINGBUF_HDR_SZ < settings.watermark;
    bpf_ringbuf_submit(record, crossed ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
    return 0;
}

static __always_inline void emit_frame(struct avb_linux_counters *count, const PTP_TIMESTAMP_EVENT *event)
{
    COUNT(count->frames_seen);
    if (emit(event) == 0)
        COUNT(count->frames_emitted);
    else
        COUNT(count->frames_dropped);
}

static __always_inline void count_passed_over(struct avb_linux_counters *count, enum avb_frame_kind kind)
{
    switch (kind) {
    case AVB_FRAME_PTP_V1:
        COUNT(count->ptp_v1);
        break;
    case AVB_FRAME_OTHER_VERSION:
        COUNT(count->other_version);
        break;
    case AVB_FRAME_TRUNCATED:
        COUNT(count->truncated);
        break;
    case AVB_FRAME_BAD_LENGTH:
        COUNT(count->bad_length);
        break;
    default:
        break;
    }
}

/* ---- tc: received frames; sent frames where tracing is not allowed ---- */

static __always_inline long load_from_tc(const void *skb, UINT32 offset, void *to, UINT32 length)
{
    return bpf_skb_load_bytes(skb, offset, to, length);
}

/* Returns the counters where the frame is a PTP message that is to be emitted, else NULL. */
static __always_inline struct avb_linux_counters *read_from_tc(struct __sk_buff *skb, PTP_TIMESTAMP_EVENT *event)
{
    const UINT8 *data = (const void *)(long)skb->data;
    if (data + AVB_FIRST_LOOK <= (const UINT8 *)(long)skb->data_end && avb_is_surely_foreign(data))
        return NULL;
    __builtin_memset(event, 0, sizeof *event);
    UINT32 tag = skb->vlan_present ? AVB_TAG(skb->vlan_tci) : 0;
    enum avb_frame_kind kind = avb_frame_read(skb, load_from_tc, skb->len, tag, event);
    if (kind == AVB_FRAME_FOREIGN)
        return NULL;
    struct avb_linux_counters *count = counters_here();
    if (!count || kind == AVB_FRAME_PTP)
        return count;
    count_passed_over(count, kind);
    return NULL;
}

SEC("tc")
int rx_frame(struct __sk_buff *skb)
{
    PTP_TIMESTAMP_EVENT event;
    struct avb_linux_counters *count = read_from_tc(skb, &event);
    if (!count)
        return TC_NEXT;

    event.system_timestamp = bpf_ktime_get_ns();
    event.direction = AVB_DIRECTION_RX;
    event.software_timestamp = skb->tstamp;
    event.queueId = AVB_QUEUE_UNKNOWN;
    if (settings.rx_queue && skb->queue_mapping > 0 && skb->queue_mapping <= AVB_QUEUE_UNKNOWN)
        event.queueId = (UINT8)(skb->queue_mapping - 1); /* the recorded queue is kept plus one */

    __s64 hardware = (__s64)skb->hwtstamp;
    if (hardware < 0) {
        /* Some drivers (igc, tsnep) keep a pointer here and leave the stamp for later. */
        COUNT(count->hw_stamp_not_a_time);
    } else if (hardware > 0 && !settings.rx_hardware) {
        COUNT(count->hw_stamp_of_other_device);
    } else if (hardware > 0) {
        event.hw_timestamp_ns = (UINT64)hardware;
        event.stamp |= AVB_STAMP_METADATA;
    }
    emit_frame(count, &event);
    return TC_NEXT;
}

SEC("tc")
int tx_frame_tc(struct __sk_buff *skb)
{
    PTP_TIMESTAMP_EVENT event;
    struct avb_linux_counters *count = read_from_tc(skb, &event);
    if (!count)
        return TC_NEXT;

    event.system_timestamp = bpf_ktime_get_ns();
    event.direction = AVB_DIRECTION_TX;
    event.queueId = AVB_QUEUE_UNKNOWN; /* chosen after this hook */
    emit_frame(count, &event);
    return TC_NEXT;
}

/* ---- tracing: sent frames and their stamps ---- */

/* The linear part of a kernel buffer, from the Ethernet header on. */
struct linear {
    const unsigned char *bytes;
    UINT32 length;
    UINT32 frame_length;
    bool beyond; /* something was asked for that the frame has, but not here */
};

static __always_inline long load_linear(const void *frame, UINT32 offset, void *to, UINT32 length)
{
    struct linear *linear = (struct linear *)frame;
    if (offset + length > linear->length) {
        if (offset + length <= linear->frame_length)
            linear->beyond = true;
        return -1;
    }
    return bpf_probe_read_kernel(to, length, linear->bytes + offset);
}

static __always_inline UINT32 out_of_band_tag(const struct sk_buff *skb)
{
    bool present;
    if (bpf_core_field_exists(skb->vlan_all)) {
        present = skb->vlan_all != 0;
    } else {
        const struct sk_buff___before_6_2 *old = (const void *)skb;
        present = BPF_CORE_READ_BITFIELD_PROBED(old, vlan_present);
    }
    return present ? AVB_TAG(skb->vlan_tci) : 0;
}

/* Reads the frame of a kernel buffer; `linear` tells afterwards what could not be reached. */
static __always_inline enum avb_frame_kind read_from_skb(const struct sk_buff *skb, struct linear *linear,
                                                         PTP_TIMESTAMP_EVENT *event)
{
    /* By helper: of what it loads itself the verifier follows the bounds, and with them fifty times
     * as many states. */
    const unsigned char *data = BPF_CORE_READ(skb, data);
    const unsigned char *ethernet = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, mac_header);
    UINT32 before_data = (UINT32)(data - ethernet);
    UINT32 length = BPF_CORE_READ(skb, len);
    linear->bytes = ethernet;
    linear->frame_length = length + before_data;
    linear->length = length - BPF_CORE_READ(skb, data_len) + before_data;
    linear->beyond = false;
    return avb_frame_read(linear, load_linear, linear->frame_length, out_of_band_tag(skb), event);
}

static __always_inline struct skb_shared_info *shared_info(const struct sk_buff *skb)
{
    return (void *)(skb->head + skb->end);
}

static __always_inline UINT8 queue_of(const struct sk_buff *skb)
{
    UINT16 queue = skb->queue_mapping;
    return queue < AVB_QUEUE_UNKNOWN ? (UINT8)queue : AVB_QUEUE_UNKNOWN;
}

static __always_inline bool is_our_device(const struct net_device *dev)
{
    return dev && dev->ifindex == (int)settings.ifindex && dev->nd_net.net->ns.inum == settings.netns_inum;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(tx_frame_traced, const struct sk_buff *skb, const struct net_device *dev)
{
    if (!is_our_device(dev))
        return 0;
    UINT8 first[AVB_FIRST_LOOK];
    if (skb->len - skb->data_len >= sizeof first && bpf_probe_read_kernel(first, sizeof first, skb->data) == 0 &&
        avb_is_surely_foreign(first))
        return 0;
    PTP_TIMESTAMP_EVENT event = {};
    struct linear linear;
    enum avb_frame_kind kind = read_from_skb(skb, &linear, &event);
    if (kind == AVB_FRAME_FOREIGN && !linear.beyond)
        return 0;
    struct avb_linux_counters *count = counters_here();
    if (!count)
        return 0;
    if (kind != AVB_FRAME_PTP) {
        if (linear.beyond)
            COUNT(count->tx_unreadable);
        else
            count_passed_over(count, kind);
        return 0;
    }
    event.system_timestamp = bpf_ktime_get_ns();
    event.direction = AVB_DIRECTION_TX;
    event.queueId = queue_of(skb);
    UINT8 requested = BPF_CORE_READ(shared_info(skb), tx_flags) & (SKBTX_HW_TSTAMP | SKBTX_SW_TSTAMP);
    if (requested && settings.stamps_seen)
        event.stamp |= AVB_STAMP_EXPECTED;
    emit_frame(count, &event);
    return 0;
}

/* Emits the LATE_STAMP record of the frame in `skb`. hardware, software: ns, 0 = not this kind. */
static __always_inline void emit_stamp(const struct sk_buff *skb, __s64 hardware, __s64 software)
{
    /* Asked before the frame is read: of what is asked behind the parser the verifier follows every
     * way through it. */
    struct avb_linux_counters *count = counters_here();
    if (!count || (hardware <= 0 && software <= 0))
        return;
    PTP_TIMESTAMP_EVENT event = {};
    struct linear linear;
    enum avb_frame_kind kind = read_from_skb(skb, &linear, &event);
    if (kind != AVB_FRAME_PTP)
        return;
    event.system_timestamp = bpf_ktime_get_ns();
    event.direction = AVB_DIRECTION_TX;
    event.queueId = queue_of(skb);
    event.stamp |= AVB_STAMP_LATE;
    if (hardware > 0) {
        event.hw_timestamp_ns = (UINT64)hardware;
        event.stamp |= AVB_STAMP_METADATA;
    } else {
        event.software_timestamp = (UINT64)software;
        /* The software stamp of a frame whose hardware stamp is under way. */
        if (BPF_CORE_READ(shared_info(skb), tx_flags) & SKBTX_IN_PROGRESS)
            event.stamp |= AVB_STAMP_EXPECTED;
    }
    COUNT(count->stamps_seen);
    if (emit(&event) == 0)
        COUNT(count->stamps_emitted);
    else
        COUNT(count->stamps_dropped);
}

/* A hardware stamp arrives from the NIC's driver, with the frame that it belongs to. */
static __always_inline int hardware_stamp(struct sk_buff *skb, struct skb_shared_hwtstamps *hwtstamps)
{
    if (hwtstamps && is_our_device(skb->dev))
        emit_stamp(skb, hwtstamps->hwtstamp, 0);
    return 0;
}

SEC("fentry/skb_tstamp_tx")
int BPF_PROG(hw_stamp_nic, struct sk_buff *skb, struct skb_shared_hwtstamps *hwtstamps)
{
    return hardware_stamp(skb, hwtstamps);
}

SEC("fentry/skb_complete_tx_timestamp")
int BPF_PROG(hw_stamp_phy, struct sk_buff *skb, struct skb_shared_hwtstamps *hwtstamps)
{
    return hardware_stamp(skb, hwtstamps);
}

/* Whether `skb` is a copy of a sent frame that carries its stamp to the sender's error queue. */
static __always_inline bool is_stamped_copy(const struct sk_buff *skb, const struct sock *sk)
{
    struct sock_exterr_skb *error = (struct sock_exterr_skb *)&skb->cb;
    return sk && BPF_CORE_READ(error, ee.ee_errno) == 42 /* ENOMSG */ &&
           BPF_CORE_READ(error, ee.ee_origin) == 4 /* SO_EE_ORIGIN_TIMESTAMPING */ &&
           BPF_CORE_READ(error, ee.ee_info) == 0 /* SCM_TSTAMP_SND: when it was sent, not queued or acknowledged */ &&
           BPF_CORE_READ(error, header.h4.iif) == (int)settings.ifindex &&
           sk->__sk_common.skc_net.net->ns.inum == settings.netns_inum;
}

SEC("fentry/sock_queue_err_skb")
int BPF_PROG(sw_stamp_queued, struct sock *sk, struct sk_buff *skb)
{
    if (is_stamped_copy(skb, sk) && BPF_CORE_READ(shared_info(skb), hwtstamps.hwtstamp) == 0)
        emit_stamp(skb, 0, skb->tstamp);
    return 0;
}

static __always_inline int stamp_was_read(struct sk_buff *skb)
{
    if (is_stamped_copy(skb, skb->sk))
        emit_stamp(skb, BPF_CORE_READ(shared_info(skb), hwtstamps.hwtstamp), skb->tstamp);
    return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(stamp_freed, struct sk_buff *skb) /* packet sockets */
{
    return stamp_was_read(skb);
}

SEC("tp_btf/consume_skb")
int BPF_PROG(stamp_consumed, struct sk_buff *skb) /* UDP sockets */
{
    return stamp_was_read(skb);
}
