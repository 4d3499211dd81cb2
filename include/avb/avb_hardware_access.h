/* SPDX-License-Identifier: MIT */
/*
 * The time of a received frame from the NIC's own PTP registers, and every reason why there is none.
 *
 * The registers hold the stamp of one frame and do not say of which, but for a part of its identity
 * on some parts. A stamp is given to a frame only where that names exactly one; docs/nic-clock.md
 * says what is refused and why. core/nic_clock.h is the whole of it: parts, clock, latch, pins.
 *
 * The header compiles alone, in user mode and in a kernel.
 */
#ifndef AVB_HARDWARE_ACCESS_H
#define AVB_HARDWARE_ACCESS_H

#include <avb/avb_ptp_events.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What came of a stamp. Callers count by it: each value but the first two is a stamp that nobody gets. */
enum avb_stamp_result {
    AVB_STAMP_GIVEN,         /* to exactly one frame */
    AVB_STAMP_NOT_VALID,     /* the latch is empty: TSYNCRXCTL says that it holds no stamp */
    AVB_STAMP_PART_CANNOT,   /* the part has no register that says whose stamp it is: cannot be attributed */
    AVB_STAMP_DEVICE_GONE,   /* the registers read as all ones: removed, or asleep */
    AVB_STAMP_NOT_ENABLED,   /* the miniport has not switched receive stamps on */
    AVB_STAMP_NOT_LATCHED,   /* it has, but not of PTPv2 event messages into the registers (TSYNCRXCTL.Type) */
    AVB_STAMP_CLOCK_UNKNOWN, /* the clock was not read lately, so the stamp cannot be judged; it was left alone */
    AVB_STAMP_DISTURBED,     /* the latch changed while it was read: the miniport reads it too */
    AVB_STAMP_NO_IDENTITY,   /* RXSATR is empty */
    AVB_STAMP_NOT_A_TIME,    /* the value is none of the clock: 0, or 10^9 ns or more in a second */
    AVB_STAMP_TOO_OLD,       /* from before this batch: of a frame that was lost, or not passed here */
    AVB_STAMP_IN_FUTURE,     /* later than the clock: this clock was set back, or the value is none */
    AVB_STAMP_NONE_MATCHES,  /* of no frame of this batch */
    AVB_STAMP_TWO_MATCH,     /* of one of several frames of this batch with the same identity */
    AVB_STAMP_RESULTS
};

/* "given", "not_valid"...; never NULL. */
const char *avb_stamp_result_name(enum avb_stamp_result result);

/* What stands behind the registers of one adapter: core/nic_clock.h. */
struct avb_nic_clock;

/*
 * Takes the stamp that the NIC holds, if it holds one, and says which of the `count` frames it is of.
 *
 * frames       the PTP frames of one batch as received (one call of the receive handler), filled by
 *              the parser; those that cannot own a stamp may be among them. Of every batch with PTP
 *              frames all must be passed: a frame that is not can lend its stamp to a twin. A batch
 *              that is too large to hold is passed as count 0: its stamp is then refused.
 * owner        AVB_STAMP_GIVEN: the index of the frame; otherwise untouched.
 * timestamp_ns AVB_STAMP_GIVEN: the NIC's clock at that frame, ns, never 0; otherwise untouched.
 *
 * Reading takes the stamp from the miniport, on whatever path it uses it: that is why the
 * administrator turns this on. Where the part cannot tell whose the stamp is, where the miniport has
 * not enabled it, and where the clock is not known, the latch is not read.
 *
 * One register read where the latch is empty, seven where it is not; no register is written. Any IRQL up to
 * DISPATCH_LEVEL. Calls for one adapter must not overlap, neither with one another nor with
 * avb_nic_clock_read(): a spin lock of the caller.
 */
enum avb_stamp_result AvbReadTimestamp(struct avb_nic_clock *clock, const PTP_TIMESTAMP_EVENT *frames, UINT32 count,
                                       UINT32 *owner, UINT64 *timestamp_ns);

#ifdef __cplusplus
}
#endif
#endif
