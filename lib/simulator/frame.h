/* SPDX-License-Identifier: MIT */
/* A simulated message as a frame on the wire, and as the event that a driver side makes of it. */
#ifndef PTPMON_LIB_SIMULATOR_FRAME_H
#define PTPMON_LIB_SIMULATOR_FRAME_H

#include "network.h"

#define SIM_FRAME_MAX 320

/* As the frame looks at this port; `padded`: to the least that Ethernet carries. Returns its length. */
uint32_t ptpmon_sim_frame(const struct sim_port *port, const struct sim_message *message, bool padded,
                          uint8_t bytes[SIM_FRAME_MAX]);

/* What the frame says; times, direction, stamps and queue are left 0. */
void ptpmon_sim_event(const struct ptpmon_simulation *simulation, const struct sim_message *message,
                      PTP_TIMESTAMP_EVENT *event);

#endif
