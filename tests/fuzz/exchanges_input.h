/* SPDX-License-Identifier: MIT */
/* An input of fuzz_exchanges: EXCHANGES_INPUT_OPTIONS bytes of options, then steps of EXCHANGES_INPUT_STEP bytes. */
#ifndef PTPMON_TESTS_EXCHANGES_INPUT_H
#define PTPMON_TESTS_EXCHANGES_INPUT_H

/* Numbers are taken modulo what there is. */
#define EXCHANGES_INPUT_OPTIONS 4   /* points; flags; kind of stamps; delay_filter */
#define EXCHANGES_INPUT_MOST    512 /* steps that are run */

enum exchanges_operation {
    EXCHANGES_MESSAGE, /* as the point's kind wants it: an observation, or a frame */
    EXCHANGES_CLOCKS,  /* a reading */
    EXCHANGES_BYTES,   /* the step's bytes are the frame */
    EXCHANGES_FETCH,   /* without it nothing is fetched until the end */
    EXCHANGES_OPERATIONS
};

#define EXCHANGES_TWO_STEP 0x01 /* flags */
#define EXCHANGES_UDP      0x02
#define EXCHANGES_DOMAIN   0x04
#define EXCHANGES_TLV      0x08

/* The bytes of a step, by what they say. Numbers of several bytes are little endian. */
enum {
    STEP_OPERATION, /* and the point, << 4 */
    STEP_TYPE,      /* messageType, and direction << 4, and majorSdoId << 6 */
    STEP_FLAGS,
    STEP_PORTS, /* source, and requesting << 4 */
    STEP_SEQUENCE,
    STEP_SEQUENCE_END = STEP_SEQUENCE + 2,
    STEP_STAMPS = STEP_SEQUENCE_END, /* which there are: hardware 1, software 2, no event 4, no frame 8, cut 16 */
    STEP_SHIFT,                      /* of the time that passes, and of the timestamp << 4: bits to the left */
    STEP_PASSES,                     /* time since the step before it, signed, ns */
    STEP_PASSES_END = STEP_PASSES + 4,
    STEP_LATE = STEP_PASSES_END, /* the hardware stamp is so much later than the event, signed, ns */
    STEP_LATE_END = STEP_LATE + 4,
    STEP_CORRECTION = STEP_LATE_END,
    STEP_CORRECTION_END = STEP_CORRECTION + 8,
    STEP_TIMESTAMP = STEP_CORRECTION_END, /* of the message: so much after the step's time, signed, ns */
    STEP_TIMESTAMP_END = STEP_TIMESTAMP + 4,
    STEP_INTERVAL = STEP_TIMESTAMP_END, /* logMessageInterval */
    STEP_OUTCOME,
    EXCHANGES_INPUT_STEP
};

#endif
