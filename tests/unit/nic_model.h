/* SPDX-License-Identifier: MIT */
/*
 * A model of the PTP registers of Intel's NICs, with time that runs while they are read: the counter in
 * each part's format, with the words that hold still and those that do not; the latch of received
 * frames, which the first frame locks until its high word is read; and a miniport that reads them too.
 */
#ifndef PTPMON_TESTS_NIC_MODEL_H
#define PTPMON_TESTS_NIC_MODEL_H

#include "nic_clock.h"
#include "random.h"

#include <stdbool.h>

#define MODEL_SECOND 1000000000ull

/* Offsets, written down a second time. */
enum {
    MODEL_CTRL = 0x0000,
    MODEL_CTRL_EXT = 0x0018,
    MODEL_TSSDP = 0x003C,
    MODEL_SYSTIML = 0xB600,
    MODEL_SYSTIMH = 0xB604,
    MODEL_TIMINCA = 0xB608,
    MODEL_TSYNCTXCTL = 0xB614,
    MODEL_TXSTMPL = 0xB618,
    MODEL_TXSTMPH = 0xB61C,
    MODEL_TSYNCRXCTL = 0xB620,
    MODEL_RXSTMPL = 0xB624,
    MODEL_RXSTMPH = 0xB628,
    MODEL_RXSATRL = 0xB62C,
    MODEL_RXSATRH = 0xB630,
    MODEL_SYSTIMR = 0xB6F8
};

enum {
    MODEL_VALID = 0x01,
    MODEL_TYPE_ETHERNET = 0 << 1,
    MODEL_TYPE_V1 = 1 << 1,
    MODEL_TYPE_CHOSEN = 2 << 1,
    MODEL_TYPE_ALL = 4 << 1,
    MODEL_TYPE_EVENTS = 5 << 1,
    MODEL_ENABLED = 0x10,
    MODEL_SYSCFI = 0x20
};

struct nic_model {
    struct random random;
    enum avb_nic_family family;

    /* Time. The system's clock is the true one. */
    uint64_t now;      /* ns */
    uint64_t epoch;    /* the NIC's clock at 0, ns */
    int64_t rate_ppm;  /* of the NIC's clock */
    uint32_t read_min; /* what a register read takes, ns */
    uint32_t read_max;
    uint64_t late; /* the next look at the system's clock comes so much later, ns: a pre-emption */
    bool stands_still;
    bool gone; /* all ones */

    /* The counter. */
    uint32_t timinca;
    uint32_t khz; /* of what really drives it */
    uint32_t held_low, held_high;
    bool holds_low;

    /* The latch. */
    uint32_t tsyncrxctl; /* without VALID */
    uint8_t chosen;      /* messageType that types 0 and 2 stamp */
    bool valid;
    uint64_t raw, identity;
    bool has_no_identity; /* RXSATR is not there and reads as 0 */

    uint32_t ctrl, ctrl_ext, tssdp;

    /* Called before each register read: what the miniport does in between. */
    void (*between)(struct nic_model *model, uint32_t offset);
    uint32_t foreign; /* for `between` */

    /* What was done. */
    uint32_t reads, latch_reads; /* the latter of RXSTMPH, by the code under test */
    uint32_t wrong_writes;       /* to registers that belong to the miniport */
    uint32_t writes;
    uint32_t pin_levels[64]; /* of the register written */
};

void nic_model_init(struct nic_model *model, uint64_t seed, enum avb_nic_family family);

struct avb_nic_registers nic_model_registers(struct nic_model *model);

/* The NIC's clock, ns, not wrapped. */
uint64_t nic_model_clock_at(const struct nic_model *model, uint64_t time);

/* A frame arrives now. Returns the stamp, ns, that belongs to it, whether or not it was latched. */
uint64_t nic_model_receive(struct nic_model *model, const PTP_TIMESTAMP_EVENT *frame);

/* The miniport takes the stamp. */
void nic_model_miniport_reads_latch(struct nic_model *model);

/* The miniport reads the clock. */
void nic_model_miniport_reads_clock(struct nic_model *model);

#endif
