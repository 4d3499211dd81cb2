/* SPDX-License-Identifier: MIT */
/*
 * libptpmon: when each PTP frame passed the network card, joined with the frame itself.
 *
 * A program opens a monitor on an interface and reads records (in place) or events (one per frame,
 * late TX stamps joined). It may capture the same frames, and feed both to a correlator, which
 * pairs each event with its frame and says of everything that it cannot pair why not.
 *
 *     ptpmon_monitor_open -> _enable -> { _wait, _events_read } ... -> _disable -> _close
 *
 * Errors: every function that can fail returns a ptpmon_status; ptpmon_error_message() then gives
 * one sentence that names the object and the remedy. Output parameters are untouched on failure
 * unless the function says otherwise.
 *
 * Threads: objects are independent of one another; one object is used by one thread at a time.
 *
 * Time: "event time" is system_timestamp in events, ns: Linux CLOCK_MONOTONIC, Windows the performance
 * counter, whose ticks are turned into ns, rounded down. "Capture time" is what the capture wrote, UTC ns
 * since 1970 (Linux CLOCK_REALTIME). They are related only through PTP_CLOCKS_RECORDs.
 *
 * Events and records differ in units only: the records door, and recordings, have what the driver side
 * wrote, on Windows ticks. In events of every kind all times are ns, whatever system they are of:
 *     system_timestamp, since     event time
 *     software_timestamp          Linux UTC; Windows event time (ptpmon_monitor_info.software_is_system_clock)
 *     hw_timestamp_ns             the NIC's own clock
 *     realtime_ns                 UTC
 */
#ifndef PTPMON_H
#define PTPMON_H

#include <avb/avb_ptp_events.h>
#include <avb/avb_ptp_recording.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(PTPMON_BUILDING_DLL)
#define PTPMON_API __declspec(dllexport)
#elif defined(_WIN32) && defined(PTPMON_USING_DLL)
#define PTPMON_API __declspec(dllimport)
#elif defined(__GNUC__)
#define PTPMON_API __attribute__((visibility("default")))
#else
#define PTPMON_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version as "MAJOR.MINOR.PATCH"; static storage. */
PTPMON_API const char *ptpmon_version(void);

/* ---- Errors ------------------------------------------------------------------------------- */

typedef enum ptpmon_status {
    PTPMON_OK = 0,
    PTPMON_END,           /* nothing more will come: end of a file, or the object was stopped */
    PTPMON_NOTHING,       /* nothing now: timed out, or interrupted by a signal */
    PTPMON_NO_INTERFACE,  /* no such interface, or it vanished */
    PTPMON_NO_PERMISSION, /* a capability or administrator right is missing */
    PTPMON_NOT_SUPPORTED, /* the kernel, driver or NIC lacks it */
    PTPMON_NO_MEMORY,
    PTPMON_BUSY,     /* somebody else holds it */
    PTPMON_INVALID,  /* an argument or the object's state does not allow this call */
    PTPMON_BAD_FILE, /* a file is damaged, or of a kind or version that cannot be read */
    PTPMON_IO,       /* the operating system refused; the message says what and why */
} ptpmon_status;

/* The name of a status, "no_interface"; static storage. */
PTPMON_API const char *ptpmon_status_name(ptpmon_status status);

/* One sentence about the last failure in this thread; valid until the next failure in it. */
PTPMON_API const char *ptpmon_error_message(void);

/* ---- Interfaces --------------------------------------------------------------------------- */

#define PTPMON_NAME_MAX 256 /* bytes of a name, UTF-8, with its terminating 0 */

typedef enum ptpmon_interface_kind {
    PTPMON_KIND_ETHERNET, /* a network card */
    PTPMON_KIND_VETH,
    PTPMON_KIND_BRIDGE,
    PTPMON_KIND_BOND, /* bond or team */
    PTPMON_KIND_VLAN,
    PTPMON_KIND_LOOPBACK,
    PTPMON_KIND_OTHER, /* Ethernet framing, kind not known */
} ptpmon_interface_kind;

/* What an interface can stamp (Linux: ethtool -T; Windows: its packet timestamp capabilities), and what is switched
 * on. */
#define PTPMON_CAN_RX_SOFTWARE   0x0001u
#define PTPMON_CAN_TX_SOFTWARE   0x0002u
#define PTPMON_CAN_RX_HARDWARE   0x0004u /* some PTP frames at least; see rx_filters */
#define PTPMON_CAN_TX_HARDWARE   0x0008u
#define PTPMON_CAN_RX_HW_ALL     0x0010u /* every frame */
#define PTPMON_CAN_RX_HW_PTP_L2  0x0020u /* PTPv2 over Ethernet */
#define PTPMON_CAN_RX_HW_PTP_UDP 0x0040u /* PTPv2 over UDP */
#define PTPMON_ON_RX_HARDWARE    0x0100u
#define PTPMON_ON_TX_HARDWARE    0x0200u
/* Of sent frames, where the system tells: Windows. */
#define PTPMON_CAN_TX_HW_ALL     0x0400u /* every frame */
#define PTPMON_CAN_TX_HW_ASKED   0x0800u /* frames whose sender asks for it */
#define PTPMON_CAN_TX_HW_PTP_UDP 0x1000u /* PTPv2 over UDP */

