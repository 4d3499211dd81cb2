/* SPDX-License-Identifier: MIT */
/* The Linux source: loads the eBPF program, attaches it, reads its ring. */
#include "source.h"

#include "error.h"
#include "linux/clocks.h"
#include "linux/clsact.h"
#include "linux/device_ioctl.h"
#include "linux/ringbuf.h"
#include "linux/stamping.h"

#include <avb/avb_ptp_linux.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/membarrier.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <ptpmon.skel.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_RING_BYTES (1u << 20)
#define READER_TIMER_MS    25

/* Attach types of kernel 6.6, which older headers lack. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

/* What a kernel may allow of tracing, best first. */
enum tracing { TRACING_FENTRY, TRACING_TRACEPOINTS, TRACING_NONE, TRACING_LEVELS };

static const char *const tx_stamps_of[] = {"fentry/skb_tstamp_tx", "kfree_skb/consume_skb", "none"};

#define MAX_LINKS 6

struct linux_source {
    struct ptpmon_source base;
    char name[IF_NAMESIZE];
    uint32_t ifindex;
    uint32_t netns_inum;
    uint32_t flags;
    int socket; /* an idle socket: keeps RX software stamping on, and answers for the interface's namespace */
    bool rx_software;
    int phc_fd;
    enum tracing tracing;
    struct ptpmon_bpf *program;
    struct ptpmon_ringbuf ring;
    size_t ring_bytes;
    bool attached, by_clsact;
    int links[MAX_LINKS]; /* closing one detaches its program */
    int link_count;
    struct ptpmon_clsact clsact;
    struct ptpmon_stamping_saved stamping_before;
};

static struct linux_source *linux_source(const struct ptpmon_source *base)
{
    return (struct linux_source *)base;
}

/* libbpf prints what it tries in vain; here that is no news. Returns the printer to set again. */
static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static libbpf_print_fn_t silence_libbpf(void)
{
    return libbpf_set_print(print_nothing);
}

/* ---- Opening ---- */

static ptpmon_status no_such_interface(const char *name)
{
    return ptpmon_fail(PTPMON_NO_INTERFACE, "%s: no such interface; `ptpmon list` shows those there are", name);
}

static uint32_t current_netns(void)
{
    struct stat status;
    return stat("/proc/thread-self/ns/net", &status) == 0 ? (uint32_t)status.st_ino : 0;
}

static ptpmon_status find_interface(struct linux_source *source, const char *name)
{
    if (strlen(name) >= sizeof source->name)
        return no_such_interface(name);
    strcpy(source->name, name);
    source->ifindex = if_nametoindex(name);
    if (source->ifindex == 0)
        return no_such_interface(name);
    source->netns_inum = current_netns();
    return PTPMON_OK;
}

