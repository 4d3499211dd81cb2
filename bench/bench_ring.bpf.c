/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* For bench_ring: a run puts BENCH_RECORDS records into a BPF ring buffer, written in place. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <avb/avb_ptp_events.h>

#define BENCH_RECORDS 64

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} ring SEC(".maps");

static __always_inline void fill(PTP_TIMESTAMP_EVENT *event, UINT64 number)
{
    UINT64 *words = (UINT64 *)event;
    for (int i = 0; i < 8; i++)
        words[i] = number + (UINT64)i;
}

SEC("tc")
int push(struct __sk_buff *skb)
{
    for (int i = 0; i < BENCH_RECORDS; i++) {
        PTP_TIMESTAMP_EVENT *event = bpf_ringbuf_reserve(&ring, sizeof *event, 0);
        if (!event)
            return 1; /* full: the measurement is void */
        fill(event, (UINT64)i);
        bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
    }
    return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