typedef struct ptpmon_interface {
    char name[PTPMON_NAME_MAX];
    char description[PTPMON_NAME_MAX]; /* Windows: what the adapter is called in the device manager; else "" */
    char guid[40];                     /* Windows: "{...}", as in Npcap's name \Device\NPF_{...}; else "" */
    char driver[64];                   /* kernel driver, "" = unknown */
    char lower[PTPMON_NAME_MAX];       /* names of the devices under it, ", " between; "" = none */
    uint32_t index;
    uint8_t mac[6];
    bool up; /* switched on, and with a carrier */
    ptpmon_interface_kind kind;
    uint32_t stamping;             /* PTPMON_CAN_..., PTPMON_ON_... */
    int32_t phc_index;             /* /dev/ptpN; -1 = none */
    uint32_t rx_queues, tx_queues; /* in use */
    /* Name the devices in `lower` instead: frames pass the card there, and only there are they
     * stamped (bond, team, bridge, VLAN, macvlan). */
    bool prefer_lower;
} ptpmon_interface;

/* Functions that take an interface's name take on Windows also its description, GUID, index and Npcap's name for it. */

/* The interfaces with Ethernet framing, by index; freed with ptpmon_interfaces_free(). */
PTPMON_API ptpmon_status ptpmon_interfaces(ptpmon_interface **list, size_t *count);
PTPMON_API void ptpmon_interfaces_free(ptpmon_interface *list);

/* ---- Monitor ------------------------------------------------------------------------------ */

typedef struct ptpmon_monitor ptpmon_monitor;

/* options.flags */
#define PTPMON_NO_TRACING 0x1u /* Linux: tc only, no kernel tracing: no TX queue, no TX stamps */
#define PTPMON_NO_TCX     0x2u /* Linux: attach through clsact, as on kernels before 6.6 */
#define PTPMON_HW_STAMPS  0x4u /* Linux: switch the NIC's stamping on at enable, restore it at disable */

typedef struct ptpmon_monitor_options {
    uint32_t ring_bytes; /* 0 = 1 MiB; a power of two, at least one page. A record takes 72. Windows: 0, as a setting
                            of the driver says */
    uint32_t flags;
} ptpmon_monitor_options;

/* Where the monitor gets things from on this system; strings are of static storage. */
typedef struct ptpmon_monitor_info {
    const char *rx_frames; /* "tcx", "clsact", "ndis"; all three of a recording: "recording" */
    const char *tx_frames; /* "net_dev_start_xmit", "tcx", "clsact", "ndis" */
    const char *tx_stamps; /* "fentry/skb_tstamp_tx", "kfree_skb/consume_skb", "ndis", "none" */
    bool tx_queue_known;   /* TX events carry queueId and STAMP_EXPECTED */
    bool rx_software;      /* RX events carry software_timestamp */
    uint64_t enabled_at;   /* event time from which every frame is seen, of the first CLOCKS; 0 = not yet */
    uint64_t disabled_at;  /* event time until which every frame was seen, of the last CLOCKS; 0 = still running */
    /* Event time up to which the events door has delivered all that it will: what is older has come,
     * but for records that were being made at that moment (allow some ms). An event that waits for its
     * TX stamp holds it back. 0 = nothing yet, or a recording. */
    uint64_t delivered_until;
    uint64_t system_clock_hz;      /* ticks per second of system_timestamp in records; 10^9 where they are ns */
    bool software_is_system_clock; /* software_timestamp is on the clock of system_timestamp (Windows), else UTC */
} ptpmon_monitor_info;

/*
 * Counters since enable. Frames and stamps are accounted apart, and for each
 * seen = emitted + dropped once the monitor is disabled (while it runs, an event may be under way).
 */
typedef struct ptpmon_statistics {
    uint64_t events_emitted; /* records put into the ring: frames_emitted + stamps_emitted */
    uint64_t events_dropped; /* frames_dropped + stamps_dropped */
    uint64_t buffer_size;    /* of the ring, in records */
    uint64_t frames_seen, frames_emitted, frames_dropped;
    uint64_t stamps_seen, stamps_emitted, stamps_dropped; /* LATE_STAMP records */
    /* Frames passed over, by reason (core/frame_read.h). */
    uint64_t ptp_v1, other_version, truncated, bad_length;
    uint64_t tx_unreadable; /* TX frames whose headers the tracing hook cannot read (page fragments) */
    /* Stamps refused, by reason. */
    uint64_t hw_stamp_not_a_time;      /* the field held something else, such as a kernel pointer */
    uint64_t hw_stamp_of_other_device; /* the frame came through another NIC, whose stamp it still carries */
    /* Joining late stamps, events door only. */
    uint64_t stamps_joined;
    uint64_t stamps_missing;   /* events delivered with STAMP_MISSING */
    uint64_t stamps_orphaned;  /* stamps without their frame */
    uint64_t stamps_ambiguous; /* stamps that more than one waiting frame could own; given to none */
} ptpmon_statistics;

/*
 * Opens a monitor on the interface of this name in the calling thread's network namespace; nothing
 * is attached yet. options may be NULL.
 * Errors: NO_INTERFACE, NO_PERMISSION, NOT_SUPPORTED, INVALID (options), NO_MEMORY.
 */
PTPMON_API ptpmon_status ptpmon_monitor_open(const char *interface_name, const ptpmon_monitor_options *options,
                                             ptpmon_monitor **monitor);

