/* SPDX-License-Identifier: MIT */
/*
 * Hand-made frames and what the PTP parser must say of each.
 *
 * The one table for every test that needs frames: the parser's own test, the seeds of its fuzzer,
 * and the comparison of the eBPF program with the parser.
 */
#ifndef PTPMON_TESTS_FRAMES_H
#define PTPMON_TESTS_FRAMES_H

#include "frame.h"

#include <stddef.h>
#include <stdint.h>

struct frame_vector {
    const char *name;          /* unique; letters, digits and hyphens, so that it can name a file */
    const uint8_t *bytes;      /* from the destination address on, without FCS; never NULL */
    uint32_t captured;         /* bytes there are; below `length` where the capture was cut, 0 in one vector */
    uint32_t length;           /* bytes on the wire */
    uint32_t tag;              /* out-of-band VLAN tag: 0 or AVB_TAG(TCI) */
    enum avb_frame_kind kind;
    PTP_TIMESTAMP_EVENT event; /* AVB_FRAME_PTP only; the fields that the parser leaves alone are 0 */
};

extern const struct frame_vector frame_vectors[];
extern const size_t frame_vector_count;

/* "ptp", "foreign"...; static storage. */
const char *frame_kind_name(enum avb_frame_kind kind);

#endif
