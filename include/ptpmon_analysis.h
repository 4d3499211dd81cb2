/* SPDX-License-Identifier: MIT */
/*
 * libptpmon: what the clocks are doing. PTP exchanges computed from what was observed, and statistics of them.
 *
 * An analyzer takes observations (ptpmon.h) of one or more observation points, live or recorded, and gives exchanges:
 * the messages that belong together, the four times t1..t4, every correction, and what follows from them. Where
 * something cannot be computed it says why not. docs/quantities.md defines each quantity, with its clause.
 *
 *     ptpmon_analyzer_open -> _add_point ... -> { _observe | _frame, _next_exchange, _next_finding } ...
 *         -> _finish -> { _next_... } -> _series, _counts, _asymmetry -> _close
 *
 * One pass, streaming: nothing waits for more than the window, memory is bounded, and the outcome depends on the
 * observations alone: no clock is read.
 *
 * Times are ns and 2^-16 ns in integers (ptpmon_time); absolute times are never in floating point.
 *
 * Errors and threads: as in ptpmon.h.
 */
#ifndef PTPMON_ANALYSIS_H
#define PTPMON_ANALYSIS_H

#include <ptpmon.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Exchanges ---------------------------------------------------------------------------- */

typedef enum ptpmon_exchange_kind {
    PTPMON_EXCHANGE_SYNC,    /* "sync": Sync, with its Follow_Up where it is two-step */
    PTPMON_EXCHANGE_E2E,     /* "e2e": Delay_Req and Delay_Resp, with the newest Sync before them */
    PTPMON_EXCHANGE_P2P,     /* "p2p": Pdelay_Req, Pdelay_Resp, Pdelay_Resp_Follow_Up; IEEE 1588 11.4 */
    PTPMON_EXCHANGE_P2P_AS,  /* "p2p-as": the same; IEEE 802.1AS 11.2 (majorSdoId 1 over Ethernet) */
    PTPMON_EXCHANGE_TRANSIT, /* "transit": one event message at two observation points */
    PTPMON_EXCHANGE_KINDS
} ptpmon_exchange_kind;

/* By which clock a time was taken. A time of one kind never stands in for one of another. */
typedef enum ptpmon_stamp_kind {
    PTPMON_STAMP_NONE,     /* "none" */
    PTPMON_STAMP_MESSAGE,  /* "message": a message says so; on the clock of the port that stamped it */
    PTPMON_STAMP_HARDWARE, /* "hardware": the NIC's, on its own clock */
    PTPMON_STAMP_SOFTWARE, /* "software": the network stack's, UTC */
    PTPMON_STAMP_CAPTURE,  /* "capture": the capture's, on the clock that it used */
    PTPMON_STAMP_KINDS
} ptpmon_stamp_kind;

/* Whose NIC or capture this is. */
typedef enum ptpmon_end {
    PTPMON_END_UNKNOWN, /* "unknown": directions are not known (a capture alone, a tap). Times are those of the place of
                           capturing: delays are from there to the responder */
    PTPMON_END_REQUESTER, /* "requester": sent Delay_Req or Pdelay_Req, received Sync */
    PTPMON_END_RESPONDER, /* "responder": answered, or sent Sync: its own stamps are beside those of its messages */
    PTPMON_END_BYSTANDER, /* "bystander": received a request of another port */
    PTPMON_ENDS
} ptpmon_end;