/*
 * Opens a recording of events (avb_ptp_recording.h) as a monitor: enable starts at its first record,
 * both doors work, nothing is waited for. Its CLOCKS and LOSS records are those of the recording. What
 * is written to the file afterwards is left to the next enable.
 * Errors: IO, NO_PERMISSION, BAD_FILE (also later, if the file has become shorter), NO_MEMORY.
 */
PTPMON_API ptpmon_status ptpmon_monitor_open_recording(const char *path, ptpmon_monitor **monitor);

/*
 * From the next enable on, all that passes the events door is also written to this file, as records:
 * before late stamps are joined. While enabled: from now on, in place of the file so far (rotation):
 * that ends with a reading of the clocks, and the new one begins with the same. NULL ends a recording.
 * An existing file is replaced. A recording holds one run: enabling again needs a new file. The file
 * can be read up to the last whole second even if the process is killed.
 * Errors: IO, NO_PERMISSION, NO_MEMORY (the file so far goes on), INVALID (a recording itself, the
 * file that is being written, or disabled but not read to the END). A failure to write ends the events
 * door: ptpmon_events_read() returns it.
 */
PTPMON_API ptpmon_status ptpmon_monitor_record(ptpmon_monitor *monitor, const char *path);

/* What a recording's header says; lives as long as the monitor. NULL: the monitor is live. */
PTPMON_API const PTP_RECORDING_HEADER *ptpmon_monitor_recording_header(const ptpmon_monitor *monitor);

/* Frames that pass after enable returns are seen. Enable after disable starts afresh. */
PTPMON_API ptpmon_status ptpmon_monitor_enable(ptpmon_monitor *monitor);

/* When disable returns, nothing is attached any more; what lies in the ring can still be read. */
PTPMON_API ptpmon_status ptpmon_monitor_disable(ptpmon_monitor *monitor);

/* Disables if need be and frees everything; NULL is allowed. */
PTPMON_API void ptpmon_monitor_close(ptpmon_monitor *monitor);

PTPMON_API ptpmon_status ptpmon_monitor_info_get(const ptpmon_monitor *monitor, ptpmon_monitor_info *info);
PTPMON_API ptpmon_status ptpmon_monitor_statistics(ptpmon_monitor *monitor, ptpmon_statistics *statistics);

/*
 * Waits until records can be read, at most timeout_ms (-1 = for ever). A driver side never wakes
 * its reader for every event, so a record may be up to 25 ms old when this returns.
 * OK: there are records. NOTHING: timeout or signal. END: disabled and empty. NO_INTERFACE: it vanished.
 * On Windows an interface that is reset is looked for at each call, for 15 s (NOTHING), and monitored again; the events
 * door tells of the time between as LOSS records without numbers. BUSY: another process was faster.
 */
PTPMON_API ptpmon_status ptpmon_monitor_wait(ptpmon_monitor *monitor, int timeout_ms);

/*
 * The records door: what lies in the ring, in place and read-only, with times as the driver side wrote
 * them (ptpmon_monitor_info.system_clock_hz). Record i of a batch is at first + i * stride. It stays as it is until
 * ptpmon_records_release(), which frees the first `count` records of the batch for the producer; the memory stays
 * mapped until ptpmon_monitor_close(). An empty batch has count 0. Use one door per monitor, records or events.
 */
typedef struct ptpmon_batch {
    const void *first;
    size_t stride; /* bytes */
    size_t count;
} ptpmon_batch;

static inline const PTP_TIMESTAMP_EVENT *ptpmon_batch_at(const ptpmon_batch *batch, size_t i)
{
    return (const PTP_TIMESTAMP_EVENT *)(const void *)((const char *)batch->first + i * batch->stride);
}

PTPMON_API ptpmon_status ptpmon_records_peek(ptpmon_monitor *monitor, ptpmon_batch *batch);
PTPMON_API ptpmon_status ptpmon_records_release(ptpmon_monitor *monitor, size_t count);

/*
 * The events door: copies up to `capacity` events out, one per frame, late TX stamps joined. An
 * event that expects a stamp is held until it comes or one second of event time has passed. Among
 * the events are PTP_CLOCKS_RECORDs (at enable, every second, at disable) and PTP_LOSS_RECORDs:
 * look at `direction`, skip what you do not need.
 * OK with *count 0: nothing now. END: disabled, and everything was delivered.
 */
PTPMON_API ptpmon_status ptpmon_events_read(ptpmon_monitor *monitor, PTP_TIMESTAMP_EVENT *events, size_t capacity,
                                            size_t *count);

/* ---- Capture ------------------------------------------------------------------------------ */

typedef struct ptpmon_capture ptpmon_capture;

/* A captured frame. A VLAN tag that the card took out is back in its place. */
typedef struct ptpmon_frame {
    int64_t time_ns;          /* capture time, ns */
    const uint8_t *bytes;     /* from the destination address on; valid until the next call */
    uint32_t captured_length; /* bytes that are there */
    uint32_t length;          /* bytes on the wire, without FCS */
    uint32_t resolution_ns;   /* of time_ns: 1, 1000...; 0 counts as 1 */
    uint32_t interface;       /* of the capture, from 0 */
    uint8_t direction;        /* AVB_DIRECTION_RX, _TX, _UNKNOWN */
    uint64_t number;          /* in this capture, from 1 */
} ptpmon_frame;