/* The kernel stamps received frames only while some socket wants it to. */
static ptpmon_status open_socket(struct linux_source *source)
{
    int on = 1;
    source->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (source->socket < 0)
        return ptpmon_fail_errno(source->name, "open a socket", errno);
    source->rx_software = setsockopt(source->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
    return PTPMON_OK;
}

static void open_phc(struct linux_source *source, const struct ptpmon_stamping *stamping)
{
    char path[32];
    if (stamping->phc_index < 0)
        return;
    snprintf(path, sizeof path, "/dev/ptp%d", stamping->phc_index);
    source->phc_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* A veth hands the sender's buffer over as it is, with its TX queue where the RX queue belongs. */
static bool records_rx_queue(const struct linux_source *source)
{
    struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
    return device_ioctl(source->name, SIOCETHTOOL, &driver) != 0 || strcmp(driver.driver, "veth") != 0;
}

static ptpmon_status open_program(struct linux_source *source, enum tracing tracing,
                                  const struct ptpmon_stamping *stamping)
{
    struct ptpmon_bpf *program = ptpmon_bpf__open();
    if (!program)
        return ptpmon_fail_errno(source->name, "open the eBPF program", errno);
    source->program = program;
    bpf_program__set_autoload(program->progs.tx_frame_tc, tracing == TRACING_NONE);
    bpf_program__set_autoload(program->progs.tx_frame_traced, tracing != TRACING_NONE);
    bpf_program__set_autoload(program->progs.hw_stamp_nic, tracing == TRACING_FENTRY);
    bpf_program__set_autoload(program->progs.hw_stamp_phy, tracing == TRACING_FENTRY);
    bpf_program__set_autoload(program->progs.sw_stamp_queued, tracing == TRACING_FENTRY);
    bpf_program__set_autoload(program->progs.stamp_freed, tracing == TRACING_TRACEPOINTS);
    bpf_program__set_autoload(program->progs.stamp_consumed, tracing == TRACING_TRACEPOINTS);
    bpf_map__set_max_entries(program->maps.ring, (uint32_t)source->ring_bytes);

    struct avb_linux_settings *settings = (void *)&program->rodata->settings;
    *settings = (struct avb_linux_settings){
        .ifindex = source->ifindex,
        .netns_inum = source->netns_inum,
        .watermark = (uint32_t)(source->ring_bytes < 65536 ? source->ring_bytes / 4 : 16384),
        .rx_hardware = (stamping->bits & PTPMON_CAN_RX_HARDWARE) != 0,
        .stamps_seen = tracing != TRACING_NONE,
        .rx_queue = records_rx_queue(source),
    };
    return PTPMON_OK;
}

static ptpmon_status load_failed(const struct linux_source *source, int error)
{
    if (error == EPERM || error == EACCES)
        return ptpmon_fail(PTPMON_NO_PERMISSION,
                           "%s: loading the eBPF program is not permitted; run as root, or with CAP_BPF, CAP_NET_ADMIN "
                           "and CAP_PERFMON",
                           source->name);
    if (error == ENOMEM)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a ring of %zu bytes; ask for a smaller one",
                           source->name, source->ring_bytes);
    return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                       "%s: this kernel does not accept the eBPF program (%s); Linux 5.16 or later with BTF "
                       "(CONFIG_DEBUG_INFO_BTF) and CONFIG_BPF_SYSCALL is needed",
                       source->name, strerror(error));
}

/* Loads the best that the kernel allows; trying is the only way to know. */
static ptpmon_status load_program(struct linux_source *source, const struct ptpmon_stamping *stamping)
{
    libbpf_print_fn_t print_before = silence_libbpf();
    int error = 0;
    ptpmon_status status = PTPMON_OK;
    enum tracing tracing = source->flags & PTPMON_NO_TRACING ? TRACING_NONE : TRACING_FENTRY;

    for (; tracing < TRACING_LEVELS; tracing++) {
        status = open_program(source, tracing, stamping);
        if (status != PTPMON_OK)
            break;
        error = -ptpmon_bpf__load(source->program);
        if (error == 0)
            break;
        ptpmon_bpf__destroy(source->program);
        source->program = NULL;
    }
    libbpf_set_print(print_before);
    if (status == PTPMON_OK && error != 0)
        status = load_failed(source, error);
    source->tracing = tracing;
    return status;
}

/* ---- Attaching ---- */

static int keep_link(struct linux_source *source, int link_fd)
{
    if (link_fd < 0)
        return link_fd;
    source->links[source->link_count++] = link_fd;
    return 0;
}

