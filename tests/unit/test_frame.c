/* SPDX-License-Identifier: MIT */
/* The PTP frame parser against the table of hand-made frames. */
#include "frame.h"
#include "vectors/frame_check.h"
#include "vectors/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct avb_fragment whole_of(const struct frame_vector *vector)
{
    return (struct avb_fragment){vector->bytes, vector->captured};
}

static const struct frame_vector *vector_named(const char *name)
{
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        if (strcmp(vector->name, name) == 0)
            return vector;
    }
    fail_msg("no vector is named %s", name);
    return NULL;
}

static void check_pieces(const char *name, const struct avb_fragment *pieces, UINT32 count, UINT32 length, UINT32 tag)
{
    const char *problem = frame_check(pieces, count, length, tag);
    if (problem != NULL)
        fail_msg("%s, %u pieces, the first of %u bytes, %u bytes on the wire: %s", name, (unsigned)count,
                 count > 0 ? (unsigned)pieces[0].length : 0u, (unsigned)length, problem);
}

static int gives_what_is_expected(const struct frame_vector *vector)
{
    struct avb_fragment whole = whole_of(vector);
    PTP_TIMESTAMP_EVENT event = {0};
    enum avb_frame_kind kind = avb_frame_parse(&whole, 1, vector->length, vector->tag, &event);
    if (kind != vector->kind) {
        print_error("%s: %s, expected %s\n", vector->name, frame_kind_name(kind), frame_kind_name(vector->kind));
        return 0;
    }
    if (kind == AVB_FRAME_PTP && memcmp(&event, &vector->event, sizeof event) != 0) {
        print_error("%s: other fields than expected\n", vector->name);
        return 0;
    }
    return 1;
}

static void every_vector_gives_what_its_author_expects(void **state)
{
    (void)state;
    size_t as_expected = 0;
    for (size_t i = 0; i < frame_vector_count; i++)
        as_expected += (size_t)gives_what_is_expected(&frame_vectors[i]);
    assert_int_equal(as_expected, frame_vector_count);
}

static void the_table_names_each_vector_once_and_has_every_kind(void **state)
{
    (void)state;
    unsigned of_kind[AVB_FRAME_KINDS] = {0};
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        assert_ptr_equal(vector, vector_named(vector->name));
        assert_true(strspn(vector->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(vector->name));
        assert_non_null(vector->bytes);
        assert_true(vector->captured <= vector->length);
        of_kind[vector->kind]++;
    }
    for (int kind = 0; kind < AVB_FRAME_KINDS; kind++)
        assert_true(of_kind[kind] > 0);
}

static void every_vector_in_one_piece(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        struct avb_fragment whole = whole_of(vector);
        check_pieces(vector->name, &whole, 1, vector->length, vector->tag);
    }
}

static void every_vector_in_two_pieces_at_every_border(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        for (UINT32 border = 0; border <= vector->captured; border++) {
            struct avb_fragment pieces[] = {{vector->bytes, border},
                                            {vector->bytes + border, vector->captured - border}};
            check_pieces(vector->name, pieces, 2, vector->length, vector->tag);
        }
    }
}

/* Every byte a piece of its own, and behind each a piece without bytes. */
static void every_vector_in_pieces_of_one_byte_and_of_none(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        UINT32 count = 2 * vector->captured + 1;
        struct avb_fragment *pieces = calloc(count, sizeof *pieces);
        assert_non_null(pieces);
        for (UINT32 i = 0; i < vector->captured; i++)
            pieces[2 * i + 1] = (struct avb_fragment){vector->bytes + i, 1};
        check_pieces(vector->name, pieces, count, vector->length, vector->tag);
        free(pieces);
    }
}

static void no_pieces_at_all_are_no_frame(void **state)
{
    (void)state;
    PTP_TIMESTAMP_EVENT event;
    assert_int_equal(avb_frame_parse(NULL, 0, 60, 0, &event), AVB_FRAME_FOREIGN);
    check_pieces("nothing", NULL, 0, 60, AVB_TAG(5));
}

/* The bytes of the vector up to the end of its PTP header, which the parser must have seen. */
static UINT32 header_end(const struct frame_vector *vector)
{
    for (UINT32 captured = 0; captured <= vector->captured; captured++) {
        struct avb_fragment part = {vector->bytes, captured};
        PTP_TIMESTAMP_EVENT event;
        if (avb_frame_parse(&part, 1, vector->length, vector->tag, &event) == AVB_FRAME_PTP)
            return captured;
    }
    return UINT32_MAX;
}

/* The capture ends after each byte in turn; on the wire the frame was whole. */
static void every_vector_with_its_capture_cut_at_every_length(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        for (UINT32 captured = 0; captured <= vector->captured; captured++) {
            struct avb_fragment part = {vector->bytes, captured};
            check_pieces(vector->name, &part, 1, vector->length, vector->tag);
        }
    }
}

/* The frame itself ends after each byte in turn. */
static void every_vector_truncated_at_every_length(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        for (UINT32 captured = 0; captured < vector->captured; captured++) {
            struct avb_fragment part = {vector->bytes, captured};
            check_pieces(vector->name, &part, 1, captured, vector->tag);
        }
    }
}

/* Nothing is a PTP message before the last byte of the header is there, and everything that is one in the end is so
 * from that byte on: what follows the header is not looked at. */
static void a_vector_is_ptp_from_the_end_of_its_header_on(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        UINT32 end = header_end(vector);
        if (vector->kind != AVB_FRAME_PTP) {
            assert_int_equal(end, UINT32_MAX);
            continue;
        }
        assert_in_range(end, 14 + 34, vector->captured);
        assert_int_equal(vector->bytes[end - 34 + 1] & 0x0F, 2);
        for (UINT32 captured = end; captured <= vector->captured; captured++) {
            struct avb_fragment part = {vector->bytes, captured};
            PTP_TIMESTAMP_EVENT event = {0};
            assert_int_equal(avb_frame_parse(&part, 1, vector->length, vector->tag, &event), AVB_FRAME_PTP);
            assert_memory_equal(&event, &vector->event, sizeof event);
        }
    }
}