typedef struct ptpmon_capture_statistics {
    uint64_t frames;    /* delivered by ptpmon_capture_next() */
    uint64_t dropped;   /* lost for want of buffer, as far as the capture knows */
    int64_t started_at; /* capture time from which every frame was captured; 0 = not known (yet) */
    int64_t stopped_at; /* capture time until which every frame was captured; 0 = still running, file: not read yet */
} ptpmon_capture_statistics;

/* An interface of a capture; "" and false = not known. */
typedef struct ptpmon_capture_interface {
    char name[PTPMON_NAME_MAX];
    char host[256];   /* where it was captured; only in files that ptpmon wrote */
    char boot_id[40]; /* tells one run of the host's clocks from another; likewise */
    uint8_t mac[6];
    bool has_mac;
} ptpmon_capture_interface;

/* Frames that were lost between two looks at the drop counter. */
typedef struct ptpmon_capture_loss {
    uint64_t frames;
    int64_t from, to; /* capture time */
} ptpmon_capture_loss;

/*
 * Captures the PTP frames of an interface of the calling thread's network namespace, both
 * directions, ns. The kernel filters out almost everything else; ptpmon_correlator_frame() passes
 * over the rest. Errors: NO_INTERFACE, NO_PERMISSION, NOT_SUPPORTED (no Ethernet framing), IO.
 */
PTPMON_API ptpmon_status ptpmon_capture_open_live(const char *interface_name, ptpmon_capture **capture);

/*
 * Opens a pcap or pcapng file with Ethernet frames, times in us or ns. A pcapng file says which way
 * a frame went if its writer knew (epb_flags), and what was lost, and when, if its writer noted it
 * (Interface Statistics Blocks). A file without such notes ran from its first frame to its last.
 * Errors: IO, NO_PERMISSION, BAD_FILE, NO_MEMORY.
 */
PTPMON_API ptpmon_status ptpmon_capture_open_file(const char *path, ptpmon_capture **capture);

/* A capture whose frames the caller gives, for those of other programs and libraries. `name` is for
 * messages. Error: NO_MEMORY. */
PTPMON_API ptpmon_status ptpmon_capture_open_given(const char *name, ptpmon_capture **capture);

/* Adds a frame to such a capture; it is copied, its `number` is not used. ptpmon_capture_stop() says that no more
 * will come. Errors: INVALID (another kind of capture, stopped, captured_length > length), NO_MEMORY. */
PTPMON_API ptpmon_status ptpmon_capture_give(ptpmon_capture *capture, const ptpmon_frame *frame);

/* The interfaces: one, but for pcapng files, which may hold several and announce them as late as they like; this
 * tells of those met so far, at open those before the first frame. */
PTPMON_API size_t ptpmon_capture_interface_count(const ptpmon_capture *capture);
/* INVALID: no such interface. */
PTPMON_API ptpmon_status ptpmon_capture_interface_get(const ptpmon_capture *capture, size_t interface,
                                                      ptpmon_capture_interface *about);
/* From now on ptpmon_capture_next() passes over the frames and losses of all others. INVALID: no such interface. */
PTPMON_API ptpmon_status ptpmon_capture_select(ptpmon_capture *capture, size_t interface);

/*
 * The next frame; never waits. Live, the two directions come each in its own order.
 * OK, NOTHING (live, given: none now), END (end of file, or stopped and empty), BAD_FILE,
 * NO_INTERFACE, IO, NO_MEMORY. A file that ends inside a frame, since its writer was killed or still
 * writes, ends before that frame.
 */
PTPMON_API ptpmon_status ptpmon_capture_next(ptpmon_capture *capture, ptpmon_frame *frame);

/* The next loss that the capture has noticed; call it after ptpmon_capture_next() has given what there was. NOTHING:
 * none, also IO, NO_INTERFACE. */
PTPMON_API ptpmon_status ptpmon_capture_next_loss(ptpmon_capture *capture, ptpmon_capture_loss *loss);

/* Stops a live capture; what it holds can still be read: ptpmon_capture_next() gives END only 100 ms
 * later, since a frame may still be on its way. On a file: no effect. */
PTPMON_API ptpmon_status ptpmon_capture_stop(ptpmon_capture *capture);
PTPMON_API ptpmon_status ptpmon_capture_statistics_get(ptpmon_capture *capture, ptpmon_capture_statistics *statistics);
PTPMON_API void ptpmon_capture_close(ptpmon_capture *capture);

/* ---- Writing captures --------------------------------------------------------------------- */

/*
 * A pcapng file: Ethernet, ns, direction in epb_flags, an Interface Description Block for each
 * interface. It can be read up to the last flush even if the process is killed.
 */
typedef struct ptpmon_capture_writer ptpmon_capture_writer;

/* An existing file is replaced. Errors: IO, NO_PERMISSION, INVALID (no interface), NO_MEMORY. */
PTPMON_API ptpmon_status ptpmon_capture_writer_open(const char *path, const ptpmon_capture_interface *interfaces,
                                                    size_t count, ptpmon_capture_writer **writer);

/* `interface` is the index at open; frame->interface is not looked at. Errors: IO; INVALID: no such interface, or
 * lengths and times that a reader would take for damage. */
PTPMON_API ptpmon_status ptpmon_capture_writer_frame(ptpmon_capture_writer *writer, size_t interface,
                                                     const ptpmon_frame *frame);

/* Notes what the capture of an interface has counted by `at_ns`, capture time, since the file began: that is how a
 * reader knows when it ran and where something was lost. Due at the start, after each loss and at the end. Errors: IO,
 * INVALID. */