/* Why the main quantity of an exchange (delay; of sync and of e2e the offset) is not known. */
typedef enum ptpmon_exchange_reason {
    PTPMON_COMPUTED,          /* it is known */
    PTPMON_WITHOUT_FOLLOW_UP, /* sync, e2e: a two-step Sync without Follow_Up */
    PTPMON_WITHOUT_SYNC,      /* Follow_Up without Sync; e2e: no usable Sync of this port before it */
    PTPMON_WITHOUT_REQUEST,   /* an answer whose request was not seen */
    PTPMON_WITHOUT_RESPONSE,  /* a request without an answer */
    PTPMON_WITHOUT_RESPONSE_FOLLOW_UP,
    PTPMON_SEVERAL_RESPONDERS,      /* more than one port answered a Pdelay_Req */
    PTPMON_WITHOUT_FRAME,           /* a message was not captured, or not whole: its content is not known */
    PTPMON_WITHOUT_STAMP,           /* a local time is missing, or the two are not of one kind, or (transit) clock */
    PTPMON_WITHOUT_DELAY,           /* sync: no delay is known yet, or it is too old */
    PTPMON_CORRECTION_OUT_OF_RANGE, /* PTPMON_CORRECTION_TOO_BIG, or beyond +-10 s */
    PTPMON_TIMESTAMP_OUT_OF_RANGE,  /* nanoseconds >= 10^9, or not within int64 ns */
    PTPMON_TIMESTAMP_NOT_GIVEN,     /* requestReceiptTimestamp or responseOriginTimestamp 0 where it must not be */
    PTPMON_CLOCK_STEPPED,    /* the local clock was stepped within the exchange, or nobody can tell whether it was */
    PTPMON_TIMES_CONTRADICT, /* the times cannot all be true: the other clock was stepped within the exchange, or a
                                stamp is another message's */
    PTPMON_AT_RESPONDER,     /* seen where it is answered or sent: see `own` */
    PTPMON_OF_ANOTHER_PORT,  /* bystander: the request did not pass here as the requester stamped it */
    PTPMON_RULE_UNKNOWN,     /* majorSdoId 2 (CMLDS): the turnaround only */
    PTPMON_SEVERAL_ALIKE, /* messages of one key, but unlike in content, within the window: none is known to belong to
                             another */
    PTPMON_EXCHANGE_REASONS
} ptpmon_exchange_reason;

/* "sync"..., "hardware"..., "requester"..., "computed", "without_follow_up"...; static storage. */
PTPMON_API const char *ptpmon_exchange_kind_name(ptpmon_exchange_kind kind);
PTPMON_API const char *ptpmon_stamp_kind_name(ptpmon_stamp_kind kind);
PTPMON_API const char *ptpmon_end_name(ptpmon_end end);
PTPMON_API const char *ptpmon_exchange_reason_name(ptpmon_exchange_reason reason);

typedef struct ptpmon_port_identity {
    uint8_t clockIdentity[8];
    uint16_t portNumber;
} ptpmon_port_identity;

/* A time as it was read, before any correction. */
typedef struct ptpmon_stamp {
    int64_t ns; /* 0 where the kind is NONE */
    ptpmon_stamp_kind kind;
} ptpmon_stamp;

/* ptpmon_exchange.known: which of the values below it are. */
#define PTPMON_KNOWS_MASTER_TO_SLAVE     0x0001u
#define PTPMON_KNOWS_SLAVE_TO_MASTER     0x0002u
#define PTPMON_KNOWS_DELAY               0x0004u /* meanPathDelay or meanLinkDelay */
#define PTPMON_KNOWS_OFFSET              0x0008u
#define PTPMON_KNOWS_DELAY_FILTERED      0x0010u
#define PTPMON_KNOWS_OFFSET_FILTERED     0x0020u
#define PTPMON_KNOWS_TURNAROUND          0x0040u
#define PTPMON_KNOWS_NEIGHBOR_RATE_RATIO 0x0080u
#define PTPMON_KNOWS_TRANSMITTER_ERROR   0x0100u
#define PTPMON_KNOWS_RECEIVER_ERROR      0x0200u
#define PTPMON_KNOWS_RATE_RATIO          0x0400u
#define PTPMON_KNOWS_RESIDENCE           0x0800u /* transit */
#define PTPMON_KNOWS_CORRECTION_ERROR    0x1000u /* transit */

/*
 * One exchange. t[0..3] are t1..t4, as the formula of its kind uses them:
 *
 *     sync     t1 preciseOriginTimestamp or originTimestamp (message), t2 ingress of Sync (local)
 *     e2e      t1, t2 of the Sync used, t3 egress of Delay_Req (local), t4 receiveTimestamp (message)
 *     p2p, -as t1 egress of Pdelay_Req (local), t2 requestReceiptTimestamp, t3 responseOriginTimestamp (message),
 *              t4 ingress of Pdelay_Resp (local). One-step: the messages have no t2 and t3
 *     transit  t1 at the first point, t2 at the second (local)
 *
 * Local times of one exchange are of one kind: the best that all of them have, hardware before software before capture
 * (or what ptpmon_analyzer_options.stamps demands). Once the NIC has stamped messages of this type, direction and
 * transport at this point, one without its stamp has no time: WITHOUT_STAMP. At the responder the local times are in
 * `own`, at the same index as the message's: t1 of sync, t1 and t4 of e2e, t2 and t3 of p2p.
 */
