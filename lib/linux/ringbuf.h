/* SPDX-License-Identifier: MIT */
/*
 * The user side of a BPF ring buffer (BPF_MAP_TYPE_RINGBUF) whose records are all 64 bytes, read in
 * place. The kernel maps data and producer position read-only; only the consumer position is ours.
 * libbpf's own reader frees each record as soon as a callback returns, so it cannot lend a batch.
 */
#ifndef PTPMON_LIB_LINUX_RINGBUF_H
#define PTPMON_LIB_LINUX_RINGBUF_H

#include <ptpmon.h>

/* The kernel puts 8 bytes before each record. */
#define PTPMON_RINGBUF_STRIDE (8 + sizeof(PTP_TIMESTAMP_EVENT))

struct ptpmon_ringbuf {
    int epoll_fd;
    size_t page, size;             /* bytes */
    unsigned long *consumer;       /* position, one writable page */
    const unsigned char *producer; /* page with the position, then the data, mapped twice in a row */
};

/* map_fd stays the caller's. Returns 0 or -errno. */
int ptpmon_ringbuf_open(struct ptpmon_ringbuf *ring, int map_fd, size_t size);
void ptpmon_ringbuf_close(struct ptpmon_ringbuf *ring);

void ptpmon_ringbuf_peek(const struct ptpmon_ringbuf *ring, ptpmon_batch *batch);
void ptpmon_ringbuf_release(struct ptpmon_ringbuf *ring, size_t count);

/* Sleeps until the producer's watermark wakes the reader, at most timeout_ms. Returns 0, or -EINTR. */
int ptpmon_ringbuf_sleep(const struct ptpmon_ringbuf *ring, int timeout_ms);

#endif
