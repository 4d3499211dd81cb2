/* SPDX-License-Identifier: MIT */
#include "linux/ringbuf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

int ptpmon_ringbuf_open(struct ptpmon_ringbuf *ring, int map_fd, size_t size)
{
    *ring = (struct ptpmon_ringbuf){.epoll_fd = -1, .page = (size_t)sysconf(_SC_PAGESIZE), .size = size};

    void *consumer = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (consumer == MAP_FAILED)
        return -errno;
    ring->consumer = consumer;
    void *producer = mmap(NULL, ring->page + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)ring->page);
    if (producer == MAP_FAILED)
        goto fail;
    ring->producer = producer;
    ring->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event readable = {.events = EPOLLIN};
    if (ring->epoll_fd < 0 || epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, map_fd, &readable) != 0)
        goto fail;
    return 0;

fail:;
    int error = errno;
    ptpmon_ringbuf_close(ring);
    return -error;
}

void ptpmon_ringbuf_close(struct ptpmon_ringbuf *ring)
{
    if (ring->epoll_fd >= 0)
        close(ring->epoll_fd);
    if (ring->producer)
        munmap((void *)ring->producer, ring->page + 2 * ring->size);
    if (ring->consumer)
        munmap(ring->consumer, ring->page);
    *ring = (struct ptpmon_ringbuf){.epoll_fd = -1};
}

void ptpmon_ringbuf_peek(const struct ptpmon_ringbuf *ring, ptpmon_batch *batch)
{
    /* Only this side writes the consumer position. */
    unsigned long begin = *ring->consumer;
    unsigned long produced = __atomic_load_n((const unsigned long *)(const void *)ring->producer, __ATOMIC_ACQUIRE);
    const unsigned char *data = ring->producer + ring->page;
    const unsigned char *first = data + (begin & (ring->size - 1));

    /* The data are mapped twice in a row, so a batch that wraps is contiguous. */
    size_t count = 0;
    while (begin + count * PTPMON_RINGBUF_STRIDE < produced) {
        const void *header = first + count * PTPMON_RINGBUF_STRIDE;
        if (__atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE) & BPF_RINGBUF_BUSY_BIT)
            break;
        count++;
    }
    *batch = (ptpmon_batch){first + BPF_RINGBUF_HDR_SZ, PTPMON_RINGBUF_STRIDE, count};
}

void ptpmon_ringbuf_release(struct ptpmon_ringbuf *ring, size_t count)
{
    __atomic_store_n(ring->consumer, *ring->consumer + count * PTPMON_RINGBUF_STRIDE, __ATOMIC_RELEASE);
}

int ptpmon_ringbuf_sleep(const struct ptpmon_ringbuf *ring, int timeout_ms)
{
    struct epoll_event event;
    return epoll_wait(ring->epoll_fd, &event, 1, timeout_ms) < 0 ? -errno : 0;
}
