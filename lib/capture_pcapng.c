/* SPDX-License-Identifier: MIT */
/*
 * pcapng files. Our own reader, since libpcap passes on neither directions, interfaces nor statistics,
 * and refuses files whose interfaces differ in linktype.
 *
 * Blocks that are not known are passed over. A file that ends inside a block ends with the block
 * before it; what contradicts itself is damage, and nothing after it is read.
 */
#include "capture.h"

#include "capture_window.h"
#include "error.h"
#include "pcapng.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)

#define INTERFACES_MAX 4096u
/* Per interface; beyond it, a loss and the next count as one, with what lies between them. */
#define LOSSES 16u

__extension__ typedef unsigned __int128 uint128;

/* From ticks to ns. Exactly one of multiply, divide and shift is used; multiply has the fast path. */
struct resolution {
    uint64_t multiply; /* ns per tick; 0: not used */
    uint64_t limit;    /* ticks that multiply takes at most */
    uint64_t divide;   /* ticks per ns, rounded down; 0: not used */
    unsigned shift;    /* ticks per second: 2^shift */
    uint32_t ns;       /* of a tick, rounded up */
    int64_t offset;    /* to be added, ns */
};

struct interface {
    ptpmon_capture_interface about;
    unsigned linktype;
    bool wanted; /* Ethernet, and selected if one is */
    struct resolution resolution;
    struct ptpmon_capture_span span;
    int64_t started_at; /* known before its first frame; 0 = not */
    int64_t stopped_at; /* as the last statistics have it; 0 = they do not say */
    int64_t noted_at;   /* time of the last statistics; 0 = none yet */
    uint64_t dropped;
    ptpmon_capture_loss losses[LOSSES]; /* not told yet, a ring */
    unsigned first_loss, loss_count;
};

struct pcapng_capture {
    ptpmon_capture base;
    FILE *file;
    struct ptpmon_window window;
    uint64_t packets; /* packet blocks so far, also those passed over */
    /* The section. */
    bool swapped;         /* its byte order is not the host's */
    bool own;             /* ptpmon wrote it */
    size_t section_first; /* its interface 0 is this one */
    /* All sections' interfaces. */
    struct interface **interfaces;
    size_t count;
};

static struct pcapng_capture *pcapng_capture(const ptpmon_capture *base)
{
    return (struct pcapng_capture *)base;
}

/* ---- Numbers and damage -------------------------------------------------------------------- */

static inline uint32_t word32(const uint8_t *bytes, bool swapped)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

