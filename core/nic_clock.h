/* SPDX-License-Identifier: MIT */
/*
 * Intel's PTP registers: which parts have which, the clock, the latch of received frames, and a pin to
 * look at with an oscilloscope.
 *
 * The registers belong to the miniport driver, which works with them at the same time. Nothing here
 * writes one, but for the direction and value of a pin that the administrator names. Reading the high
 * word of the latch is a side effect too: it takes the stamp from the miniport.
 *
 * No OS, no libc, no allocation. Any IRQL up to DISPATCH_LEVEL. Calls for one adapter must not overlap.
 * docs/nic-clock.md lists the parts, the formats, what is refused and the sources.
 */
#ifndef AVB_CORE_NIC_CLOCK_H
#define AVB_CORE_NIC_CLOCK_H

#include <avb/avb_hardware_access.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Parts ---- */

/* Parts with the same registers. */
enum avb_nic_family {
    AVB_NIC_UNKNOWN,
    AVB_NIC_82576,
    AVB_NIC_82580, /* 82580, DH89xxCC, I350, I354 */
    AVB_NIC_I210,  /* I210, I211 */
    AVB_NIC_I225,  /* I225, I226, I220, I221 */
    AVB_NIC_I217,  /* I217, I218, I219: the MAC is in the platform controller hub */
    AVB_NIC_FAMILIES
};

/* What drives the counter of an I217..I219, in kHz; two values: chosen by the firmware, TSYNCRXCTL.SYSCFI says which.
 */
enum avb_nic_oscillator {
    AVB_OSCILLATOR_NONE, /* the other families count nanoseconds, or 16 ns periods */
    AVB_OSCILLATOR_25000_OR_96000,
    AVB_OSCILLATOR_24000,
    AVB_OSCILLATOR_38400_OR_24000,
    AVB_OSCILLATOR_38400
};

struct avb_nic_part {
    UINT16 device_id; /* PCI, vendor 8086 */
    UINT8 family;     /* enum avb_nic_family */
    UINT8 oscillator; /* enum avb_nic_oscillator */
    const char *name; /* "I210" */
};

/* NULL: not a part whose registers are known. */
const struct avb_nic_part *avb_nic_part_find(UINT16 vendor_id, UINT16 device_id);

/* The parts, from 0; NULL: no more. */
const struct avb_nic_part *avb_nic_part_at(UINT32 index);

/* What a family can do. */
struct avb_nic_abilities {
    const char *name;       /* of the family, for messages */
    UINT8 clock;            /* the clock can be read */
    UINT8 rx_latch;         /* it can latch the stamp of a received frame in registers */
    UINT8 rx_identity;      /* and RXSATR says, in part, of which */
    UINT8 tx_latches;       /* sets of registers for stamps of sent frames */
    UINT8 pins;             /* software definable pins that avb_sdp_open() takes */
    const char *rx_refusal; /* why a stamp of a received frame cannot be attributed; NULL: it can */
    const char *tx_refusal; /* the same for sent frames, never NULL: no register says of which frame it is */
};

/* Never NULL; that of AVB_NIC_UNKNOWN can do nothing. */
const struct avb_nic_abilities *avb_nic_family_abilities(enum avb_nic_family family);

/* ---- Registers ---- */

/* Access to one adapter. `offset`: bytes from the start of BAR 0. */
struct avb_nic_registers {
    UINT32 (*read32)(void *context, UINT32 offset);
    void (*write32)(void *context, UINT32 offset, UINT32 value); /* pins only; may be NULL where none is used */
    UINT64 (*system_ns)(void *context);                          /* a monotonic clock, ns */
    void *context;
};

/* ---- The clock ---- */

enum avb_nic_clock_result {
    AVB_NIC_CLOCK_READ,
    AVB_NIC_CLOCK_PART_CANNOT,
    AVB_NIC_CLOCK_DEVICE_GONE,  /* all ones */
    AVB_NIC_CLOCK_STOPPED,      /* it does not advance */
    AVB_NIC_CLOCK_NO_UNIT,      /* TIMINCA gives no length to a count, or one above 1 ns */
    AVB_NIC_CLOCK_UNSTEADY,     /* no two readings agreed within AVB_NIC_CLOCK_BRACKET_NS: try again later */
    AVB_NIC_CLOCK_NOT_A_TIME,   /* 10^9 ns or more in a second */
    AVB_NIC_CLOCK_LOST,         /* not read for so long that it may have wrapped unseen: open it again */
    AVB_NIC_CLOCK_RECONFIGURED, /* the miniport gave the counter another unit: open it again */
    AVB_NIC_CLOCK_RESULTS
};

/* "read", "part_cannot"...; never NULL. */
const char *avb_nic_clock_result_name(enum avb_nic_clock_result result);

/* The longest time, ns, between the two readings of the system's clock around one of the NIC's. */
#define AVB_NIC_CLOCK_BRACKET_NS 100000u

/* The NIC's clock and the system's at one instant. */
struct avb_nic_time {
    UINT64 nic_ns;         /* extended beyond the width of the counter, so that it does not wrap */
    UINT64 system_ns;      /* system_ns() of the registers */
    UINT32 uncertainty_ns; /* of system_ns against nic_ns, +- */
    UINT32 stepped;        /* 1: against the reading before, it moved by another time than the system's did */
};

/* What a clock counts: a count is numerator / denominator ns. */
struct avb_nic_unit {
    UINT64 numerator, denominator;
    UINT64 lap_ns;  /* what the counter holds before it wraps; 0: more than 64 bits of ns */
    UINT32 timinca; /* as it was; 0 where it does not matter */
};

