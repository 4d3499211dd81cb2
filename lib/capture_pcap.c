/* SPDX-License-Identifier: MIT */
/*
 * Classic pcap files. They know nothing of directions, interfaces and losses. Our own reader, since libpcap is not
 * there on every system; it takes what libpcap takes, and in every file seconds up to 2106.
 */
#include "capture.h"

#include "capture_window.h"
#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)

#define HEADER_BYTES       24u
#define FRAME_HEADER_BYTES 16u
/* So much more tells a kind of file of some old systems of each frame. */
#define MODIFIED_BYTES 8u

/* No frame of Ethernet is longer, whatever it went through. */
#define CAPTURED_BYTES_MAX 262144u
/* In the modified files the header of Ethernet is not counted. */
#define ETHERNET_HEADER_BYTES 14u

/* Reserved bits of the word that holds the linktype. */
#define LINKTYPE_RESERVED 0x03FF0000u
#define LINKTYPE_MASK     0xFFFFu

enum length_order {
    CAPTURED_FIRST,
    SMALLER_FIRST, /* written either way */
    CAPTURED_LAST,
};

struct pcap_capture {
    ptpmon_capture base;
    FILE *file;
    struct ptpmon_window window;
    bool swapped; /* the file's byte order is not the host's */
    enum length_order length_order;
    uint32_t resolution_ns;
    uint32_t frame_header_bytes;
    uint32_t snapshot; /* bytes of a frame that count */
    struct ptpmon_capture_span span;
};

static struct pcap_capture *pcap_capture(const ptpmon_capture *base)
{
    return (struct pcap_capture *)base;
}

static uint32_t get32(const struct pcap_capture *capture, const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return capture->swapped ? __builtin_bswap32(value) : value;
}

static uint16_t get16(const struct pcap_capture *capture, const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return capture->swapped ? __builtin_bswap16(value) : value;
}

/* ---- The file's header --------------------------------------------------------------------- */

static ptpmon_status PTPMON_PRINTF(2, 3) fail_header(const struct pcap_capture *capture, const char *format, ...)
{
    char what[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return ptpmon_fail(PTPMON_BAD_FILE, "%s: not a pcap or pcapng file that can be read: %s", capture->base.name, what);
}

/* OK, or END where the file ends before. */
static ptpmon_status need(struct pcap_capture *capture, size_t length)
{
    switch (ptpmon_window_need(&capture->window, length)) {
    case PTPMON_WINDOW_OK:
        return PTPMON_OK;
    case PTPMON_WINDOW_SHORT:
        return PTPMON_END;
    default:
        return ptpmon_fail_errno(capture->base.name, "read the file", errno);
    }
}

static ptpmon_status read_magic(struct pcap_capture *capture, const uint8_t *bytes)
{
    static const struct {
        uint32_t magic, resolution_ns, more_bytes;
    } kinds[] = {
        {0xA1B2C3D4, 1000, 0},
        {0xA1B23C4D, 1, 0},
        {0xA1B2CD34, 1000, MODIFIED_BYTES},
    };
    uint32_t magic;
    memcpy(&magic, bytes, sizeof magic);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        capture->swapped = magic == __builtin_bswap32(kinds[i].magic);
        capture->resolution_ns = kinds[i].resolution_ns;
        capture->frame_header_bytes = FRAME_HEADER_BYTES + kinds[i].more_bytes;
        if (capture->swapped || magic == kinds[i].magic)
            return PTPMON_OK;
    }
    return fail_header(capture, "unknown file format");
}

/* Before version 2.3 the two lengths of a frame stood the other way round, and in 2.3 either way. */
static ptpmon_status read_version(struct pcap_capture *capture, const uint8_t *bytes)
{
    unsigned major = get16(capture, bytes + 4), minor = get16(capture, bytes + 6);
    bool modified = major == 543 && minor == 0; /* of one system's tcpdump */
    if (!modified && (major != 2 || minor > 4))
        return fail_header(capture, "unsupported pcap version %u.%u", major, minor);
    capture->length_order = CAPTURED_FIRST;
    if (modified || minor < 3)
        capture->length_order = CAPTURED_LAST;
    else if (minor == 3)
        capture->length_order = SMALLER_FIRST;
    return PTPMON_OK;
}

static ptpmon_status read_linktype(const struct pcap_capture *capture, const uint8_t *bytes)
{
    uint32_t word = get32(capture, bytes + 20);
    if ((word & LINKTYPE_RESERVED) != 0)
        return fail_header(capture, "reserved bits of its linktype are set (0x%08" PRIx32 ")", word);
    unsigned linktype = word & LINKTYPE_MASK;
    return linktype == PTPMON_LINKTYPE_ETHERNET ? PTPMON_OK
                                                : ptpmon_capture_fail_linktype(capture->base.name, linktype);
}

static void read_snapshot(struct pcap_capture *capture, const uint8_t *bytes)
{
    uint32_t snapshot = get32(capture, bytes + 16);
    if (snapshot == 0 || snapshot > INT32_MAX)
        snapshot = CAPTURED_BYTES_MAX;
    if (capture->frame_header_bytes != FRAME_HEADER_BYTES)
        snapshot += ETHERNET_HEADER_BYTES;
    capture->snapshot = snapshot;
}