typedef struct ptpmon_exchange {
    ptpmon_exchange_kind kind;
    ptpmon_exchange_reason reason;
    ptpmon_end end;
    uint32_t point;   /* of observation; of transit the second one */
    uint32_t segment; /* of the local clock, from 0: it goes up with each step and change of rate that was found */
    bool two_step;
    uint8_t domainNumber;
    uint8_t messageType; /* transit: of the message */
    uint16_t sdoId;
    uint16_t sequenceId;             /* of Sync, Delay_Req, Pdelay_Req */
    uint16_t syncSequenceId;         /* e2e: of the Sync used */
    ptpmon_port_identity source;     /* who sent Sync or answered; of an unanswered request unknown (0) */
    ptpmon_port_identity requesting; /* e2e, p2p: who asked */
    uint64_t event_time;             /* system_timestamp of its first event message here; capture alone: 0 */
    int64_t realtime_ns;             /* UTC of the same, or capture time; INT64_MIN = not known */
    uint64_t frame_number;           /* of its first message (e2e: not the Sync); 0 = not captured */

    ptpmon_stamp t[4];
    ptpmon_stamp own[4];
    /* correctionField of each message that takes part, 2^-16 ns; 0 where there is none. transit, where the points share
     * a clock: correction_sync at the first, correction_follow_up at the second point; of Sync with that of its
     * Follow_Up, of Delay_Req less that of its Delay_Resp */
    int64_t correction_sync, correction_follow_up;
    int64_t correction_response, correction_response_follow_up;
    int8_t logMessageInterval; /* of Sync, Delay_Resp, Pdelay_Req; 0x7F = not given */

    uint32_t known;            /* PTPMON_KNOWS_... */
    ptpmon_time masterToSlave; /* sync, e2e: t2 - t1 corrected */
    ptpmon_time slaveToMaster; /* e2e: t4 corrected - t3; what correctionField grew by on the way from here */
    ptpmon_time
        delay; /* meanPathDelay (e2e), meanLinkDelay (p2p, in the local clock's time base); sync: the one used */
    ptpmon_time delay_filtered;
    ptpmon_time offsetFromMaster;  /* sync, e2e: local - master; > 0: the local clock is ahead */
    ptpmon_time offset_filtered;   /* masterToSlave - delay_filtered */
    uint64_t delay_age_ns;         /* sync, e2e: how much older the delay, the Sync used is */
    ptpmon_time turnaround;        /* p2p: t3 - t2 with corrections, on the responder's clock */
    double neighborRateRatio;      /* p2p: responder's clock over ours; sync: the one used */
    double rateRatio;              /* sync with Follow_Up information: grandmaster's clock over ours; e2e: the
                                      master's over ours, by its Syncs: meanPathDelay is scaled with it where known */
    ptpmon_time transmitter_error; /* responder: the message's egress time - own stamp of the same */
    ptpmon_time receiver_error;    /* responder: the message's ingress time - own stamp of the same */
    ptpmon_time residence;         /* transit: t2 - t1, where both points share a clock */
    ptpmon_time correction_error;  /* transit: growth of correctionField - what it should have grown by */
    int64_t correction_request;    /* e2e, p2p: of Delay_Req, Pdelay_Req as it passed here; 2^-16 ns */
} ptpmon_exchange;

/* ---- Findings ----------------------------------------------------------------------------- */