/* Private, but for max_age_ns. */
struct avb_nic_clock {
    struct avb_nic_registers registers;
    const struct avb_nic_part *part;
    UINT64 max_age_ns; /* a stamp older than this is of a frame before this batch; set when opened */
    struct avb_nic_unit unit;
    struct avb_nic_time last;
    UINT32 known;    /* whether `last` is */
    UINT64 batch_at; /* system_ns of the last call of AvbReadTimestamp(); 0: none */
};

/* The longest time from the wire to the receive handler for which a stamp is taken, ns, where not set otherwise. */
#define AVB_NIC_MAX_AGE_NS 5000000u

/* A stamp is judged by a reading of the clock not older than this, ns. */
#define AVB_NIC_CLOCK_FRESH_NS 10000000000u

/*
 * Begins with a clock, which is read once. Its time is that of the registers, extended from here on:
 * a counter that wrapped before is not known of. On failure the clock refuses everything until it is opened.
 */
enum avb_nic_clock_result avb_nic_clock_open(struct avb_nic_clock *clock, const struct avb_nic_part *part,
                                             const struct avb_nic_registers *registers);

/*
 * Reads the clock. It wants to be read every few seconds while stamps are taken, and at least every
 * half of unit.lap_ns: 9 min on 82580, I350 and I354. Five or six register reads where nothing comes in between.
 *
 * A clock that is reported as stepped at every reading runs at another rate than TIMINCA and SYSCFI
 * say: firmware is known to report a wrong oscillator.
 */
enum avb_nic_clock_result avb_nic_clock_read(struct avb_nic_clock *clock, struct avb_nic_time *time);

/* ---- Stamps of received frames ---- */

/*
 * The part of a frame's identity that RXSATRL and RXSATRH hold, as one number, RXSATRH above: the
 * last 6 bytes of clockIdentity and sequenceId. messageType, domain, portNumber are not in it.
 */
UINT64 avb_stamp_identity(const PTP_TIMESTAMP_EVENT *frame);

/* Which frames the hardware stamps, from TSYNCRXCTL.Type. */
enum avb_stamp_scope {
    AVB_STAMP_SCOPE_NONE,     /* none of PTPv2 into the registers: Type 1 (version 1), 4 (all, into packets), others */
    AVB_STAMP_SCOPE_ETHERNET, /* Type 0: one chosen message type, Delay_Req and Delay_Resp, over Ethernet only */
    AVB_STAMP_SCOPE_CHOSEN,   /* Type 2: the same over any transport */
    AVB_STAMP_SCOPE_EVENTS    /* Type 5: event messages over any transport */
};

enum avb_stamp_scope avb_stamp_scope_of(UINT32 tsyncrxctl);

/* What the latch held. */
struct avb_rx_stamp {
    UINT64 identity; /* as avb_stamp_identity() */
    UINT64 raw;      /* RXSTMPH << 32 | RXSTMPL */
    UINT32 scope;    /* enum avb_stamp_scope */
};

/*
 * Reads the latch of a part with rx_identity, if it is enabled and holds a stamp, and so empties it.
 * AVB_STAMP_GIVEN: `stamp` is filled; otherwise it may hold anything. The identity is read before and
 * after the stamp and must be the same, for the miniport may empty the latch in between.
 */
enum avb_stamp_result avb_nic_read_latch(const struct avb_nic_registers *registers, enum avb_nic_family family,
                                         struct avb_rx_stamp *stamp);

/*
 * Which frame a stamp is of, by identity alone: exactly one of those that the hardware stamps in this
 * scope, and it an event message. AVB_STAMP_GIVEN, _NO_IDENTITY, _NONE_MATCHES or _TWO_MATCH.
 */
enum avb_stamp_result avb_rx_stamp_owner(const struct avb_rx_stamp *stamp, const PTP_TIMESTAMP_EVENT *frames,
                                         UINT32 count, UINT32 *owner);

/* ---- A pin for the oscilloscope ---- */

enum avb_sdp_result {
    AVB_SDP_OPEN,
    AVB_SDP_PART_CANNOT, /* pins of this part are not known */
    AVB_SDP_NO_PIN,      /* the part has no pin of that number */
    AVB_SDP_IN_USE,      /* the pin belongs to the clock: TSSDP assigns it */
    AVB_SDP_DEVICE_GONE,
    AVB_SDP_RESETTING, /* the device is being reset: try again */
    AVB_SDP_RESULTS
};

/* "open", "part_cannot"...; never NULL. */
const char *avb_sdp_result_name(enum avb_sdp_result result);

/* Private. */
struct avb_sdp_pin {
    struct avb_nic_registers registers;
    UINT32 offset;                  /* CTRL or CTRL_EXT; the other bits of it are the miniport's */
    UINT32 data, direction, resets; /* bits of that register */
    UINT32 saved;                   /* data and direction as they were */
};

/*
 * Makes pin 0..3 an output, low, and remembers what it was. Only where the administrator names the
 * pin: what is soldered to it (an SFP cage, a power switch, a relay) cannot be seen from here.
 *
 * The bits share a register with others of the miniport. Each change reads it and writes it back, and
 * undoes what the miniport writes in between (about 1 us): not for production.
 */
enum avb_sdp_result avb_sdp_open(struct avb_sdp_pin *pin, const struct avb_nic_part *part,
                                 const struct avb_nic_registers *registers, UINT32 number);

/*
 * High at the entry of the datapath, low at its exit. One register read and one write each; the width
 * of a pulse with nothing in it is to be subtracted. Calls must not overlap. Nothing is written while the device is
 * gone or resets.
 */
void avb_sdp_enter(const struct avb_sdp_pin *pin);
void avb_sdp_leave(const struct avb_sdp_pin *pin);

/* Direction and value as they were found. */
void avb_sdp_close(const struct avb_sdp_pin *pin);

#ifdef __cplusplus
}
#endif
#endif
