/* SPDX-License-Identifier: MIT */
/* The settings of a simulation: one table says what there is, reads it, and is what help and documentation show. */
#ifndef PTPMON_LIB_SIMULATOR_SETTINGS_H
#define PTPMON_LIB_SIMULATOR_SETTINGS_H

#include "fixed.h"

#include <ptpmon_simulator.h>

#define SIM_BRIDGES_MAX    8
#define SIM_LINKS_MAX      (SIM_BRIDGES_MAX + 1)
#define SIM_DOMAINS_MAX    8
#define SIM_FAULTS_MAX     32
#define SIM_FAULT_SIZE_MAX (400 * SIM_S)
#define SIM_PPM_MAX        1000
#define SIM_NAME_SIZE      16           /* of a port, with its terminating 0 */
#define SIM_AUTO           INT64_C(127) /* of an interval: as the profile says */

enum sim_profile { SIM_E2E, SIM_P2P, SIM_GPTP };
enum sim_bridge { SIM_BRIDGE_AUTO, SIM_E2E_TC, SIM_P2P_TC, SIM_BOUNDARY, SIM_TIME_AWARE, SIM_SWITCH };
enum sim_transport { SIM_TRANSPORT_AUTO, SIM_ETHERNET, SIM_UDP4, SIM_UDP6 };
enum sim_client { SIM_FREE, SIM_SERVO };
enum sim_epoch { SIM_TAI, SIM_UTC, SIM_ZERO };
enum sim_queue { SIM_QUEUE_NONE, SIM_QUEUE_UNIFORM, SIM_QUEUE_EXPONENTIAL, SIM_QUEUE_GAUSSIAN };
enum sim_queue_at { SIM_QUEUE_AT_BOTH, SIM_QUEUE_AT_LINKS, SIM_QUEUE_AT_BRIDGES };
enum sim_noise { SIM_GAUSSIAN, SIM_UNIFORM };
enum sim_stamps { SIM_HARDWARE, SIM_SOFTWARE, SIM_BOTH };
enum sim_truth_scope { SIM_TRUTH_FULL, SIM_TRUTH_FAULTS, SIM_TRUTH_NONE };

enum sim_fault_kind {
    SIM_LOSS,
    SIM_DUPLICATE,
    SIM_REORDER,
    SIM_FOLLOW_UP_FIRST,
    SIM_STUCK_LATCH,
    SIM_MISSING_TX_STAMP,
    SIM_WRONG_SIGN,
    SIM_NO_CORRECTION,
    SIM_PHC_STEP,
    SIM_PHC_RATE,
    SIM_LATE_TURNAROUND,
    SIM_SECOND_GM,
    SIM_UTC_SECONDS,
    SIM_SEVERAL_RESPONDERS,
    SIM_BAD_NANOSECONDS,
    SIM_CORRECTION_TOO_BIG,
    SIM_RESTART,
    SIM_PATH_CHANGE,
    SIM_EVENT_LOSS,
    SIM_CAPTURE_LOSS,
    SIM_SYSTEM_STEP,
    SIM_FAULT_KINDS
};

#define SIM_CHANCE_ONE (UINT64_C(1) << 32)

struct sim_fault {
    enum sim_fault_kind kind;
    sim_time at, until;
    uint64_t chance;           /* of SIM_CHANCE_ONE */
    uint32_t types;            /* a bit for each messageType */
    char where[SIM_NAME_SIZE]; /* a port or a node; "" = as the kind says */
    sim_time size;
    int64_t rate;
    bool reverse;    /* path_change: towards the grandmaster */
    bool takes_over; /* second_gm */
    uint32_t link;   /* path_change, from 1 */
};

struct sim_settings {
    int64_t profile, bridge, transport, client, client_epoch, queue, queue_at, stamp_noise, stamps, truth;
    int64_t one_step, bridge_one_step, unicast, turnaround_in_correction;
    int64_t seed, start, bridges, vlan, pcp;
    int64_t sync_interval, announce_interval, delay_interval, pdelay_interval;
    sim_time duration, domain_offset, jitter, offset, bridge_offset, residence, queue_time, granularity, stamp_error;
    sim_time host_latency, driver_latency, reading_error, response_delay, host_offset;
    int64_t drift, wander, gm_drift, gm_wander, bridge_drift, bridge_wander, host_drift;
    int64_t load;
    sim_time link_delay[SIM_LINKS_MAX], asymmetry[SIM_LINKS_MAX];
    uint8_t domains[SIM_DOMAINS_MAX];
    size_t domain_count;
    char observe[128];
    struct sim_fault faults[SIM_FAULTS_MAX];
    size_t fault_count;
    /* What was set, as text, by index of the table; NULL: not set. Faults are separated by spaces. */
    char *texts[64];
};

/* All defaults. INVALID never; NO_MEMORY never. */
void ptpmon_sim_settings_init(struct sim_settings *settings);
ptpmon_status ptpmon_sim_settings_set(struct sim_settings *settings, const char *name, const char *value);
/* What is left to the profile, and whether all goes together. */
ptpmon_status ptpmon_sim_settings_resolve(struct sim_settings *settings);
void ptpmon_sim_settings_free(struct sim_settings *settings);
/* As text: what was set, else the default. */
const char *ptpmon_sim_settings_text(const struct sim_settings *settings, size_t index);

const char *ptpmon_sim_fault_name(enum sim_fault_kind kind);

/* ---- Values; false = not of this form ---- */

#define SIM_UNITS "ns, us, ms, s, m (or min), h or d"

/* "1.5us", "-37s", "0": a number and one of SIM_UNITS; the nearest 2^-16 ns. */
bool ptpmon_sim_parse_time(const char *text, size_t length, sim_time *time);
/* A number, or several with commas between, one of which is all there is of a time. */
bool ptpmon_sim_lacks_unit(const char *text);
/* "12.5", "12.5ppm": parts per million, up to +-1000; the nearest 2^-48. */
bool ptpmon_sim_parse_ppm(const char *text, size_t length, int64_t *rate);
/* "0.01": 0 to 1, in 2^-32. */
bool ptpmon_sim_parse_chance(const char *text, size_t length, uint64_t *chance);
/* "loss:type=sync,p=0.01" */
bool ptpmon_sim_parse_fault(const char *text, struct sim_fault *fault, char *problem, size_t size);

#endif