PTPMON_API ptpmon_status ptpmon_capture_writer_statistics(ptpmon_capture_writer *writer, size_t interface,
                                                          const ptpmon_capture_statistics *statistics, int64_t at_ns);
PTPMON_API ptpmon_status ptpmon_capture_writer_flush(ptpmon_capture_writer *writer);
/* Bytes so far, also those not flushed. */
PTPMON_API uint64_t ptpmon_capture_writer_bytes(const ptpmon_capture_writer *writer);
/* Flushes and frees; NULL is allowed. */
PTPMON_API ptpmon_status ptpmon_capture_writer_close(ptpmon_capture_writer *writer);

/* ---- Messages ----------------------------------------------------------------------------- */

/* A time, or a difference of two: ns + fraction / 65536, of either sign; the fraction is never negative. */
typedef struct ptpmon_time {
    int64_t ns;
    uint32_t fraction; /* 2^-16 ns, 0..65535 */
} ptpmon_time;

/* correctionField: "too big to represent" (IEEE 1588-2019 13.3.2.9) */
#define PTPMON_CORRECTION_TOO_BIG INT64_MAX

/* ptpmon_message.has: the parts of a message that a captured frame held in full. */
#define PTPMON_MESSAGE_TIMESTAMP  0x1u /* seconds, nanoseconds */
#define PTPMON_MESSAGE_REQUESTING 0x2u /* requestingPortIdentity */
#define PTPMON_MESSAGE_FOLLOW_UP  0x4u /* the Follow_Up information TLV of IEEE 802.1AS */
#define PTPMON_MESSAGE_ANNOUNCE   0x8u /* currentUtcOffset ... timeSource */

/* What a message says beyond what is in its event. Numbers as on the wire, in host order; what is not there is 0. */
typedef struct ptpmon_message {
    int64_t correctionField; /* 2^-16 ns, signed */
    uint64_t seconds;        /* of the message's one timestamp, 48 bits: originTimestamp, preciseOriginTimestamp,
                                receiveTimestamp, requestReceiptTimestamp, responseOriginTimestamp */
    uint32_t nanoseconds;    /* of the same; may be 10^9 or more in a wrong message */
    uint8_t has;             /* PTPMON_MESSAGE_... */
    int8_t logMessageInterval;
    uint16_t requestingPortNumber;
    uint8_t requestingClockIdentity[8];
    /* Follow_Up information TLV, IEEE 802.1AS-2020 11.4.4.3 */
    int32_t cumulativeScaledRateOffset; /* (rateRatio - 1) * 2^41 */
    int32_t scaledLastGmFreqChange;     /* of the fractional frequency offset, * 2^41 */
    ptpmon_time lastGmPhaseChange;      /* what does not fit is the nearest that does */
    uint16_t gmTimeBaseIndicator;
    /* Announce, IEEE 1588-2019 13.5 */
    int16_t currentUtcOffset;
    uint16_t stepsRemoved;
    uint16_t offsetScaledLogVariance; /* grandmasterClockQuality */
    uint8_t clockClass, clockAccuracy;
    uint8_t grandmasterPriority1, grandmasterPriority2;
    uint8_t grandmasterIdentity[8];
    uint8_t timeSource;
} ptpmon_message;

/*
 * Reads the PTP message of a captured frame: `event` as ptpmon_result.frame has it, but for system_timestamp, which is
 * 0; `message` may be NULL. NOTHING: the frame is no PTPv2 message, or is damaged or cut inside its header.
 */
PTPMON_API ptpmon_status ptpmon_frame_message(const ptpmon_frame *frame, PTP_TIMESTAMP_EVENT *event,
                                              ptpmon_message *message);

/* ---- Correlator --------------------------------------------------------------------------- */

/*
 * Pairs events with frames of one interface. The key is direction and (sdoId, domainNumber,
 * messageType, sourcePortIdentity, sequenceId); source MAC, VLAN and PCP are cross-checked and
 * counted. Time alone never joins. Items of one key that lie within the window of one another, each
 * of the next, are one group; a group is decided when the window after its last item has passed, or,
 * once it has lasted four windows, at the first pause of more than 10 ms:
 *   1. a received event whose software_timestamp equals a frame's time, within what the capture
 *      resolves, is that frame's: MATCHED; where the resolution leaves a choice, as many events as
 *      frames are paired in order of time, else none. Stamps that are event time (Windows) lie
 *      decades from any capture time: there the rule finds nothing;
 *   2. of the rest, equal numbers on both sides are paired in order of time: MATCHED. Where a side
 *      has more than one item, order proves nothing, and all of the rest are AMBIGUOUS, if either
 *      side lost something or did not run at the time of the group, or if rule 1 found pairs and an
 *      event is left whose software_timestamp is no frame's time. So are two single items that are
 *      more than 10 ms apart, if both sides lost something there: they may be of two messages;
 *   3. nothing left on one side: the other side's are OUTSIDE where they lie before or after that
 *      side ran; EVENT_WITHOUT_FRAME or FRAME_WITHOUT_EVENT where that side lost something;
 *      DUPLICATE where rule 1 matched the key within the group; else again EVENT_WITHOUT_FRAME or
 *      FRAME_WITHOUT_EVENT;
 *   4. unequal numbers: something was lost, and order proves nothing any more: all AMBIGUOUS.
 * A frame of unknown direction may pair with an event of either: a group with such a frame is one,
 * else each direction is a group of its own. Where the rest of a group has both directions, order
 * proves nothing.
 * What is within 10 ms of a loss, or of the start or end of a side (or within the window, if that is
 * less), counts as lost or outside: the two sides see a message at slightly different times.
 * The outcome depends on the items and their times only, not on how the two streams interleave.
 *
 * A frame's event time is its capture time moved by the CLOCKS record that is nearest in capture
 * time. For that a frame waits for the next CLOCKS record, at most 1.1 s of event time, so a step of
 * CLOCK_REALTIME between two records does no harm; one back by less than a second or so displaces the
 * frames between the two by no more than itself.
 *
 * Memory is bounded: max_pending items not decided, at most twice as many in results that were not
 * fetched, and what is needed to recognize the rest of groups that were decided early.
 */
