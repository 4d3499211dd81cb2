/* SPDX-License-Identifier: MIT */
#include "frame_check.h"

#include "frame_oracle.h"

#include <stdlib.h>
#include <string.h>

/* A verdict, and the event with what was in it before the parser ran. */
struct verdict {
    enum avb_frame_kind kind;
    PTP_TIMESTAMP_EVENT event;
};

/* The fields that the parser must leave alone, copied from `from`. */
static void copy_others(PTP_TIMESTAMP_EVENT *to, const PTP_TIMESTAMP_EVENT *from)
{
    to->hw_timestamp_ns = from->hw_timestamp_ns;
    to->system_timestamp = from->system_timestamp;
    to->direction = from->direction;
    to->queueId = from->queueId;
    to->software_timestamp = from->software_timestamp;
    to->sequence = from->sequence;
}

/* Whether two events agree in all fields that the parser fills. */
static int events_equal(const PTP_TIMESTAMP_EVENT *a, const PTP_TIMESTAMP_EVENT *b)
{
    PTP_TIMESTAMP_EVENT same_others = *b;
    copy_others(&same_others, a);
    return memcmp(a, &same_others, sizeof *a) == 0;
}

static int verdicts_equal(const struct verdict *a, const struct verdict *b)
{
    return a->kind == b->kind && (a->kind != AVB_FRAME_PTP || events_equal(&a->event, &b->event));
}

static int others_untouched(const PTP_TIMESTAMP_EVENT *event, int filler)
{
    PTP_TIMESTAMP_EVENT filled, others = *event;
    memset(&filled, filler, sizeof filled);
    copy_others(&others, &filled);
    return memcmp(event, &others, sizeof others) == 0;
}

/* A heap block of exactly the pieces' bytes; NULL for none, since the smallest block would hide a read of one byte. */
static UINT8 *joined(const struct avb_fragment *pieces, UINT32 count, UINT32 *length)
{
    *length = 0;
    for (UINT32 i = 0; i < count; i++)
        *length += pieces[i].length;
    if (*length == 0)
        return NULL;
    UINT8 *whole = malloc(*length);
    if (whole == NULL)
        abort();
    UINT32 at = 0;
    for (UINT32 i = 0; i < count; i++) {
        if (pieces[i].length > 0)
            memcpy(whole + at, pieces[i].bytes, pieces[i].length);
        at += pieces[i].length;
    }
    return whole;
}

static struct verdict parse(const struct avb_fragment *pieces, UINT32 count, UINT32 length, UINT32 tag, int filler)
{
    struct verdict verdict;
    memset(&verdict.event, filler, sizeof verdict.event);
    verdict.kind = avb_frame_parse(pieces, count, length, tag, &verdict.event);
    return verdict;
}

static struct verdict parse_copied_pieces(const struct avb_fragment *pieces, UINT32 count, UINT32 length, UINT32 tag)
{
    struct avb_fragment *copies = calloc((size_t)count + 1, sizeof *copies);
    if (copies == NULL)
        abort();
    for (UINT32 i = 0; i < count; i++)
        copies[i].bytes = joined(&pieces[i], 1, &copies[i].length);
    struct verdict verdict = parse(copies, count, length, tag, 0);
    for (UINT32 i = 0; i < count; i++)
        free((void *)copies[i].bytes);
    free(copies);
    return verdict;
}

struct load {
    UINT32 offset, length;
};

/* A frame whose load function remembers and leaves garbage behind where it fails. */
struct watched {
    struct avb_fragment whole;
    int garbage;
    struct load *last; /* that succeeded */
};

static long load_watched(const void *frame, UINT32 offset, void *to, UINT32 length)
{
    const struct watched *watched = frame;
    if (offset > watched->whole.length || length > watched->whole.length - offset) {
        memset(to, watched->garbage, length);
        return -14;
    }
    memcpy(to, watched->whole.bytes + offset, length);
    *watched->last = (struct load){offset, length};
    return 0;
}

static int is_header_inside(const struct watched *watched, UINT32 length)
{
    return watched->last->length == 34 && watched->last->offset + 34 <= length &&
           watched->whole.bytes[watched->last->offset + 1] % 16 == 2;
}

static const char *check_loads(const struct avb_fragment *whole, UINT32 length, UINT32 tag,
                               const struct verdict *expected)
{
    static const int garbage[] = {0x00, 0x02, 0x11, 0xFF};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        struct load last = {0, 0};
        struct watched watched = {*whole, garbage[i], &last};
        struct verdict verdict;
        memset(&verdict.event, 0, sizeof verdict.event);
        verdict.kind = avb_frame_read(&watched, load_watched, length, tag, &verdict.event);
        if (!verdicts_equal(&verdict, expected))
            return "what a failing load leaves behind changes the verdict";
        if (verdict.kind == AVB_FRAME_PTP && !is_header_inside(&watched, length))
            return "a PTP message without a version 2 header inside the frame";
    }
    return NULL;
}

/* A first look, at no more than it may see. */
static int is_surely_foreign(const UINT8 *bytes)
{
    UINT32 length;
    UINT8 *first = joined(&(struct avb_fragment){bytes, AVB_FIRST_LOOK}, 1, &length);
    int surely = avb_is_surely_foreign(first);
    free(first);
    return surely;
}

static const char *check_contiguous(const struct avb_fragment *whole, UINT32 length, UINT32 tag,
                                    struct verdict *verdict)
{
    struct verdict expected;
    expected.kind = frame_oracle(whole->bytes, whole->length, length, tag, &expected.event);
    *verdict = parse(whole, 1, length, tag, 0);
    struct verdict again = parse(whole, 1, length, tag, 0xFF);

    if (verdict->kind >= AVB_FRAME_KINDS)
        return "a kind that does not exist";
    if (verdict->kind != expected.kind)
        return "the oracle sees another kind";
    if (!verdicts_equal(verdict, &expected))
        return "the oracle sees other fields";
    if (!verdicts_equal(verdict, &again))
        return "what was in the event before changes the verdict";
    if (!others_untouched(&verdict->event, 0) || !others_untouched(&again.event, 0xFF))
        return "a field that is not the parser's was changed";
    if (verdict->kind != AVB_FRAME_FOREIGN && whole->length >= AVB_FIRST_LOOK && is_surely_foreign(whole->bytes))
        return "a first look calls foreign what is not";
    return check_loads(whole, length, tag, verdict);
}

const char *frame_check(const struct avb_fragment *pieces, UINT32 count, UINT32 length, UINT32 tag)
{
    UINT32 total;
    UINT8 *bytes = joined(pieces, count, &total);
    const struct avb_fragment whole = {bytes, total};
    struct verdict contiguous;
    const char *problem = check_contiguous(&whole, length, tag, &contiguous);
    if (problem == NULL) {
        struct verdict in_pieces = parse_copied_pieces(pieces, count, length, tag);
        if (!verdicts_equal(&in_pieces, &contiguous))
            problem = "the pieces give another verdict than the whole";
    }
    free(bytes);
    return problem;
}