static ptpmon_status read_header(struct pcap_capture *capture)
{
    ptpmon_status status = need(capture, HEADER_BYTES);
    const uint8_t *bytes = ptpmon_window_bytes(&capture->window);
    if (status == PTPMON_END) {
        status = read_magic(capture, bytes);
        return status != PTPMON_OK ? status : fail_header(capture, "it ends within its header");
    }
    if (status == PTPMON_OK)
        status = read_magic(capture, bytes);
    if (status == PTPMON_OK)
        status = read_version(capture, bytes);
    if (status == PTPMON_OK)
        status = read_linktype(capture, bytes);
    if (status != PTPMON_OK)
        return status;
    read_snapshot(capture, bytes);
    ptpmon_window_consume(&capture->window, HEADER_BYTES);
    return PTPMON_OK;
}

/* ---- Frames -------------------------------------------------------------------------------- */

/* A frame's header, as it stands there. */
struct frame_header {
    uint32_t seconds, fraction;
    uint32_t captured, length;
};

static void read_frame_header(const struct pcap_capture *capture, const uint8_t *bytes, struct frame_header *header)
{
    uint32_t first = get32(capture, bytes + 8), second = get32(capture, bytes + 12);
    bool turned = capture->length_order == CAPTURED_LAST || (capture->length_order == SMALLER_FIRST && first > second);
    *header = (struct frame_header){
        .seconds = get32(capture, bytes),
        .fraction = get32(capture, bytes + 4),
        .captured = turned ? second : first,
        .length = turned ? first : second,
    };
}

/* What a frame's header says wrongly; NULL = nothing. */
static const char *find_damage(const struct frame_header *header, uint32_t resolution_ns)
{
    if (header->fraction >= NS_PER_SECOND / resolution_ns)
        return "the fraction of its time is a second or more";
    if (header->captured > header->length)
        return "it holds more bytes than the frame had";
    return NULL;
}

static ptpmon_status fail_damaged(const struct pcap_capture *capture, const char *damage)
{
    return ptpmon_fail(PTPMON_BAD_FILE, "%s: frame %" PRIu64 " cannot be read: %s; use the file up to there only",
                       capture->base.name, capture->base.frames + 1, damage);
}

/* The next frame, whole and at the window's begin, behind its header. */
static ptpmon_status need_frame(struct pcap_capture *capture, struct frame_header *header)
{
    const size_t before = capture->frame_header_bytes;
    ptpmon_status status = need(capture, before);
    if (status == PTPMON_OK) {
        read_frame_header(capture, ptpmon_window_bytes(&capture->window), header);
        if (header->captured > CAPTURED_BYTES_MAX)
            return fail_damaged(capture, "its length is impossible");
        status = need(capture, before + header->captured);
    }
    if (status == PTPMON_END)
        capture->base.cut = capture->window.end > capture->window.begin;
    return status;
}

static ptpmon_status next_pcap(ptpmon_capture *base, ptpmon_frame *frame)
{
    struct pcap_capture *capture = pcap_capture(base);
    struct frame_header header = {0};
    ptpmon_status status = need_frame(capture, &header);
    if (status != PTPMON_OK)
        return status;
    uint32_t stored = header.captured;
    if (header.captured > capture->snapshot)
        header.captured = capture->snapshot;
    const char *damage = find_damage(&header, capture->resolution_ns);
    if (damage != NULL)
        return fail_damaged(capture, damage);
    *frame = (ptpmon_frame){
        .time_ns = header.seconds * NS_PER_SECOND + (int64_t)header.fraction * capture->resolution_ns,
        .bytes = ptpmon_window_bytes(&capture->window) + capture->frame_header_bytes,
        .captured_length = header.captured,
        .length = header.length,
        .resolution_ns = capture->resolution_ns,
        .direction = AVB_DIRECTION_UNKNOWN,
        .number = base->frames + 1,
    };
    ptpmon_window_consume(&capture->window, (size_t)capture->frame_header_bytes + stored);
    ptpmon_capture_span_add(&capture->span, frame->time_ns);
    return PTPMON_OK;
}

/* ---- The other operations ------------------------------------------------------------------ */

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
    if (fseek(capture->file, 0, SEEK_SET) != 0)
        return errno == ESPIPE
                   ? ptpmon_fail(PTPMON_IO, "%s: cannot be read twice; copy it to a regular file", base->name)
                   : ptpmon_fail_errno(base->name, "go back in the file", errno);
    ptpmon_window_restart(&capture->window);
    capture->span = (struct ptpmon_capture_span){0};
    return read_header(capture);
}

static void close_pcap(ptpmon_capture *base)
{
    struct pcap_capture *capture = pcap_capture(base);
    ptpmon_window_free(&capture->window);
    fclose(capture->file);
}

static const struct ptpmon_capture_operations pcap_operations = {
    .kind = PTPMON_CAPTURE_FILE,
    .next = next_pcap,
    .statistics = statistics_pcap,
    .close = close_pcap,
    .rewind = rewind_pcap,
};

ptpmon_status ptpmon_capture_open_pcap(const char *path, FILE *file, ptpmon_capture **capture)
{
    struct pcap_capture *opened = ptpmon_capture_new(&pcap_operations, sizeof *opened, path);
    if (opened == NULL) {
        fclose(file);
        return PTPMON_NO_MEMORY;
    }
    opened->file = opened->window.file = file;
    ptpmon_status status = read_header(opened);
    if (status != PTPMON_OK) {
        ptpmon_capture_close(&opened->base);
        return status;
    }
    *capture = &opened->base;
    return PTPMON_OK;
}