static inline uint16_t get16(const struct pcapng_capture *capture, const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return capture->swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t get32(const struct pcapng_capture *capture, const uint8_t *bytes)
{
    return word32(bytes, capture->swapped);
}

static inline uint64_t get64(const struct pcapng_capture *capture, const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return capture->swapped ? __builtin_bswap64(value) : value;
}

/* Times are two words, the high one first, whatever the byte order. */
static inline uint64_t get_ticks(const struct pcapng_capture *capture, const uint8_t *bytes)
{
    return (uint64_t)get32(capture, bytes) << 32 | get32(capture, bytes + 4);
}

/* The block at the window's begin is damaged. */
static ptpmon_status PTPMON_PRINTF(2, 3) fail_damaged(const struct pcapng_capture *capture, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return ptpmon_fail(PTPMON_BAD_FILE,
                       "%s: frame %" PRIu64 " cannot be read: in the block at byte %" PRIu64
                       ", %s; use the file up to there only",
                       capture->base.name, capture->packets + 1, capture->window.offset, what);
}

/* ---- Times --------------------------------------------------------------------------------- */

static struct resolution resolution_of(uint8_t tsresol)
{
    unsigned exponent = tsresol & ~PCAPNG_TSRESOL_BINARY & 0xFFu;
    struct resolution resolution = {.ns = 1};
    if (tsresol & PCAPNG_TSRESOL_BINARY) {
        resolution.shift = exponent;
        if (exponent < 30) /* 2^30 is the first power above 10^9 */
            resolution.ns = (uint32_t)((NS_PER_SECOND + (INT64_C(1) << exponent) - 1) >> exponent);
    } else if (exponent <= 9) {
        resolution.multiply = 1;
        while (exponent++ < 9)
            resolution.multiply *= 10;
        resolution.ns = (uint32_t)resolution.multiply;
        resolution.limit = INT64_MAX / resolution.multiply;
    } else if (exponent <= 28) {
        resolution.divide = 1;
        while (exponent-- > 9)
            resolution.divide *= 10;
    } else { /* so many ticks per ns that 64 bits of them are none */
        resolution.shift = 127;
    }
    return resolution;
}

/* False: out of range. */
static inline bool to_ns(const struct resolution *resolution, uint64_t ticks, int64_t *ns)
{
    if (resolution->multiply != 0) {
        if (ticks > resolution->limit)
            return false;
        *ns = (int64_t)(ticks * resolution->multiply);
    } else {
        uint128 wide =
            resolution->divide != 0 ? ticks / resolution->divide : (uint128)ticks * NS_PER_SECOND >> resolution->shift;
        if (wide > INT64_MAX)
            return false;
        *ns = (int64_t)wide;
    }
    return !__builtin_add_overflow(*ns, resolution->offset, ns) && *ns >= 0;
}

/* ---- Options ------------------------------------------------------------------------------- */

struct options {
    const uint8_t *at, *end;
};

struct option {
    uint16_t code, length;
    const uint8_t *value;
};

/* OK, END, BAD_FILE. */
static inline ptpmon_status next_option(const struct pcapng_capture *capture, struct options *options,
                                        struct option *option)
{
    size_t left = (size_t)(options->end - options->at);
    if (left == 0)
        return PTPMON_END;
    if (left < PCAPNG_OPTION_OVERHEAD)
        return fail_damaged(capture, "an option is cut off");
    option->code = get16(capture, options->at);
    option->length = get16(capture, options->at + 2);
    option->value = options->at + PCAPNG_OPTION_OVERHEAD;
    if (option->code == PCAPNG_OPT_ENDOFOPT)
        return PTPMON_END;
    size_t padded = (option->length + 3u) & ~(size_t)3;
    if (padded > left - PCAPNG_OPTION_OVERHEAD)
        return fail_damaged(capture, "option %u is longer than the block", option->code);
    options->at = option->value + padded;
    return PTPMON_OK;
}

static ptpmon_status fail_option_length(const struct pcapng_capture *capture, const struct option *option)
{
    return fail_damaged(capture, "option %u has %u bytes", option->code, option->length);
}

/* Up to `size` - 1 bytes, and not beyond a 0. */
static void copy_text(char *to, size_t size, const uint8_t *text, size_t length)
{
    if (length > size - 1)
        length = size - 1;
    length = strnlen((const char *)text, length);
    memcpy(to, text, length);
    to[length] = 0;
}

/* ---- Sections and interfaces --------------------------------------------------------------- */

/* Of a section header, whose byte order is its own. */
static ptpmon_status read_byte_order(struct pcapng_capture *capture, const uint8_t *block)
{
    uint32_t order;
    memcpy(&order, block + 8, sizeof order);
    if (order != PCAPNG_BYTE_ORDER && order != __builtin_bswap32(PCAPNG_BYTE_ORDER))
        return fail_damaged(capture, "the byte order 0x%08" PRIx32 " is none", order);
    capture->swapped = order != PCAPNG_BYTE_ORDER;
    return PTPMON_OK;
}

static ptpmon_status read_section(struct pcapng_capture *capture, const uint8_t *body, struct options options)
{
    unsigned major = get16(capture, body + 4), minor = get16(capture, body + 6);
    if (major != PCAPNG_MAJOR_VERSION || (minor != PCAPNG_MINOR_VERSION && minor != PCAPNG_MINOR_VERSION_ALT))
        return fail_damaged(capture, "the pcapng version is %u.%u, not 1.0", major, minor);
    capture->section_first = capture->count;
    capture->own = false;
    struct option option = {0};
    ptpmon_status status;
    while ((status = next_option(capture, &options, &option)) == PTPMON_OK) {
        size_t length = strlen(PCAPNG_OWN_APPLICATION);
        if (option.code == PCAPNG_SHB_USERAPPL && option.length > length)
            capture->own = memcmp(option.value, PCAPNG_OWN_APPLICATION, length) == 0;
    }
    return status == PTPMON_END ? PTPMON_OK : status;
}

/* The word after `key`, up to a blank or the end of the line. */
static void copy_word(char *to, size_t size, const char *text, const char *key)
{
    const char *found = strstr(text, key);
    if (found == NULL)
        return;
    found += strlen(key);
    copy_text(to, size, (const uint8_t *)found, strcspn(found, " \n"));
}

static void read_own_comment(ptpmon_capture_interface *about, const struct option *option)
{
    char text[512];
    copy_text(text, sizeof text, option->value, option->length);
    copy_word(about->host, sizeof about->host, text, PCAPNG_OWN_HOST);
    copy_word(about->boot_id, sizeof about->boot_id, text, PCAPNG_OWN_BOOT_ID);
}

static ptpmon_status read_interface_option(const struct pcapng_capture *capture, struct interface *interface,
                                           const struct option *option, int64_t *offset)
{
    switch (option->code) {
    case PCAPNG_IF_NAME:
        copy_text(interface->about.name, sizeof interface->about.name, option->value, option->length);
        break;
    case PCAPNG_IF_MACADDR:
        if (option->length != sizeof interface->about.mac)
            return fail_option_length(capture, option);
        memcpy(interface->about.mac, option->value, sizeof interface->about.mac);
        interface->about.has_mac = true;
        break;
    case PCAPNG_IF_TSRESOL:
        if (option->length != 1)
            return fail_option_length(capture, option);
        interface->resolution = resolution_of(option->value[0]);
        break;
    case PCAPNG_IF_TSOFFSET:
        if (option->length != 8)
            return fail_option_length(capture, option);
        if (__builtin_mul_overflow((int64_t)get64(capture, option->value), NS_PER_SECOND, offset))
            return fail_damaged(capture, "the offset of the times is out of range");
        break;
    case PCAPNG_OPT_COMMENT:
        if (capture->own)
            read_own_comment(&interface->about, option);
        break;
    default:
        break;
    }
    return PTPMON_OK;
}

static void want(const struct pcapng_capture *capture, struct interface *interface, size_t index)
{
    size_t selected = capture->base.selected;
    interface->wanted =
        interface->linktype == PTPMON_LINKTYPE_ETHERNET && (selected == PTPMON_CAPTURE_ALL || selected == index);
}

static ptpmon_status add_interface(struct pcapng_capture *capture, struct interface **added)
{
    if (capture->count == INTERFACES_MAX)
        return fail_damaged(capture, "there is one more interface than the %u that a file may have", INTERFACES_MAX);
    /* Room is made at powers of two. */
    if ((capture->count & (capture->count - 1)) == 0) {
        size_t room = capture->count > 0 ? 2 * capture->count : 1;
        struct interface **interfaces = realloc(capture->interfaces, room * sizeof *interfaces);
        if (interfaces == NULL)
            return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for its interfaces", capture->base.name);
        capture->interfaces = interfaces;
    }
    struct interface *interface = calloc(1, sizeof *interface);
    if (interface == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for its interfaces", capture->base.name);
    *added = capture->interfaces[capture->count++] = interface;
    return PTPMON_OK;
}

static ptpmon_status read_interface_options(const struct pcapng_capture *capture, struct interface *interface,
                                            struct options options)
{
    struct option option = {0};
    ptpmon_status status;
    int64_t offset = 0;
    interface->resolution = resolution_of(PCAPNG_TSRESOL_DEFAULT);
    while ((status = next_option(capture, &options, &option)) == PTPMON_OK) {
        status = read_interface_option(capture, interface, &option, &offset);
        if (status != PTPMON_OK)
            return status;
    }
    interface->resolution.offset = offset;
    return status == PTPMON_END ? PTPMON_OK : status;
}

static ptpmon_status read_interface(struct pcapng_capture *capture, const uint8_t *body, struct options options)
{
    struct interface *interface = NULL;
    ptpmon_status status = add_interface(capture, &interface);
    if (interface == NULL)
        return status;
    interface->linktype = get16(capture, body);
    status = read_interface_options(capture, interface, options);
    if (status == PTPMON_OK)
        want(capture, interface, capture->count - 1);
    else
        free(capture->interfaces[--capture->count]);
    return status;
}

static ptpmon_status find_interface(const struct pcapng_capture *capture, uint32_t id, size_t *index)
{
    size_t count = capture->count - capture->section_first;
    if (id >= count)
        return fail_damaged(capture, "interface %" PRIu32 " is named, but the section has %zu, counted from 0", id,
                            count);
    *index = capture->section_first + id;
    return PTPMON_OK;
}

/* ---- Losses -------------------------------------------------------------------------------- */

static void add_loss(struct interface *interface, uint64_t frames, int64_t from, int64_t to)
{
    if (frames > UINT64_MAX - interface->dropped) /* no count, but the sum must hold */
        frames = UINT64_MAX - interface->dropped;
    if (frames == 0)
        return;
    if (to < from) { /* the clock was set back */
        int64_t earlier = to;
        to = from;
        from = earlier;
    }
    interface->dropped += frames;
    if (interface->loss_count == LOSSES) {
        ptpmon_capture_loss *last = &interface->losses[(interface->first_loss + LOSSES - 1) % LOSSES];
        last->frames += frames;
        last->from = last->from < from ? last->from : from;
        last->to = last->to > to ? last->to : to;
        return;
    }
    unsigned at = (interface->first_loss + interface->loss_count++) % LOSSES;
    interface->losses[at] = (ptpmon_capture_loss){frames, from, to};
}

/*
 * dumpcap gives the times of its statistics in us, whatever the interface's resolution; which of the
 * two is meant, the frames tell: the one that lies nearer to them. What is out of range is not known.
 */
static int64_t statistics_time(const struct pcapng_capture *capture, const struct interface *interface, uint64_t ticks)
{
    static const struct resolution microseconds = {.multiply = 1000, .limit = INT64_MAX / 1000};
    int64_t told, in_us;
    bool is_time = to_ns(&interface->resolution, ticks, &told);
    if (!capture->own && interface->span.any && to_ns(&microseconds, ticks, &in_us) &&
        (!is_time || llabs(in_us - interface->span.last) < llabs(told - interface->span.last)))
        return in_us;
    return is_time ? told : 0;
}

struct statistics {
    int64_t at, started_at, stopped_at;
    uint64_t dropped;
};

static ptpmon_status read_statistics_option(const struct pcapng_capture *capture, const struct interface *interface,
                                            const struct option *option, struct statistics *statistics)
{
    if (option->code < PCAPNG_ISB_STARTTIME || option->code > PCAPNG_ISB_USRDELIV)
        return PTPMON_OK;
    if (option->length != 8)
        return fail_option_length(capture, option);
    switch (option->code) {
    case PCAPNG_ISB_STARTTIME:
        statistics->started_at = statistics_time(capture, interface, get_ticks(capture, option->value));
        break;
    case PCAPNG_ISB_ENDTIME:
        statistics->stopped_at = statistics_time(capture, interface, get_ticks(capture, option->value));
        break;
    case PCAPNG_ISB_IFDROP:
    case PCAPNG_ISB_OSDROP:
        statistics->dropped += get64(capture, option->value);
        break;
    default:
        break;
    }
    return PTPMON_OK;
}

/* When nothing was lost any more that was not noted: at the last statistics, else when it began, as far as known. */
static int64_t intact_until(const struct interface *interface, int64_t started_at)
{
    if (interface->noted_at != 0)
        return interface->noted_at;
    if (started_at != 0 && (!interface->span.any || started_at < interface->span.first))
        return started_at;
    return interface->span.first;
}

/*
 * The counts are of the whole capture so far. A start is believed only before the first frame: where a capture
 * writes several files, the statistics at the end of each tell when the first began.
 */
static void take_statistics(struct interface *interface, const struct statistics *statistics)
{
    int64_t to = statistics->stopped_at != 0 ? statistics->stopped_at : statistics->at;
    if (statistics->dropped > interface->dropped)
        add_loss(interface, statistics->dropped - interface->dropped, intact_until(interface, statistics->started_at),
                 to);
    if (!interface->span.any && interface->started_at == 0)
        interface->started_at = statistics->started_at;
    interface->stopped_at = statistics->stopped_at;
    interface->noted_at = to;
}

static ptpmon_status read_statistics(struct pcapng_capture *capture, const uint8_t *body, struct options options)
{
    size_t index = 0;
    ptpmon_status status = find_interface(capture, get32(capture, body), &index);
    if (status != PTPMON_OK)
        return status;
    struct interface *interface = capture->interfaces[index];
    struct statistics statistics = {.at = statistics_time(capture, interface, get_ticks(capture, body + 4))};
    struct option option = {0};
    while ((status = next_option(capture, &options, &option)) == PTPMON_OK) {
        status = read_statistics_option(capture, interface, &option, &statistics);
        if (status != PTPMON_OK)
            return status;
    }
    if (status != PTPMON_END)
        return status;
    take_statistics(interface, &statistics);
    return PTPMON_OK;
}

/* ---- Blocks -------------------------------------------------------------------------------- */

struct block {
    uint32_t type;
    uint32_t length; /* in all */
};

static size_t fixed_body(uint32_t type)
{
    switch (type) {
    case PCAPNG_SECTION_HEADER:
        return PCAPNG_SECTION_HEADER_BODY;
    case PCAPNG_INTERFACE_DESCRIPTION:
        return PCAPNG_INTERFACE_DESCRIPTION_BODY;
    case PCAPNG_PACKET:
    case PCAPNG_ENHANCED_PACKET:
        return PCAPNG_PACKET_BODY;
    case PCAPNG_INTERFACE_STATISTICS:
        return PCAPNG_INTERFACE_STATISTICS_BODY;
    default:
        return 0;
    }
}

static ptpmon_status fill(struct pcapng_capture *capture, size_t length)
{
    switch (ptpmon_window_fill(&capture->window, length)) {
    case PTPMON_WINDOW_OK:
        return PTPMON_OK;
    case PTPMON_WINDOW_SHORT:
        capture->base.cut = capture->window.end > capture->window.begin;
        return PTPMON_END;
    default:
        return ptpmon_fail_errno(capture->base.name, "read the file", errno);
    }
}

static inline ptpmon_status need(struct pcapng_capture *capture, size_t length)
{
    return ptpmon_window_holds(&capture->window, length) ? PTPMON_OK : fill(capture, length);
}

/* Of a block that the file's end may cut off: a packet that cannot be as long as the block says was damaged there,
 * not cut. Options of more than this do not follow a packet. */
static ptpmon_status check_cut(const struct pcapng_capture *capture, struct block block)
{
    const size_t options_max = 65536;
    const uint8_t *bytes = ptpmon_window_bytes(&capture->window);
    bool has_length = block.type == PCAPNG_ENHANCED_PACKET || block.type == PCAPNG_PACKET;
    if (!has_length || capture->window.end - capture->window.begin < 8 + PCAPNG_PACKET_BODY)
        return PTPMON_END;
    uint64_t least = UINT64_C(8) + PCAPNG_PACKET_BODY + get32(capture, bytes + 8 + 12) + 4;
    if (block.length < least || block.length > least + options_max)
        return fail_damaged(capture, "its length and that of the frame contradict each other");
    return PTPMON_END;
}

/* The next block, whole and at the window's begin. */
static ptpmon_status next_block(struct pcapng_capture *capture, struct block *block)
{
    ptpmon_status status = need(capture, PCAPNG_BLOCK_OVERHEAD);
    if (status != PTPMON_OK)
        return status;
    const uint8_t *bytes = ptpmon_window_bytes(&capture->window);
    block->type = get32(capture, bytes);
    if (block->type == PCAPNG_SECTION_HEADER && (status = read_byte_order(capture, bytes)) != PTPMON_OK)
        return status;
    block->length = get32(capture, bytes + 4);
    if (block->length % 4 != 0 || block->length < PCAPNG_BLOCK_OVERHEAD + fixed_body(block->type) ||
        block->length > PCAPNG_BLOCK_BYTES_MAX)
        return fail_damaged(capture, "the length %" PRIu32 " is impossible", block->length);
    status = need(capture, block->length);
    if (status != PTPMON_OK)
        return status == PTPMON_END ? check_cut(capture, *block) : status;
    uint32_t again = get32(capture, ptpmon_window_bytes(&capture->window) + block->length - 4);
    if (again != block->length)
        return fail_damaged(capture, "the length is %" PRIu32 " before and %" PRIu32 " after it", block->length, again);
    return PTPMON_OK;
}

/* ---- Frames -------------------------------------------------------------------------------- */

static uint8_t direction_of(uint32_t flags)
{
    switch (flags & PCAPNG_DIRECTION_MASK) {
    case PCAPNG_DIRECTION_INBOUND:
        return AVB_DIRECTION_RX;
    case PCAPNG_DIRECTION_OUTBOUND:
        return AVB_DIRECTION_TX;
    default:
        return AVB_DIRECTION_UNKNOWN;
    }
}

/* The fixed part of a packet's body. */
struct packet {
    uint32_t interface; /* obsolete block: 16 bits, and 16 of how many were lost before */
    uint32_t ticks_high, ticks_low;
    uint32_t captured, length;
};

static inline struct packet get_packet(const uint8_t *body, bool swapped)
{
    return (struct packet){
        .interface = word32(body, swapped),
        .ticks_high = word32(body + 4, swapped),
        .ticks_low = word32(body + 8, swapped),
        .captured = word32(body + 12, swapped),
        .length = word32(body + 16, swapped),
    };
}

/* What is noted of a packet beside its bytes. */
struct packet_notes {
    uint8_t direction;
    uint64_t dropped; /* before it */
};

static ptpmon_status walk_packet_options(const struct pcapng_capture *capture, struct options options,
                                         struct packet_notes *notes)
{
    struct option option = {0};
    ptpmon_status status;
    while ((status = next_option(capture, &options, &option)) == PTPMON_OK) {
        if (option.code == PCAPNG_EPB_FLAGS) {
            if (option.length != 4)
                return fail_option_length(capture, &option);
            notes->direction = direction_of(get32(capture, option.value));
        } else if (option.code == PCAPNG_EPB_DROPCOUNT) {
            if (option.length != 8)
                return fail_option_length(capture, &option);
            notes->dropped = get64(capture, option.value);
        }
    }
    return status == PTPMON_END ? PTPMON_OK : status;
}

/* Options that are the flags alone, in the host's byte order: those of nearly every packet that has any. */
static bool are_flags(const struct pcapng_capture *capture, struct options options)
{
    static const uint16_t flags[] = {PCAPNG_EPB_FLAGS, 4}, end[] = {PCAPNG_OPT_ENDOFOPT, 0};
    return (size_t)(options.end - options.at) == sizeof flags + 4 + sizeof end && !capture->swapped &&
           memcmp(options.at, flags, sizeof flags) == 0 && memcmp(options.at + sizeof flags + 4, end, sizeof end) == 0;
}

static ptpmon_status read_packet_options(const struct pcapng_capture *capture, struct options options,
                                         struct packet_notes *notes)
{
    if (!are_flags(capture, options))
        return walk_packet_options(capture, options, notes);
    notes->direction = direction_of(get32(capture, options.at + PCAPNG_OPTION_OVERHEAD));
    return PTPMON_OK;
}

/* The obsolete block and the enhanced one differ in their first word only. */
static void split_obsolete(const struct pcapng_capture *capture, const uint8_t *body, struct packet *packet,
                           struct packet_notes *notes)
{
    const uint16_t unknown = UINT16_MAX;
    uint16_t dropped = get16(capture, body + 2);
    packet->interface = get16(capture, body);
    notes->dropped = dropped != unknown ? dropped : 0;
}

static void take_packet(struct interface *interface, int64_t time_ns, uint64_t dropped)
{
    if (dropped > 0)
        add_loss(interface, dropped, interface->span.any ? interface->span.last : interface->started_at, time_ns);
    ptpmon_capture_span_add(&interface->span, time_ns);
}

/* OK: a frame; NOTHING: one of an interface that is passed over. */
static ptpmon_status read_packet(struct pcapng_capture *capture, struct block block, ptpmon_frame *frame)
{
    const uint8_t *body = ptpmon_window_bytes(&capture->window) + 8;
    const uint8_t *bytes = body + PCAPNG_PACKET_BODY, *end = body + block.length - PCAPNG_BLOCK_OVERHEAD;
    /* The byte order is asked for once, not for each word. */
    struct packet packet = capture->swapped ? get_packet(body, true) : get_packet(body, false);
    struct packet_notes notes = {.direction = AVB_DIRECTION_UNKNOWN};
    if (block.type == PCAPNG_PACKET)
        split_obsolete(capture, body, &packet, &notes);
    size_t index = 0;
    ptpmon_status status = find_interface(capture, packet.interface, &index);
    if (status != PTPMON_OK)
        return status;
    struct interface *interface = capture->interfaces[index];
    size_t padded = ((size_t)packet.captured + 3) & ~(size_t)3;
    if (padded > (size_t)(end - bytes))
        return fail_damaged(capture, "it holds more bytes than the block");
    if (packet.captured > packet.length)
        return fail_damaged(capture, "it holds more bytes than the frame had");
    if (!interface->wanted) {
        capture->packets++;
        return PTPMON_NOTHING;
    }
    int64_t time_ns;
    if (!to_ns(&interface->resolution, (uint64_t)packet.ticks_high << 32 | packet.ticks_low, &time_ns))
        return fail_damaged(capture, "its time is out of range");
    status = read_packet_options(capture, (struct options){bytes + padded, end}, &notes);
    if (status != PTPMON_OK)
        return status;
    take_packet(interface, time_ns, notes.dropped);
    *frame = (ptpmon_frame){
        .time_ns = time_ns,
        .bytes = bytes,
        .captured_length = packet.captured,
        .length = packet.length,
        .resolution_ns = interface->resolution.ns,
        .interface = (uint32_t)index,
        .direction = notes.direction,
        .number = ++capture->packets,
    };
    return PTPMON_OK;
}

/* ---- The file ------------------------------------------------------------------------------ */

static bool is_packet(uint32_t type)
{
    return type == PCAPNG_ENHANCED_PACKET || type == PCAPNG_PACKET || type == PCAPNG_SIMPLE_PACKET;
}

/* All but packets with a time, and rare. NOTHING: it was taken in. */
__attribute__((noinline)) static ptpmon_status read_block(struct pcapng_capture *capture, struct block block)
{
    const uint8_t *body = ptpmon_window_bytes(&capture->window) + 8;
    struct options options = {body + fixed_body(block.type), body + block.length - PCAPNG_BLOCK_OVERHEAD};
    ptpmon_status status = PTPMON_OK;
    switch (block.type) {
    case PCAPNG_SIMPLE_PACKET: /* it has no time, so nothing can be done with it */
        capture->packets++;
        break;
    case PCAPNG_SECTION_HEADER:
        status = read_section(capture, body, options);
        break;
    case PCAPNG_INTERFACE_DESCRIPTION:
        status = read_interface(capture, body, options);
        break;
    case PCAPNG_INTERFACE_STATISTICS:
        status = read_statistics(capture, body, options);
        break;
    default:
        break;
    }
    return status == PTPMON_OK ? PTPMON_NOTHING : status;
}

/* Takes in all up to the next frame, which it gives; `frame` NULL: up to the next packet, which stays. */
static ptpmon_status read_on(struct pcapng_capture *capture, ptpmon_frame *frame)
{
    struct block block;
    ptpmon_status status;
    do {
        status = next_block(capture, &block);
        if (status != PTPMON_OK || (frame == NULL && is_packet(block.type)))
            return status;
        if (block.type == PCAPNG_ENHANCED_PACKET || block.type == PCAPNG_PACKET)
            status = read_packet(capture, block, frame);
        else
            status = read_block(capture, block);
        if (status == PTPMON_OK || status == PTPMON_NOTHING)
            ptpmon_window_consume(&capture->window, block.length);
    } while (status == PTPMON_NOTHING);
    return status;
}

static ptpmon_status next_pcapng(ptpmon_capture *base, ptpmon_frame *frame)
{
    return read_on(pcapng_capture(base), frame);
}

static ptpmon_status open_pcapng(struct pcapng_capture *capture)
{
    /* What cannot be read, next() will meet again. */
    ptpmon_status status = read_on(capture, NULL);
    const char *path = capture->base.name;
    if (status == PTPMON_IO || status == PTPMON_NO_MEMORY || status == PTPMON_NO_PERMISSION)
        return status;
    if (capture->count == 0)
        return status == PTPMON_BAD_FILE
                   ? status
                   : ptpmon_fail(PTPMON_BAD_FILE, "%s: there is no interface in this pcapng file, so no frame", path);
    for (size_t i = 0; i < capture->count; i++) {
        if (capture->interfaces[i]->linktype == PTPMON_LINKTYPE_ETHERNET)
            return PTPMON_OK;
    }
    return ptpmon_capture_fail_linktype(path, capture->interfaces[0]->linktype);
}

/* ---- The other operations ------------------------------------------------------------------ */

static ptpmon_status next_loss_pcapng(ptpmon_capture *base, ptpmon_capture_loss *loss)
{
    struct pcapng_capture *capture = pcapng_capture(base);
    for (size_t i = 0; i < capture->count; i++) {
        struct interface *interface = capture->interfaces[i];
        if (interface->loss_count == 0 || !interface->wanted)
            continue;
        *loss = interface->losses[interface->first_loss];
        interface->first_loss = (interface->first_loss + 1) % LOSSES;
        interface->loss_count--;
        return PTPMON_OK;
    }
    return PTPMON_NOTHING;
}

static int64_t started(const struct interface *interface)
{
    return interface->started_at != 0 ? interface->started_at : interface->span.first;
}

/* Statistics may have been written before the last frames: the writer was killed. */
static int64_t stopped(const struct interface *interface)
{
    if (interface->stopped_at != 0)
        return interface->stopped_at;
    return interface->noted_at > interface->span.last ? interface->noted_at : interface->span.last;
}

/* Of several interfaces: from where the first began to where the last ended. */
static ptpmon_status statistics_pcapng(ptpmon_capture *base, ptpmon_capture_statistics *statistics)
{
    const struct pcapng_capture *capture = pcapng_capture(base);
    for (size_t i = 0; i < capture->count; i++) {
        const struct interface *interface = capture->interfaces[i];
        if (!interface->wanted)
            continue;
        statistics->dropped += interface->dropped;
        int64_t from = started(interface), to = stopped(interface);
        if (from != 0 && (statistics->started_at == 0 || from < statistics->started_at))
            statistics->started_at = from;
        if (base->ended == PTPMON_END && to > statistics->stopped_at)
            statistics->stopped_at = to;
    }
    return PTPMON_OK;
}

static size_t interface_count_pcapng(const ptpmon_capture *base)
{
    return pcapng_capture(base)->count;
}

static void interface_get_pcapng(const ptpmon_capture *base, size_t interface, ptpmon_capture_interface *about)
{
    *about = pcapng_capture(base)->interfaces[interface]->about;
}

static void select_pcapng(ptpmon_capture *base)
{
    struct pcapng_capture *capture = pcapng_capture(base);
    for (size_t i = 0; i < capture->count; i++)
        want(capture, capture->interfaces[i], i);
}

static void forget_interfaces(struct pcapng_capture *capture)
{
    for (size_t i = 0; i < capture->count; i++)
        free(capture->interfaces[i]);
    capture->count = 0;
}

static ptpmon_status rewind_pcapng(ptpmon_capture *base)
{
    struct pcapng_capture *capture = pcapng_capture(base);
    if (fseek(capture->file, 0, SEEK_SET) != 0)
        return errno == ESPIPE
                   ? ptpmon_fail(PTPMON_IO, "%s: cannot be read twice; copy it to a regular file", base->name)
                   : ptpmon_fail_errno(base->name, "go back in the file", errno);
    ptpmon_window_restart(&capture->window);
    forget_interfaces(capture);
    capture->packets = 0;
    base->cut = false;
    return open_pcapng(capture);
}

static void close_pcapng(ptpmon_capture *base)
{
    struct pcapng_capture *capture = pcapng_capture(base);
    forget_interfaces(capture);
    free(capture->interfaces);
    ptpmon_window_free(&capture->window);
    fclose(capture->file);
}

static const struct ptpmon_capture_operations pcapng_operations = {
    .kind = PTPMON_CAPTURE_FILE,
    .next = next_pcapng,
    .statistics = statistics_pcapng,
    .close = close_pcapng,
    .next_loss = next_loss_pcapng,
    .interface_count = interface_count_pcapng,
    .interface_get = interface_get_pcapng,
    .select = select_pcapng,
    .rewind = rewind_pcapng,
};

ptpmon_status ptpmon_capture_open_pcapng(const char *path, FILE *file, ptpmon_capture **capture)
{
    struct pcapng_capture *opened = ptpmon_capture_new(&pcapng_operations, sizeof *opened, path);
    if (opened == NULL) {
        fclose(file);
        return PTPMON_NO_MEMORY;
    }
    opened->file = opened->window.file = file;
    ptpmon_status status = open_pcapng(opened);
    if (status != PTPMON_OK) {
        ptpmon_capture_close(&opened->base);
        return status;
    }
    *capture = &opened->base;
    return PTPMON_OK;
}