typedef enum ptpmon_finding_kind {
    PTPMON_FOUND_CLOCK_STEP,        /* "clock_step": the NIC's clock jumped by `size` ns; a new segment begins */
    PTPMON_FOUND_RATE_CHANGE,       /* "rate_change": its rate changed by `size` ppm; a new segment begins */
    PTPMON_FOUND_SYSTEM_CLOCK_STEP, /* "system_clock_step": UTC jumped against event time by `size` ns */
    PTPMON_FOUND_FORWARD_CHANGE,    /* "forward_delay_change": the floor of masterToSlave moved by `size` ns and that of
                                       slaveToMaster did not: meanPathDelay and offset moved by half of it. Likewise of a
                                       link, from the port that answers Pdelay_Req to the one that asks */
    PTPMON_FOUND_REVERSE_CHANGE,    /* "reverse_delay_change": likewise of the other direction */
    PTPMON_FOUND_GM_TIME_BASE,  /* "gm_time_base_change": gmTimeBaseIndicator changed: a legal step, by the message */
    PTPMON_FOUND_SOURCE_CHANGE, /* "source_change": Sync of a domain comes from another port now */
    PTPMON_FINDING_KINDS
} ptpmon_finding_kind;

PTPMON_API const char *ptpmon_finding_kind_name(ptpmon_finding_kind kind);

typedef struct ptpmon_finding {
    ptpmon_finding_kind kind;
    uint32_t point;
    uint8_t domainNumber;
    uint16_t sdoId;
    ptpmon_port_identity source; /* of the clocks: 0 */
    uint64_t event_time;         /* as in ptpmon_exchange */
    int64_t realtime_ns;
    double size;  /* ns, or ppm */
    double bound; /* +-, of size */
} ptpmon_finding;

/* ---- Analyzer ----------------------------------------------------------------------------- */

typedef struct ptpmon_analyzer ptpmon_analyzer;

#define PTPMON_DELAY_FILTER_MAX 255

typedef struct ptpmon_analyzer_options {
    uint64_t window_ns;       /* messages of one exchange lie at most so far apart; 0 = 1 s or three intervals of the
                                 messages, whichever is longer, up to 30 s */
    uint32_t max_pending;     /* messages waiting at most, all together; 0 = 65536 */
    ptpmon_stamp_kind stamps; /* HARDWARE, SOFTWARE, CAPTURE: local times of this kind only; NONE = the best there is */
    uint32_t delay_filter;    /* of how many delays the filtered one is the median, up to PTPMON_DELAY_FILTER_MAX;
                                 0 = 10 */
    bool points_share_clock;  /* the stamps of all points are of one clock (ports of one NIC, or synchronized ones):
                                 residence, correction error, asymmetry by reference can be told */
    bool has_true_offset;     /* the offset of the local clock is known from elsewhere (PPS, another interface): */
    ptpmon_time true_offset;  /* local - master; tells the asymmetry by reference */
} ptpmon_analyzer_options;

/* options may be NULL. Errors: INVALID, NO_MEMORY. */
PTPMON_API ptpmon_status ptpmon_analyzer_open(const ptpmon_analyzer_options *options, ptpmon_analyzer **analyzer);
PTPMON_API void ptpmon_analyzer_close(ptpmon_analyzer *analyzer); /* NULL is allowed */

/* An observation point: an interface, or a capture. Points are numbered from 0. The name is copied. Errors: INVALID
 * (more than 64), NO_MEMORY. */
PTPMON_API ptpmon_status ptpmon_analyzer_add_point(ptpmon_analyzer *analyzer, const char *name, uint32_t *point);

/*
 * Takes what an observer with ptpmon_observer_options.messages gives (messages, clocks, losses), or one without a
 * capture: then only what needs no content is computed. Observations of one point come in its order; those of several
 * points are given in turn, none ahead of the others by more than the window (by realtime_ns). A point takes
 * observations or frames, not both.
 * Errors: INVALID (finished, no such point, a point of frames, an observation of no message), NO_MEMORY: it was taken,
 * but the statistics lack something.
 */
PTPMON_API ptpmon_status ptpmon_analyzer_observe(ptpmon_analyzer *analyzer, uint32_t point,
                                                 const ptpmon_observation *observation);

/* Takes a frame of a capture without events; all local times are of kind CAPTURE. Frames that are no PTP message are
 * counted only. Errors: as above. */
PTPMON_API ptpmon_status ptpmon_analyzer_frame(ptpmon_analyzer *analyzer, uint32_t point, const ptpmon_frame *frame);