static int attach_tc(struct linux_source *source)
{
    int rx = bpf_program__fd(source->program->progs.rx_frame);
    int tx = source->tracing == TRACING_NONE ? bpf_program__fd(source->program->progs.tx_frame_tc) : -1;
    int ifindex = (int)source->ifindex;

    source->by_clsact = false;
    int error = -EINVAL;
    if (!(source->flags & PTPMON_NO_TCX)) {
        error = keep_link(source, bpf_link_create(rx, ifindex, (enum bpf_attach_type)TCX_INGRESS, NULL));
        if (error == 0 && tx >= 0)
            error = keep_link(source, bpf_link_create(tx, ifindex, (enum bpf_attach_type)TCX_EGRESS, NULL));
    }
    if (error == -EINVAL) { /* a kernel without TCX */
        libbpf_print_fn_t print_before = silence_libbpf();
        error = ptpmon_clsact_attach(&source->clsact, ifindex, rx, tx);
        libbpf_set_print(print_before);
        source->by_clsact = error == 0;
    }
    return error;
}

static int attach_tracing(struct linux_source *source)
{
    const struct bpf_program *programs[] = {
        source->program->progs.tx_frame_traced, source->program->progs.hw_stamp_nic,
        source->program->progs.hw_stamp_phy,    source->program->progs.sw_stamp_queued,
        source->program->progs.stamp_freed,     source->program->progs.stamp_consumed,
    };
    int error = 0;
    for (size_t i = 0; i < sizeof programs / sizeof *programs && error == 0; i++) {
        int fd = bpf_program__fd(programs[i]);
        if (fd >= 0)
            error = keep_link(source, bpf_raw_tracepoint_open(NULL, fd));
    }
    return error;
}

static void detach(struct linux_source *source)
{
    while (source->link_count > 0)
        close(source->links[--source->link_count]);
    if (source->by_clsact)
        ptpmon_clsact_detach(&source->clsact);
    source->by_clsact = false;
    source->attached = false;
    /* A program may still run on another processor; it has ended when RCU has gone round. */
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    if (current_netns() == source->netns_inum) /* elsewhere the name may be another's */
        ptpmon_stamping_restore(source->name, &source->stamping_before);
    source->stamping_before = (struct ptpmon_stamping_saved){0};
}

static int start_afresh(struct linux_source *source)
{
    ptpmon_batch batch;
    for (ptpmon_ringbuf_peek(&source->ring, &batch); batch.count > 0; ptpmon_ringbuf_peek(&source->ring, &batch))
        ptpmon_ringbuf_release(&source->ring, batch.count);

    uint32_t zero = 0;
    struct avb_linux_counters *none = calloc((size_t)libbpf_num_possible_cpus(), sizeof *none);
    if (!none)
        return -ENOMEM;
    int error = bpf_map_update_elem(bpf_map__fd(source->program->maps.counters), &zero, none, BPF_ANY);
    free(none);
    return error;
}

static ptpmon_status enable(struct ptpmon_source *base)
{
    struct linux_source *source = linux_source(base);
    if (current_netns() != source->netns_inum)
        return ptpmon_fail(PTPMON_INVALID,
                           "%s: the calling thread has left the network namespace in which the "
                           "monitor was opened; enable it there",
                           source->name);
    int error = start_afresh(source);
    if (error != 0)
        return ptpmon_fail_errno(source->name, "reset the counters", -error);
    if (source->flags & PTPMON_HW_STAMPS) {
        ptpmon_status status = ptpmon_stamping_enable(source->name, &source->stamping_before);
        if (status != PTPMON_OK)
            return status;
    }
    error = attach_tc(source);
    if (error == 0)
        error = attach_tracing(source);
    if (error != 0) {
        detach(source);
        return ptpmon_fail_errno(source->name, "attach the eBPF program", -error);
    }
    source->attached = true;
    return PTPMON_OK;
}

static ptpmon_status disable(struct ptpmon_source *base)
{
    struct linux_source *source = linux_source(base);
    if (source->attached)
        detach(source);
    return PTPMON_OK;
}

static void close_source(struct ptpmon_source *base)
{
    struct linux_source *source = linux_source(base);
    disable(base);
    ptpmon_ringbuf_close(&source->ring);
    ptpmon_bpf__destroy(source->program);
    if (source->phc_fd >= 0)
        close(source->phc_fd);
    if (source->socket >= 0)
        close(source->socket);
    free(source);
}