/* Each bit of each vector flipped: what a lying or damaged field does, next to what the oracle says. */
static void every_vector_with_every_bit_flipped(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        UINT8 *damaged = malloc(vector->captured + 1u);
        assert_non_null(damaged);
        memcpy(damaged, vector->bytes, vector->captured);
        for (UINT32 bit = 0; bit < 8 * vector->captured; bit++) {
            struct avb_fragment whole = {damaged, vector->captured};
            damaged[bit / 8] ^= (UINT8)(1u << bit % 8);
            check_pieces(vector->name, &whole, 1, vector->length, vector->tag);
            damaged[bit / 8] ^= (UINT8)(1u << bit % 8);
        }
        free(damaged);
    }
}

/* Worth its while: it must know most of a network's traffic, and (by frame_check) never a PTP frame. */
static void a_first_look_knows_most_foreign_frames(void **state)
{
    (void)state;
    static const char *const names[] = {
        "foreign-arp", "foreign-lldp",       "foreign-macsec", "foreign-llc", "ipv4-tcp",
        "ipv4-icmp",   "ipv4-318",           "ipv4-321",       "ipv4-tunnel", "ipv4-from-319-to-other-port",
        "ipv6-esp",    "ipv6-no-next-header"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct frame_vector *vector = vector_named(names[i]);
        assert_in_range(vector->captured, AVB_FIRST_LOOK, UINT32_MAX);
        if (!avb_is_surely_foreign(vector->bytes))
            fail_msg("%s: not known at a first look", vector->name);
    }
}

static void every_out_of_band_tag_is_told(void **state)
{
    (void)state;
    struct avb_fragment whole = whole_of(vector_named("type-0-sync"));
    for (UINT32 tci = 0; tci <= 0xFFFF; tci++) {
        PTP_TIMESTAMP_EVENT event = {0};
        assert_int_equal(avb_frame_parse(&whole, 1, whole.length, AVB_TAG(tci), &event), AVB_FRAME_PTP);
        assert_int_equal(event.stamp, AVB_STAMP_VLAN);
        assert_int_equal(event.vlanId, tci % 4096);
        assert_int_equal(event.pcp, tci / 8192);
    }
}

static void every_udp_port_but_two_is_foreign(void **state)
{
    (void)state;
    static const char *const names[] = {"ipv4-319", "ipv6-319"};
    static const UINT32 destination_port[] = {14 + 20 + 2, 14 + 40 + 2};
    for (size_t i = 0; i < 2; i++) {
        const struct frame_vector *vector = vector_named(names[i]);
        UINT8 bytes[128];
        assert_in_range(vector->captured, 1, sizeof bytes);
        memcpy(bytes, vector->bytes, vector->captured);
        for (unsigned port = 0; port <= 0xFFFF; port++) {
            struct avb_fragment whole = {bytes, vector->captured};
            PTP_TIMESTAMP_EVENT event;
            bytes[destination_port[i]] = (UINT8)(port >> 8);
            bytes[destination_port[i] + 1] = (UINT8)port;
            assert_int_equal(avb_frame_parse(&whole, 1, vector->length, 0, &event),
                             port == 319 || port == 320 ? AVB_FRAME_PTP : AVB_FRAME_FOREIGN);
        }
    }
}

/* Whatever the kind: times, direction, queue and sequence are the caller's. */
static void fields_of_others_keep_their_values(void **state)
{
    (void)state;
    for (size_t v = 0; v < frame_vector_count; v++) {
        const struct frame_vector *vector = &frame_vectors[v];
        struct avb_fragment whole = whole_of(vector);
        PTP_TIMESTAMP_EVENT event = {.hw_timestamp_ns = 1,
                                     .system_timestamp = 2,
                                     .direction = AVB_DIRECTION_TX,
                                     .queueId = 7,
                                     .software_timestamp = 3,
                                     .sequence = 4,
                                     .stamp = 0x3F};
        avb_frame_parse(&whole, 1, vector->length, vector->tag, &event);
        assert_int_equal(event.hw_timestamp_ns, 1);
        assert_int_equal(event.system_timestamp, 2);
        assert_int_equal(event.direction, AVB_DIRECTION_TX);
        assert_int_equal(event.queueId, 7);
        assert_int_equal(event.software_timestamp, 3);
        assert_int_equal(event.sequence, 4);
        if (vector->kind == AVB_FRAME_PTP)
            assert_int_equal(event.stamp, vector->event.stamp);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_what_its_author_expects),
        cmocka_unit_test(the_table_names_each_vector_once_and_has_every_kind),
        cmocka_unit_test(every_vector_in_one_piece),
        cmocka_unit_test(every_vector_in_two_pieces_at_every_border),
        cmocka_unit_test(every_vector_in_pieces_of_one_byte_and_of_none),
        cmocka_unit_test(no_pieces_at_all_are_no_frame),
        cmocka_unit_test(every_vector_with_its_capture_cut_at_every_length),
        cmocka_unit_test(every_vector_truncated_at_every_length),
        cmocka_unit_test(a_vector_is_ptp_from_the_end_of_its_header_on),
        cmocka_unit_test(every_vector_with_every_bit_flipped),
        cmocka_unit_test(a_first_look_knows_most_foreign_frames),
        cmocka_unit_test(every_out_of_band_tag_is_told),
        cmocka_unit_test(every_udp_port_but_two_is_foreign),
        cmocka_unit_test(fields_of_others_keep_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