/* No more will come; what waits is decided. */
PTPMON_API ptpmon_status ptpmon_analyzer_finish(ptpmon_analyzer *analyzer);

/* The next exchange that is decided, the next finding; NOTHING: none now. They must be fetched after each observation:
 * what is not fetched is kept, up to 65536, and then forgotten and counted. `exchange` NULL: it is passed over. */
PTPMON_API ptpmon_status ptpmon_analyzer_next_exchange(ptpmon_analyzer *analyzer, ptpmon_exchange *exchange);
PTPMON_API ptpmon_status ptpmon_analyzer_next_finding(ptpmon_analyzer *analyzer, ptpmon_finding *finding);

/* Likewise up to `capacity` exchanges at once; *count is how many there were. NOTHING: none now. */
PTPMON_API ptpmon_status ptpmon_analyzer_next_exchanges(ptpmon_analyzer *analyzer, ptpmon_exchange *exchanges,
                                                        size_t capacity, size_t *count);

/* ---- What was counted --------------------------------------------------------------------- */

/* By name; of one point. */
typedef enum ptpmon_count {
    PTPMON_COUNT_GAPS,                     /* "missing_messages": sequenceIds that were left out */
    PTPMON_COUNT_DUPLICATES,               /* "duplicates": the same message once more */
    PTPMON_COUNT_REORDERED,                /* "reordered": a sequenceId lower than the one before it */
    PTPMON_COUNT_RESTARTS,                 /* "restarts": a sequence that began anew */
    PTPMON_COUNT_WRAPS,                    /* "wraps": sequenceId 65535 -> 0 */
    PTPMON_COUNT_FOLLOW_UP_FIRST,          /* "follow_up_first": Sync after its Follow_Up, Pdelay_Resp likewise */
    PTPMON_COUNT_WITHOUT_FOLLOW_UP,        /* "sync_without_follow_up" */
    PTPMON_COUNT_WITHOUT_SYNC,             /* "follow_up_without_sync" */
    PTPMON_COUNT_WITHOUT_DELAY_RESP,       /* "delay_req_without_response" */
    PTPMON_COUNT_WITHOUT_DELAY_REQ,        /* "delay_resp_without_request" */
    PTPMON_COUNT_WITHOUT_PDELAY_RESP,      /* "pdelay_req_without_response" */
    PTPMON_COUNT_WITHOUT_PDELAY_REQ,       /* "pdelay_resp_without_request" */
    PTPMON_COUNT_WITHOUT_PDELAY_FOLLOW_UP, /* "pdelay_resp_without_follow_up" */
    PTPMON_COUNT_PDELAY_FOLLOW_UP_ALONE,   /* "pdelay_follow_up_without_response" */
    PTPMON_COUNT_SEVERAL_RESPONDERS,       /* "several_responders" */
    PTPMON_COUNT_LATE_TURNAROUND,          /* "late_turnaround": p2p-as, 10 ms or more, 802.1AS-2020 B.2.3 */
    PTPMON_COUNT_NEGATIVE_TURNAROUND,      /* "negative_turnaround" */
    PTPMON_COUNT_NEGATIVE_DELAY,           /* "negative_delay": below -80 ns */
    PTPMON_COUNT_CORRECTION_OUT_OF_RANGE,  /* "correction_out_of_range" */
    PTPMON_COUNT_CORRECTION_DECREASED,     /* "correction_decreased": transit */
    PTPMON_COUNT_TIMESTAMP_OUT_OF_RANGE,   /* "timestamp_out_of_range" */
    PTPMON_COUNT_TIMESTAMP_NOT_GIVEN,      /* "timestamp_not_given" */
    PTPMON_COUNT_CLOCK_BACKWARDS, /* "clock_backwards": a local stamp before the one before it, without a step found */
    PTPMON_COUNT_STAMP_REPEATED,  /* "stamp_repeated": the very stamp of another message: a latch that is stuck */
    PTPMON_COUNT_WITHOUT_FRAME,   /* "without_frame": events whose frame was not captured */
    PTPMON_COUNT_WITHOUT_EVENT,   /* "without_event": frames without an event, where there were events */
    PTPMON_COUNT_STAMP_MISSING,   /* "stamp_missing": a sent message whose stamp never came */
    PTPMON_COUNT_AMBIGUOUS,       /* "ambiguous": the observer could not pair event and frame */
    PTPMON_COUNT_CUT_SHORT,       /* "cut_short": captured without all that is needed of its content */
    PTPMON_COUNT_FOREIGN,         /* "no_ptp": frames that are no PTP message, of a capture alone */
    PTPMON_COUNT_DECIDED_EARLY,   /* "decided_early": more was pending than is kept */
    PTPMON_COUNT_SERIES_LEFT_OUT, /* "series_left_out": more ports than statistics are kept of */
    PTPMON_COUNT_NOT_FETCHED,     /* "not_fetched" */
    PTPMON_COUNT_PORTS_FORGOTTEN, /* "ports_forgotten": more ports than their past is kept of: the longest silent */
    PTPMON_COUNT_SEEN_AT_ONE_POINT, /* "seen_at_one_point": transit: came to no other point, though those of its sender
                                       just before and after it did */
    PTPMON_COUNTS
} ptpmon_count;