/* ---- Reading ---- */

static ptpmon_status peek(struct ptpmon_source *base, ptpmon_batch *batch)
{
    ptpmon_ringbuf_peek(&linux_source(base)->ring, batch);
    return PTPMON_OK;
}

static void release(struct ptpmon_source *base, size_t count)
{
    ptpmon_ringbuf_release(&linux_source(base)->ring, count);
}

static bool interface_is_there(const struct linux_source *source)
{
    struct ifreq request = {.ifr_ifindex = (int)source->ifindex};
    return ioctl(source->socket, SIOCGIFNAME, &request) == 0;
}

static uint64_t now(struct ptpmon_source *base)
{
    struct timespec time;
    (void)base;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Sleeps until the watermark is crossed, and looks into the ring at each tick of the timer, since
 * nobody wakes the reader for a few records. */
static ptpmon_status wait_for_records(struct ptpmon_source *base, int timeout_ms)
{
    struct linux_source *source = linux_source(base);
    int64_t deadline = (int64_t)(now(base) / 1000000) + timeout_ms;
    for (;;) {
        ptpmon_batch batch;
        ptpmon_ringbuf_peek(&source->ring, &batch);
        if (batch.count > 0)
            return PTPMON_OK;
        if (!interface_is_there(source))
            return ptpmon_fail(PTPMON_NO_INTERFACE, "%s: the interface has vanished", source->name);
        int64_t left = timeout_ms < 0 ? READER_TIMER_MS : deadline - (int64_t)(now(base) / 1000000);
        if (left <= 0)
            return PTPMON_NOTHING;
        if (ptpmon_ringbuf_sleep(&source->ring, left < READER_TIMER_MS ? (int)left : READER_TIMER_MS) == -EINTR)
            return PTPMON_NOTHING;
    }
}

static ptpmon_status statistics(struct ptpmon_source *base, ptpmon_statistics *sum)
{
    struct linux_source *source = linux_source(base);
    int processors = libbpf_num_possible_cpus();
    struct avb_linux_counters *each = calloc((size_t)processors, sizeof *each);
    uint32_t zero = 0;
    if (!each)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for the counters", source->name);
    if (bpf_map_lookup_elem(bpf_map__fd(source->program->maps.counters), &zero, each) != 0) {
        int error = errno;
        free(each);
        return ptpmon_fail_errno(source->name, "read the counters", error);
    }
    for (int i = 0; i < processors; i++) {
        sum->frames_seen += each[i].frames_seen;
        sum->frames_emitted += each[i].frames_emitted;
        sum->frames_dropped += each[i].frames_dropped;
        sum->stamps_seen += each[i].stamps_seen;
        sum->stamps_emitted += each[i].stamps_emitted;
        sum->stamps_dropped += each[i].stamps_dropped;
        sum->ptp_v1 += each[i].ptp_v1;
        sum->other_version += each[i].other_version;
        sum->truncated += each[i].truncated;
        sum->bad_length += each[i].bad_length;
        sum->tx_unreadable += each[i].tx_unreadable;
        sum->hw_stamp_not_a_time += each[i].hw_stamp_not_a_time;
        sum->hw_stamp_of_other_device += each[i].hw_stamp_of_other_device;
    }
    free(each);
    sum->buffer_size = source->ring_bytes / PTPMON_RINGBUF_STRIDE;
    return PTPMON_OK;
}

static ptpmon_status clocks(struct ptpmon_source *base, PTP_CLOCKS_RECORD *record)
{
    return ptpmon_clocks_read(linux_source(base)->phc_fd, record);
}

static void info(const struct ptpmon_source *base, ptpmon_monitor_info *about)
{
    const struct linux_source *source = linux_source(base);
    const char *tc = source->by_clsact || (source->flags & PTPMON_NO_TCX) ? "clsact" : "tcx";
    about->rx_frames = tc;
    about->tx_frames = source->tracing == TRACING_NONE ? tc : "net_dev_start_xmit";
    about->tx_stamps = tx_stamps_of[source->tracing];
    about->tx_queue_known = source->tracing != TRACING_NONE;
    about->rx_software = source->rx_software;
}

/* The first line of a file under /proc, "" where there is none. */
static void read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file || !fgets(line, (int)size, file))
        line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    if (file)
        fclose(file);
}

