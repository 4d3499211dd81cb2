/* SPDX-License-Identifier: MIT */
/* Writes inputs of fuzz_exchanges, each a short conversation: exchanges_seeds DIRECTORY */
#include "exchanges_input.h"
#include "seeds.h"

#include <avb/avb_ptp_events.h>
#include <stdint.h>

#define MASTER 1
#define SLAVE  2

#define GPTP (1 << 6) /* in STEP_TYPE */

static uint8_t steps[512][EXCHANGES_INPUT_STEP];
static size_t count;

static void put(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static uint8_t *step(enum exchanges_operation operation, uint32_t passes)
{
    uint8_t *bytes = steps[count++];
    memset(bytes, 0, EXCHANGES_INPUT_STEP);
    bytes[STEP_OPERATION] = (uint8_t)operation;
    put(bytes + STEP_PASSES, passes, 4);
    bytes[STEP_STAMPS] = 3;
    bytes[STEP_INTERVAL] = (uint8_t)-3;
    return bytes;
}

static uint8_t *message(uint8_t messageType, uint8_t direction, uint8_t source, uint16_t sequenceId, uint32_t passes)
{
    uint8_t *bytes = step(EXCHANGES_MESSAGE, passes);
    bytes[STEP_TYPE] = (uint8_t)(messageType | direction << 4);
    bytes[STEP_PORTS] = (uint8_t)(source | SLAVE << 4);
    bytes[STEP_FLAGS] = messageType == AVB_PTP_SYNC || messageType == AVB_PTP_PDELAY_RESP ? EXCHANGES_TWO_STEP : 0;
    bytes[STEP_CORRECTION + 2] = 5; /* 5 ns */
    put(bytes + STEP_SEQUENCE, sequenceId, 2);
    return bytes;
}

static void put_sync(uint16_t sequenceId, uint8_t domain)
{
    message(AVB_PTP_SYNC, 0, MASTER, sequenceId, 100000000)[STEP_TYPE] |= domain;
    uint8_t *follow_up = message(AVB_PTP_FOLLOW_UP, 0, MASTER, sequenceId, 20000);
    follow_up[STEP_TYPE] |= domain;
    follow_up[STEP_FLAGS] = domain ? EXCHANGES_TLV : 0;
}

static void put_e2e(uint16_t sequenceId)
{
    message(AVB_PTP_DELAY_REQ, 1, SLAVE, sequenceId, 1000000);
    message(AVB_PTP_DELAY_RESP, 0, MASTER, sequenceId, 100000);
}

static void put_peer_delay(uint16_t sequenceId, uint8_t domain)
{
    message(AVB_PTP_PDELAY_REQ, 1, SLAVE, sequenceId, 1000000)[STEP_TYPE] |= domain;
    message(AVB_PTP_PDELAY_RESP, 0, MASTER, sequenceId, 20000)[STEP_TYPE] |= domain;
    message(AVB_PTP_PDELAY_RESP_FOLLOW_UP, 0, MASTER, sequenceId, 10000)[STEP_TYPE] |= domain;
}

static void put_clocks(void)
{
    step(EXCHANGES_CLOCKS, 500000000)[STEP_TIMESTAMP] = 100;
    step(EXCHANGES_FETCH, 0);
}

static int write(const char *directory, const char *name, uint8_t points, uint8_t flags)
{
    const uint8_t options[EXCHANGES_INPUT_OPTIONS] = {points, flags};
    int written = seed_write(directory, name, options, sizeof options, steps, count * sizeof *steps);
    count = 0;
    return written;
}

/* Each in its usual order, and with the points taking observations or frames. */
static int write_all(const char *directory)
{
    for (uint16_t i = 0; i < 12; i++) {
        put_sync(i, 0);
        put_e2e(i);
        put_clocks();
    }
    if (!write(directory, "e2e", 0, 0))
        return 0;
    for (uint16_t i = 65530; i != 6; i++) {
        put_peer_delay(i, GPTP);
        put_sync(i, GPTP);
        put_clocks();
    }
    if (!write(directory, "gptp", 0, 0))
        return 0;
    for (uint16_t i = 0; i < 12; i++) {
        put_peer_delay(i, 0);
        put_sync(i, 0);
        message(AVB_PTP_ANNOUNCE, 0, MASTER, i, 1000);
    }
    if (!write(directory, "p2p-capture", 0, 0xF0))
        return 0;
    for (uint16_t i = 0; i < 12; i++) {
        size_t first = count;
        put_sync(i, i % 2 ? GPTP : 0);
        put_e2e(i);
        size_t last = count;
        for (size_t k = first; k < last; k++) { /* the same at the second point */
            memcpy(steps[count], steps[k], sizeof *steps);
            steps[count++][STEP_OPERATION] |= 1 << 4;
        }
    }
    return write(directory, "transit", 1, 4);
}

int main(int argc, char **argv)
{
    int refused = seeds_begin(argc, argv);
    if (refused != 0)
        return refused;
    return write_all(argv[1]) ? 0 : 1;
}