PTPMON_API const char *ptpmon_count_name(ptpmon_count count);

typedef struct ptpmon_analysis_counts {
    uint64_t messages[16];                       /* by messageType */
    uint64_t exchanges[PTPMON_EXCHANGE_KINDS];   /* decided */
    uint64_t computed[PTPMON_EXCHANGE_KINDS];    /* of these, computed */
    uint64_t by_reason[PTPMON_EXCHANGE_REASONS]; /* exchanges */
    uint64_t counts[PTPMON_COUNTS];
} ptpmon_analysis_counts;

/* INVALID: no such point. */
PTPMON_API ptpmon_status ptpmon_analyzer_counts(const ptpmon_analyzer *analyzer, uint32_t point,
                                                ptpmon_analysis_counts *counts);

/* ---- Statistics --------------------------------------------------------------------------- */

/* docs/quantities.md defines each. */
typedef enum ptpmon_quantity {
    PTPMON_OFFSET_FROM_MASTER,          /* "offsetFromMaster", ns: of sync */
    PTPMON_OFFSET_FROM_MASTER_FILTERED, /* "offsetFromMaster_filtered", ns */
    PTPMON_MEAN_PATH_DELAY,             /* "meanPathDelay", ns */
    PTPMON_MEAN_PATH_DELAY_FILTERED,    /* "meanPathDelay_filtered", ns */
    PTPMON_MEAN_LINK_DELAY,             /* "meanLinkDelay", ns */
    PTPMON_MEAN_LINK_DELAY_FILTERED,    /* "meanLinkDelay_filtered", ns */
    PTPMON_NEIGHBOR_RATE_RATIO,         /* "neighborRateRatio", ppm: (ratio - 1) * 10^6 */
    PTPMON_MASTER_TO_SLAVE,             /* "masterToSlave", ns */
    PTPMON_SLAVE_TO_MASTER,             /* "slaveToMaster", ns */
    PTPMON_TURNAROUND,                  /* "turnaround", ns */
    PTPMON_IPDV,                        /* "ipdv", ns: masterToSlave - the one before it (RFC 3393) */
    PTPMON_PDV,                         /* "pdv", ns: masterToSlave - its least so far */
    PTPMON_JITTER,                      /* "jitter", ns: smoothed |ipdv| (RFC 3550 6.4.1) */
    PTPMON_INTERVAL_ERROR,    /* "intervalError", ns: time since the message before it - 2^logMessageInterval s */
    PTPMON_TRANSMITTER_ERROR, /* "transmitterError", ns */
    PTPMON_RECEIVER_ERROR,    /* "receiverError", ns */
    PTPMON_RESIDENCE_TIME,    /* "residenceTime", ns */
    PTPMON_CORRECTION_ERROR,  /* "correctionError", ns */
    PTPMON_PHC_OFFSET,        /* "phcOffset", ns: NIC's clock - UTC */
    PTPMON_PHC_RATE,          /* "phcRate", ppm: NIC's clock against event time */
    PTPMON_QUANTITIES
} ptpmon_quantity;