static void describe(struct ptpmon_source *base, PTP_RECORDING_HEADER *header)
{
    struct linux_source *source = linux_source(base);
    struct ptpmon_stamping stamping = {0, -1};
    ptpmon_stamping_read(source->name, &stamping);
    header->stamping = stamping.bits;
    header->phc_index = stamping.phc_index;
    header->hw_clock = stamping.phc_index >= 0 ? AVB_CLOCK_PHC : AVB_CLOCK_NONE;
    header->system_clock = AVB_CLOCK_MONOTONIC;
    header->system_clock_hz = 1000000000u;
    header->software_clock = AVB_CLOCK_REALTIME;
    strcpy(header->interface_name, source->name);
    gethostname(header->host, sizeof header->host - 1);
    read_line("/proc/sys/kernel/random/boot_id", header->boot_id, sizeof header->boot_id);
    struct ifreq request = {.ifr_addr.sa_family = AF_UNSPEC};
    strcpy(request.ifr_name, source->name);
    if (ioctl(source->socket, SIOCGIFHWADDR, &request) == 0)
        memcpy(header->mac, request.ifr_hwaddr.sa_data, sizeof header->mac);
}

static const struct ptpmon_source_operations operations = {
    .enable = enable,
    .disable = disable,
    .close = close_source,
    .peek = peek,
    .release = release,
    .wait = wait_for_records,
    .statistics = statistics,
    .info = info,
    .now = now,
    .clocks = clocks,
    .describe = describe,
};

static ptpmon_status check_ring_bytes(const char *name, size_t bytes)
{
    if (bytes < (size_t)sysconf(_SC_PAGESIZE) || (bytes & (bytes - 1)) != 0)
        return ptpmon_fail(PTPMON_INVALID,
                           "%s: a ring of %zu bytes is not possible; it takes a power of two, at least "
                           "%ld",
                           name, bytes, sysconf(_SC_PAGESIZE));
    return PTPMON_OK;
}

ptpmon_status ptpmon_source_open(const char *interface_name, const ptpmon_monitor_options *options,
                                 struct ptpmon_source **opened)
{
    struct linux_source *source = calloc(1, sizeof *source);
    if (!source)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a monitor", interface_name);
    source->base.operations = &operations;
    source->flags = options->flags;
    source->ring_bytes = options->ring_bytes ? options->ring_bytes : DEFAULT_RING_BYTES;
    source->socket = source->phc_fd = source->ring.epoll_fd = -1;

    struct ptpmon_stamping stamping = {0, -1};
    ptpmon_status status = check_ring_bytes(interface_name, source->ring_bytes);
    if (status == PTPMON_OK)
        status = find_interface(source, interface_name);
    if (status == PTPMON_OK)
        status = open_socket(source);
    if (status == PTPMON_OK)
        status = ptpmon_stamping_read(source->name, &stamping);
    if (status == PTPMON_OK) {
        open_phc(source, &stamping);
        status = load_program(source, &stamping);
    }
    if (status == PTPMON_OK) {
        int error = ptpmon_ringbuf_open(&source->ring, bpf_map__fd(source->program->maps.ring), source->ring_bytes);
        if (error != 0)
            status = ptpmon_fail_errno(source->name, "map the ring", -error);
    }
    if (status != PTPMON_OK) {
        close_source(&source->base);
        return status;
    }
    *opened = &source->base;
    return PTPMON_OK;
}
