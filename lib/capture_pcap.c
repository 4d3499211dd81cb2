/* SPDX-License-Identifier: MIT */
/* Classic pcap files, through libpcap. They know nothing of directions, interfaces and losses. */
#include "capture.h"

#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)

struct pcap_capture {
    ptpmon_capture base;
    pcap_t *handle;
    uint32_t resolution_ns;
    long begin; /* where the first frame's header lies; -1: the file cannot be read twice */
    struct ptpmon_capture_span span;
};

static struct pcap_capture *pcap_capture(const ptpmon_capture *base)
{
    return (struct pcap_capture *)base;
}

/* What a frame's header says wrongly; NULL = nothing. */
static const char *find_damage(const struct pcap_pkthdr *header)
{
    if (header->ts.tv_sec < 0 || header->ts.tv_sec >= INT64_MAX / NS_PER_SECOND)
        return "its time is out of range";
    if (header->ts.tv_usec < 0 || header->ts.tv_usec >= NS_PER_SECOND)
        return "the fraction of its time is a second or more";
    if (header->caplen > header->len)
        return "it holds more bytes than the frame had";
    return NULL;
}

static ptpmon_status fail_damaged(const struct pcap_capture *capture, const char *damage)
{
    return ptpmon_fail(PTPMON_BAD_FILE, "%s: frame %" PRIu64 " cannot be read: %s; use the file up to there only",
                       capture->base.name, capture->base.frames + 1, damage);
}

static ptpmon_status fail_to_read(struct pcap_capture *capture)
{
    FILE *file = pcap_file(capture->handle);
    if (ferror(file))
        return ptpmon_fail_errno(capture->base.name, "read the file", errno);
    if (!feof(file))
        return fail_damaged(capture, pcap_geterr(capture->handle));
    capture->base.cut = true;
    return PTPMON_END;
}

static ptpmon_status next_pcap(ptpmon_capture *base, ptpmon_frame *frame)
{
    struct pcap_capture *capture = pcap_capture(base);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int result = pcap_next_ex(capture->handle, &header, &bytes);
    if (result == PCAP_ERROR_BREAK)
        return PTPMON_END;
    if (result != 1)
        return fail_to_read(capture);
    const char *damage = find_damage(header);
    if (damage != NULL)
        return fail_damaged(capture, damage);
    *frame = (ptpmon_frame){
        /* The nanosecond precision asked for puts ns into tv_usec. */
        .time_ns = (int64_t)header->ts.tv_sec * NS_PER_SECOND + header->ts.tv_usec,
        .bytes = bytes,
        .captured_length = header->caplen,
        .length = header->len,
        .resolution_ns = capture->resolution_ns,
        .direction = AVB_DIRECTION_UNKNOWN,
        .number = base->frames + 1,
    };
    ptpmon_capture_span_add(&capture->span, frame->time_ns);
    return PTPMON_OK;
}

static ptpmon_status statistics_pcap(ptpmon_capture *base, ptpmon_capture_statistics *statistics)
{
    const struct pcap_capture *capture = pcap_capture(base);
    statistics->started_at = capture->span.first;
    if (base->ended == PTPMON_END)
        statistics->stopped_at = capture->span.last;
    return PTPMON_OK;
}

static ptpmon_status rewind_pcap(ptpmon_capture *base)
{
    struct pcap_capture *capture = pcap_capture(base);
    FILE *file = pcap_file(capture->handle);
    if (capture->begin < 0)
        return ptpmon_fail(PTPMON_IO, "%s: cannot be read twice; copy it to a regular file", base->name);
    if (fseek(file, capture->begin, SEEK_SET) != 0)
        return ptpmon_fail_errno(base->name, "go back in the file", errno);
    capture->span = (struct ptpmon_capture_span){0};
    return PTPMON_OK;
}

static void close_pcap(ptpmon_capture *base)
{
    if (pcap_capture(base)->handle != NULL)
        pcap_close(pcap_capture(base)->handle);
}

static const struct ptpmon_capture_operations pcap_operations = {
    .kind = PTPMON_CAPTURE_FILE,
    .next = next_pcap,
    .statistics = statistics_pcap,
    .close = close_pcap,
    .rewind = rewind_pcap,
};

/* libpcap does not tell. Files of old modified formats are in us too. */
static uint32_t resolution_of(const uint8_t magic[4])
{
    static const uint8_t nanoseconds[2][4] = {{0xA1, 0xB2, 0x3C, 0x4D}, {0x4D, 0x3C, 0xB2, 0xA1}};
    bool is_ns = memcmp(magic, nanoseconds[0], 4) == 0 || memcmp(magic, nanoseconds[1], 4) == 0;
    return is_ns ? 1 : 1000;
}

static ptpmon_status open_pcap(struct pcap_capture *capture, FILE *file)
{
    char problem[PCAP_ERRBUF_SIZE];
    const char *path = capture->base.name;
    capture->handle = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, problem);
    if (capture->handle == NULL) {
        ptpmon_status status = ferror(file) ? PTPMON_IO : PTPMON_BAD_FILE;
        fclose(file);
        return ptpmon_fail(status, "%s: not a pcap or pcapng file that can be read: %s", path, problem);
    }
    capture->begin = ftell(file);
    int linktype = pcap_datalink(capture->handle);
    return linktype == DLT_EN10MB ? PTPMON_OK : ptpmon_capture_fail_linktype(path, (unsigned)linktype);
}

ptpmon_status ptpmon_capture_open_pcap(const char *path, FILE *file, const uint8_t magic[4], ptpmon_capture **capture)
{
    struct pcap_capture *opened = ptpmon_capture_new(&pcap_operations, sizeof *opened, path);
    if (opened == NULL) {
        fclose(file);
        return PTPMON_NO_MEMORY;
    }
    opened->resolution_ns = resolution_of(magic);
    ptpmon_status status = open_pcap(opened, file);
    if (status != PTPMON_OK) {
        ptpmon_capture_close(&opened->base);
        return status;
    }
    *capture = &opened->base;
    return PTPMON_OK;
}