PTPMON_API const char *ptpmon_quantity_name(ptpmon_quantity quantity);
PTPMON_API const char *ptpmon_quantity_unit(ptpmon_quantity quantity); /* "ns" or "ppm" */

/*
 * The statistics of one quantity of one pair of ports at one point, by one kind of local stamp, in one segment of the
 * local clock. All values are base + what stands here: base is 0 unless the first value is beyond +-10 s (clocks that
 * nobody set), so that doubles hold less than a ns.
 */
typedef struct ptpmon_series {
    ptpmon_quantity quantity;
    uint32_t point, segment;
    ptpmon_stamp_kind stamps; /* of the local times; MESSAGE where there are none (turnaround) */
    uint8_t domainNumber;
    uint8_t messageType; /* intervalError, residenceTime, correctionError; else 255 */
    uint16_t sdoId;
    ptpmon_port_identity source, requesting; /* as in ptpmon_exchange; 0 where there is none */
    uint64_t count; /* 0 (intervalError of messages without an interval): all but the rates means nothing */
    int64_t base_ns;
    double minimum, maximum, mean, standard_deviation;
    double p50, p95, p99, p999; /* exact up to 4096 values; then within 1/128 of the distance to the median of those, or
                                   1 ns (ppm: 10^-4) */
    double last;
    double rate_1s, rate_60s; /* intervalError: messages per second, greatest in any s; mean of the last 60 s. Else 0 */
} ptpmon_series;

/* The series so far, ordered by point, domain, ports, quantity, segment; NOTHING: no such index. */
PTPMON_API size_t ptpmon_analyzer_series_count(const ptpmon_analyzer *analyzer);
PTPMON_API ptpmon_status ptpmon_analyzer_series(const ptpmon_analyzer *analyzer, size_t index, ptpmon_series *series);

/* ---- Path asymmetry ----------------------------------------------------------------------- */

/* Two-way times alone cannot show a constant asymmetry: it looks like an offset. What can tell it: */
typedef enum ptpmon_asymmetry_method {
    PTPMON_ASYMMETRY_NOT_OBSERVABLE, /* "not_observable" */
    PTPMON_ASYMMETRY_BY_REFERENCE,   /* "by_reference": the true offset is known, or both ends were stamped by one clock
                                      */
    PTPMON_ASYMMETRY_BY_CHANGE,      /* "by_change": one direction's floor moved: the change of the asymmetry only */
    PTPMON_ASYMMETRY_BY_COMPARISON,  /* "by_comparison": against the median of three or more grandmasters */
} ptpmon_asymmetry_method;

PTPMON_API const char *ptpmon_asymmetry_method_name(ptpmon_asymmetry_method method);

/*
 * Of one pair of ports at one point: forward is from `source` to `requesting`. Of a path that is master to slave; of a
 * link from the port that answers Pdelay_Req to the one that asks, at the instant of the answer, so that meanLinkDelay
 * is half of forward + reverse. Values as in ptpmon_series, on base_ns.
 */
typedef struct ptpmon_asymmetry {
    ptpmon_asymmetry_method method;
    uint32_t point;
    ptpmon_stamp_kind stamps;
    uint8_t domainNumber;
    uint16_t sdoId;
    ptpmon_port_identity source, requesting;
    int64_t base_ns;                     /* of forward_floor; reverse_floor has - base_ns */
    double forward_floor, reverse_floor; /* least masterToSlave, slaveToMaster in the last window; of a link likewise */
    double floor_window_s;
    double delayAsymmetry;     /* ns, IEEE 1588-2019 7.4.2: (forward - reverse) / 2; by_change: its change */
    double bound;              /* +- ns */
    ptpmon_exchange_kind kind; /* of which exchanges: E2E; P2P and P2P_AS of a link */
} ptpmon_asymmetry;

PTPMON_API size_t ptpmon_analyzer_asymmetry_count(const ptpmon_analyzer *analyzer);
PTPMON_API ptpmon_status ptpmon_analyzer_asymmetry(const ptpmon_analyzer *analyzer, size_t index,
                                                   ptpmon_asymmetry *asymmetry);

/* ---- Time error --------------------------------------------------------------------------- */