typedef struct ptpmon_correlator ptpmon_correlator;

typedef struct ptpmon_correlator_options {
    uint64_t window_ns;   /* 0 = 1 s; at most 30 s */
    uint32_t max_pending; /* items not decided at most, 0 = 262144; beyond it the oldest group is decided early */
    bool messages;        /* also read what the frames' messages say: ptpmon_result.message */
} ptpmon_correlator_options;

typedef enum ptpmon_outcome {
    PTPMON_MATCHED,
    PTPMON_EVENT_WITHOUT_FRAME,
    PTPMON_FRAME_WITHOUT_EVENT,
    PTPMON_DUPLICATE,
    PTPMON_AMBIGUOUS,
    PTPMON_OUTSIDE,
    PTPMON_OUTCOMES
} ptpmon_outcome;

typedef enum ptpmon_reason {
    PTPMON_BY_SOFTWARE_TIME, /* matched: the software stamp is the capture time */
    PTPMON_BY_KEY,           /* matched: the only pair of its key */
    PTPMON_BY_ORDER,         /* matched: one of several pairs of its key, in order of arrival */
    PTPMON_NOT_CAPTURED,     /* event: the capture ran and reported no loss */
    PTPMON_CAPTURE_LOST,     /* event: the capture lost frames at this time */
    PTPMON_NO_EVENT,         /* frame: the monitor ran and reported no loss */
    PTPMON_EVENT_LOST,       /* frame: the monitor dropped records at this time */
    PTPMON_SAME_KEY_MATCHED, /* duplicate: another of this key was matched by its time */
    PTPMON_COUNTS_DIFFER,    /* ambiguous: several of one key, and not as many frames as events */
    PTPMON_ORDER_UNPROVEN,   /* ambiguous: several of one key, and their order proves nothing: something was
                                lost among them, or the window was cut short */
    PTPMON_BEFORE_MONITOR,   /* outside: frame; as the next three, also of the 10 ms where it began or ended */
    PTPMON_AFTER_MONITOR,    /* outside: frame */
    PTPMON_BEFORE_CAPTURE,   /* outside: event */
    PTPMON_AFTER_CAPTURE,    /* outside: event */
    PTPMON_REASONS
} ptpmon_reason;

PTPMON_API const char *ptpmon_outcome_name(ptpmon_outcome outcome); /* "matched", "event_without_frame"... */
PTPMON_API const char *ptpmon_reason_name(ptpmon_reason reason);    /* "by_software_time"... */

/* cross_check: what differs in a matched pair */
#define PTPMON_SOURCE_MAC_DIFFERS 0x1u
#define PTPMON_VLAN_DIFFERS       0x2u /* tag present or VID */
#define PTPMON_PCP_DIFFERS        0x4u
/* Of an observer, live on Windows: there a capture sees a sent frame before the driver side does, and a received one
 * after it, and the times say the opposite, by more than they are known to. The capture's clock is in doubt then. */
#define PTPMON_TIME_ORDER_DIFFERS 0x8u

typedef struct ptpmon_result {
    ptpmon_outcome outcome;
    ptpmon_reason reason;
    bool has_event, has_frame;
    bool has_message;          /* there is a frame, and ptpmon_correlator_options.messages asked for its content */
    bool decided_early;        /* the window was cut short, by max_pending or by an item older than promised: it may
                                  be wrong that there is no other item of this key */
    uint32_t cross_check;      /* matched only */
    PTP_TIMESTAMP_EVENT event; /* zero without event */
    PTP_TIMESTAMP_EVENT frame; /* what the parser read in the frame; system_timestamp = its time as event time (0 =
                                  before the clock started), direction as captured (may be UNKNOWN), no stamps,
                                  queueId unknown. Zero without frame */
    int64_t frame_time_ns;     /* capture time */
    uint64_t frame_number;     /* ptpmon_frame.number */
    ptpmon_message message;    /* of the frame, where has_message says so; else zero */
} ptpmon_result;

typedef struct ptpmon_correlation {
    uint64_t events, frames; /* PTP messages taken in on each side */
    uint64_t matched;        /* pairs */
    uint64_t unmatched_events, unmatched_frames;
    uint64_t duplicate_events, duplicate_frames;
    uint64_t ambiguous_events, ambiguous_frames;
    uint64_t outside_events, outside_frames;
    uint64_t by_reason[PTPMON_REASONS];                     /* results; a pair is one */
    uint64_t source_mac_differs, vlan_differs, pcp_differs; /* among the matched */
    uint64_t decided_early;                                 /* results */
    uint64_t frames_by_kind[6]; /* all frames given, by enum avb_frame_kind: ptp, foreign, ptp_v1, other_version,
                                   truncated, bad_length */
} ptpmon_correlation;
/* At any time: events = matched + the four _events + those not decided; frames likewise. Everything is decided after
 * ptpmon_correlator_finish(). */

