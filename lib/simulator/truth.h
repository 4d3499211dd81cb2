/* SPDX-License-Identifier: MIT */
/* PATH.truth.jsonl: what is true, a JSON object in each line. docs/simulator.md names every member. */
#ifndef PTPMON_LIB_SIMULATOR_TRUTH_H
#define PTPMON_LIB_SIMULATOR_TRUTH_H

#include "network.h"

/* Writes the header. */
ptpmon_status ptpmon_sim_truth_open(struct ptpmon_simulation *simulation, const char *path);
/* The last line; the first failure. NULL is allowed. */
ptpmon_status ptpmon_sim_truth_close(struct sim_truth *truth, bool is_whole);
uint64_t ptpmon_sim_truth_exchanges(const struct sim_truth *truth);

/* A Sync; `usable`: with all that it takes, so that correction and masterToSlave are known. */
void ptpmon_sim_truth_sync(struct sim_port *port, const struct sim_sync *sync, uint8_t domain, bool usable);

/* Delay_Req and Delay_Resp; newest: the Sync before it, NULL = none. */
struct sim_truth_delay {
    const struct sim_message *response;
    ptpmon_time offset; /* when the request was sent */
    sim_time reverse;   /* on the clock of the port that was asked */
    const struct sim_sync *newest;
};
void ptpmon_sim_truth_delay(struct sim_port *port, const struct sim_truth_delay *delay);

/* Pdelay; correction of both answers. */
void ptpmon_sim_truth_pdelay(struct sim_port *port, const struct sim_peer *peer, uint8_t domain, bool two_step,
                             int64_t correction, int64_t correction_follow_up);

/* An event message passed a bridge that does not send it anew. added: what it adds for it to a correctionField. */
void ptpmon_sim_truth_transit(struct sim_port *out, const struct sim_message *message, sim_time added);

/* A fault befell a message, or (message NULL) happened. */
void ptpmon_sim_truth_fault(struct ptpmon_simulation *simulation, const struct sim_fault *fault,
                            const struct sim_port *port, const struct sim_message *message);
/* which: "phc", "utc"; by: "fault", "servo". */
void ptpmon_sim_truth_step(struct sim_node *node, const char *which, sim_time size, const char *by);
void ptpmon_sim_truth_rate(struct sim_node *node, int64_t change, const char *by);

#endif