/*
 * Of `count` samples of a time error x, ns, evenly spaced by tau0 seconds: no gap is filled here.
 * All of them: INVALID for count 0, tau0 <= 0, samples that are not finite or beyond +-2^63 ns; NO_MEMORY.
 */

/* Resamples (time, value) pairs, ordered by time, to even spacing: sample k is the newest value at
 * (k + 1/2) * tau0_ns after the first pair, so that of values which come at that spacing, each a little early or late,
 * every one is taken once. Stops at a gap of more than max_gap_ns, and when `out`, which has room for `capacity`, is
 * full; *used tells how many pairs it took, so that the rest is at time_ns + *used. *count is what it wrote. Nothing is
 * interpolated. INVALID also where there are no pairs or no room, and for times that go back. */
PTPMON_API ptpmon_status ptpmon_te_resample(const int64_t *time_ns, const double *value, size_t pairs, int64_t tau0_ns,
                                            int64_t max_gap_ns, double *out, size_t capacity, size_t *count,
                                            size_t *used);

/* MTIE of window m * tau0 (ITU-T G.810 II.5), for each of the `windows` values m[], 1 <= m < count, in any order: the
 * greatest peak to peak of m + 1 samples in a row. All together cost O(count * (windows + log max(m))). */
PTPMON_API ptpmon_status ptpmon_te_mtie(const double *x, size_t count, const size_t *m, size_t windows, double *mtie);

/* TDEV of integration time m * tau0 (G.810 II.3), 1 <= m <= count / 3; O(count) for each. Of a series shorter than
 * 12 m it says little. */
PTPMON_API ptpmon_status ptpmon_te_tdev(const double *x, size_t count, const size_t *m, size_t windows, double *tdev);

/* The causal first-order low-pass of G.8273.2 (dTE_L: 0.1 Hz); dTE_H = x - low. `low` may be x. It starts at x[0], and
 * has settled after 5 / (2 pi cutoff) seconds. After a step it has come 1 - 1/e of the way in 1 / (2 pi cutoff).
 * INVALID: cutoff_hz not above 0 and below half of the samples' rate. */
PTPMON_API ptpmon_status ptpmon_te_low_pass(const double *x, size_t count, double tau0, double cutoff_hz, double *low);

/* What is filtered, at 0.1 Hz, is told from when the filter has settled; NAN where the series is shorter than that, or
 * tau0 5 s and more. */
typedef struct ptpmon_te_summary {
    double max_te;      /* max |TE|, unfiltered */
    double max_te_low;  /* max |TE_L|, low-pass filtered */
    double cte;         /* cTE: mean over the last 1000 s, or over all if that is less */
    double cte_seconds; /* over so many */
    double dte_low_pp;  /* peak to peak of dTE_L */
    double dte_high_pp; /* peak to peak of dTE_H */
    double seconds;     /* count * tau0 */
} ptpmon_te_summary;

PTPMON_API ptpmon_status ptpmon_te_summarize(const double *x, size_t count, double tau0, ptpmon_te_summary *summary);

/* Limits. Names: "G.8273.2-A" ... "-D", "PRTC-A", "PRTC-B", "ePRTC". */
typedef enum ptpmon_limit_kind {
    PTPMON_LIMIT_MAX_TE,
    PTPMON_LIMIT_MAX_TE_LOW,
    PTPMON_LIMIT_CTE,
    PTPMON_LIMIT_DTE_LOW_MTIE, /* of tau */
    PTPMON_LIMIT_DTE_LOW_TDEV, /* of tau */
    PTPMON_LIMIT_DTE_HIGH_PP,
    PTPMON_LIMIT_MTIE, /* of tau, unfiltered */
    PTPMON_LIMIT_TDEV, /* of tau, unfiltered */
    PTPMON_LIMIT_KINDS
} ptpmon_limit_kind;

/* The names, NULL after the last; static storage. */
PTPMON_API const char *ptpmon_te_mask_name(size_t index);
/* The limit, ns, at tau seconds (not looked at where the kind does not depend on it). NOTHING: this mask has no such
 * limit there. INVALID: no such mask. */
PTPMON_API ptpmon_status ptpmon_te_limit(const char *mask, ptpmon_limit_kind kind, double tau, double *limit_ns);

#ifdef __cplusplus
}
#endif
#endif