/* options may be NULL. Errors: INVALID (window), NO_MEMORY. */
PTPMON_API ptpmon_status ptpmon_correlator_open(const ptpmon_correlator_options *options,
                                                ptpmon_correlator **correlator);
PTPMON_API void ptpmon_correlator_close(ptpmon_correlator *correlator);

/*
 * Takes what the events door gives: events, CLOCKS, LOSS; passes over LATE_STAMP and unknown records.
 * Errors, of this and of ptpmon_correlator_frame(); then nothing was taken: INVALID (finished, or
 * max_pending results wait to be fetched), NO_MEMORY.
 */
PTPMON_API ptpmon_status ptpmon_correlator_event(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *event);

/*
 * Takes a captured frame; its bytes need not outlive the call. Frames that are no PTP message are
 * counted only. A CLOCKS record must have come before the first: INVALID otherwise.
 */
PTPMON_API ptpmon_status ptpmon_correlator_frame(ptpmon_correlator *correlator, const ptpmon_frame *frame);

/* The monitor saw every frame from..to, event time; 0 = open end. Unset: no OUTSIDE frames. */
PTPMON_API void ptpmon_correlator_monitor_ran(ptpmon_correlator *correlator, uint64_t from, uint64_t to);
/* The capture held every frame from..to, capture time; 0 = open end. Unset: no OUTSIDE events. */
PTPMON_API void ptpmon_correlator_capture_ran(ptpmon_correlator *correlator, int64_t from, int64_t to);
/* The capture lost frames between these capture times. INVALID: finished. */
PTPMON_API ptpmon_status ptpmon_correlator_capture_lost(ptpmon_correlator *correlator, int64_t from, int64_t to);

/*
 * Promises that neither stream will bring anything older than `event_time` (nor a loss that began
 * earlier); groups whose window has passed by then are decided. Finish decides all that is left;
 * after it, results and counts can still be had. What comes in spite of a promise is still taken,
 * but its group may have been decided.
 * Errors: INVALID (advance: finished), NO_MEMORY; then call again.
 */
PTPMON_API ptpmon_status ptpmon_correlator_advance(ptpmon_correlator *correlator, uint64_t event_time);
PTPMON_API ptpmon_status ptpmon_correlator_finish(ptpmon_correlator *correlator);

/* The next result, in order of event time within what one advance or finish decided; NOTHING: none. */
PTPMON_API ptpmon_status ptpmon_correlator_next(ptpmon_correlator *correlator, ptpmon_result *result);

PTPMON_API void ptpmon_correlator_counts(const ptpmon_correlator *correlator, ptpmon_correlation *counts);

/* ---- Observer ----------------------------------------------------------------------------- */

/*
 * A monitor and a capture of the same interface, run together: reads both, correlates them, and
 * relates the clocks. Both may be live or recorded; a recording observed gives the same results as
 * the live run did, and every time the same.
 *
 *     ptpmon_observer_open -> { _next } ... -> _stop -> { _next until END } -> _close
 *
 * Which clock did the capture use? Live, the system's. Of files this is found out at open: received
 * frames whose capture time is their event's software_timestamp prove that it was the system clock of
 * this host. Otherwise messages with equal keys must lie at a steady distance in time: their offset
 * is followed through the file, and its start and drift are reported. No pair is ever made by time
 * alone. Refused with BAD_FILE, and the reason: an interface, host or run of it that is not the
 * events'; no message in common; messages in common, but at no steady distance or further apart than
 * max_offset_ns; and, unless other_clock is set, times that should be this host's stamps and are not.
 */
typedef struct ptpmon_observer ptpmon_observer;

typedef struct ptpmon_observer_options {
    uint64_t window_ns;     /* of the correlator; 0 = 1 s */
    uint64_t max_offset_ns; /* files: between capture clock and system clock; 0 = 60 s */
    bool other_clock;       /* files: the capture was stamped by a clock of its own (adapter stamps, a tap) */
    bool messages;          /* also read what the frames' messages say: ptpmon_result.message */
} ptpmon_observer_options;

/* How long a frame took, by which stamps; docs: ptpmon-watch(1). */
typedef enum ptpmon_latency_kind {
    PTPMON_RX_DRIVER,   /* network stack's RX stamp -> driver side */
    PTPMON_NIC_TO_HOST, /* NIC's RX stamp -> driver side */
    PTPMON_TX_SOFTWARE, /* driver side -> network stack's TX stamp */
    PTPMON_TX_HARDWARE, /* driver side -> NIC's TX stamp */
    PTPMON_LATENCIES
} ptpmon_latency_kind;

/* "rx_driver", "nic_to_host", "tx_software", "tx_hardware"; static storage. */
PTPMON_API const char *ptpmon_latency_name(ptpmon_latency_kind kind);

typedef struct ptpmon_latency {
    bool known; /* false: a stamp is missing, or the CLOCKS records around it do not allow to relate the clocks */
    int64_t ns;
    uint64_t bound; /* +- ns, from the uncertainty of the clock readings */
} ptpmon_latency;

typedef enum ptpmon_observation_kind {
    PTPMON_OBSERVED_MESSAGE,      /* a result of the correlator, or an event alone */
    PTPMON_OBSERVED_CLOCKS,       /* a reading of the clocks */
    PTPMON_OBSERVED_LOSS,         /* the monitor dropped records */
    PTPMON_OBSERVED_CAPTURE_LOSS, /* the capture lost frames */
} ptpmon_observation_kind;

typedef struct ptpmon_observation {
    ptpmon_observation_kind kind;
    const char *interface; /* its name; lives as long as the observer */
    /* MESSAGE */
    bool compared;       /* frames were captured; else result has an event, and outcome and reason mean nothing */
    bool has_realtime;   /* realtime_ns is known */
    int64_t realtime_ns; /* UTC when the driver side saw it; without event: capture time */
    /* UTC of the event's software stamp, whatever clock that is on; 0 = none, or not known */
    int64_t software_realtime_ns;
    ptpmon_result result; /* frame_time_ns is as captured, on whatever clock */
    ptpmon_latency latencies[PTPMON_LATENCIES];
    /* CLOCKS */
    PTP_CLOCKS_RECORD clocks;
    /* LOSS, CAPTURE_LOSS: since..system_timestamp, event time; of the capture frames_dropped only */
    PTP_LOSS_RECORD loss;
} ptpmon_observation;

/* The event of a MESSAGE where there is one, else what was read in the captured frame. */
static inline const PTP_TIMESTAMP_EVENT *ptpmon_observation_identity(const ptpmon_observation *observation)
{
    return observation->result.has_event ? &observation->result.event : &observation->result.frame;
}

/* Event time of an observation; of a loss, of its end. */
static inline uint64_t ptpmon_observation_event_time(const ptpmon_observation *observation)
{
    switch (observation->kind) {
    case PTPMON_OBSERVED_MESSAGE:
        return ptpmon_observation_identity(observation)->system_timestamp;
    case PTPMON_OBSERVED_CLOCKS:
        return observation->clocks.system_timestamp;
    default:
        return observation->loss.system_timestamp;
    }
}

typedef enum ptpmon_capture_clock {
    PTPMON_CLOCK_ASSUMED, /* nothing to tell it by: taken for the system clock */
    PTPMON_CLOCK_SYSTEM,  /* the system clock of this host: live, or proved by stamps */
    PTPMON_CLOCK_OTHER,   /* another, its offset followed */
} ptpmon_capture_clock;

typedef struct ptpmon_alignment {
    ptpmon_capture_clock clock;
    uint64_t equal_stamps;    /* received messages, of those looked at, whose capture time is the event's stamp... */
    uint64_t compared_stamps; /* ...of so many that have both */
    /* OTHER only. equal_stamps > 0: the stamps of this host, all moved by exactly offset_ns (`editcap -t`). */
    uint64_t pairs;       /* from which the rest was estimated, so far */
    int64_t at_ns;        /* capture time of the first pair */
    int64_t offset_ns;    /* there: capture clock - system clock */
    double drift_ppm;     /* capture clock against system clock, mean over all, without steps; > 0: it gains */
    uint64_t residual_ns; /* nine of ten pairs lie this close to that line */
} ptpmon_alignment;

/*
 * The monitor must be enabled; its events door belongs to the observer now, as do the capture's
 * frames; both stay the caller's to close, after the observer. capture NULL: events alone. options
 * may be NULL. Files are read a little ahead and start anew. A live monitor may also meet a file or
 * given frames: it is read until the frames end, and what it holds then is the end of the events; a
 * recording cannot meet a live capture.
 * Errors: INVALID, NO_MEMORY, BAD_FILE (refused, see above, or damaged), IO.
 */
PTPMON_API ptpmon_status ptpmon_observer_open(ptpmon_monitor *monitor, ptpmon_capture *capture,
                                              const ptpmon_observer_options *options, ptpmon_observer **observer);
PTPMON_API void ptpmon_observer_close(ptpmon_observer *observer);

/*
 * The next observation. Messages come in order of event time within what is decided at once; of a
 * live monitor 1 to 2.3 s after they passed. Waits on a live monitor for at most timeout_ms (0 = not).
 * OK, NOTHING (none now: call again), END (everything was told), and what a monitor and a capture may
 * return: the side that failed has ended then, and further calls give what is left.
 */
PTPMON_API ptpmon_status ptpmon_observer_next(ptpmon_observer *observer, int timeout_ms,
                                              ptpmon_observation *observation);

/* Stops capture and monitor, if they are live; what is left comes with ptpmon_observer_next() until END. */
PTPMON_API ptpmon_status ptpmon_observer_stop(ptpmon_observer *observer);

PTPMON_API void ptpmon_observer_counts(const ptpmon_observer *observer, ptpmon_correlation *counts);
PTPMON_API void ptpmon_observer_alignment(const ptpmon_observer *observer, ptpmon_alignment *alignment);

/* ---- Values ------------------------------------------------------------------------------- */

/* "Sync", "Delay_Req"... as the standard spells them; "reserved" for the unassigned. Static storage. */
PTPMON_API const char *ptpmon_message_type_name(uint8_t messageType);

/* Reads the system's clocks together, as among the events of this system; the PHC part is 0. */
PTPMON_API ptpmon_status ptpmon_clocks_now(PTP_CLOCKS_RECORD *clocks);

#ifdef __cplusplus
}
#endif
#endif
