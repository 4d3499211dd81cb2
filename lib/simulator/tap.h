/* SPDX-License-Identifier: MIT */
/* What a driver side and a capture see at an observed port, into PATH.PORT.events and PATH.PORT.pcapng. */
#ifndef PTPMON_LIB_SIMULATOR_TAP_H
#define PTPMON_LIB_SIMULATOR_TAP_H

#include "network.h"

/* "PATH.PORT.SUFFIX", freed by the caller; NULL: no memory. */
char *ptpmon_sim_path(const char *path, const char *port, const char *suffix);

ptpmon_status ptpmon_sim_tap_open(struct sim_port *port, const char *path);
/* Writes the last reading of the clocks, as of the simulation's time, and closes; the first failure. NULL is allowed.
 */
ptpmon_status ptpmon_sim_tap_close(struct sim_tap *tap);

/* A received frame: it was on the wire at message->stamp (general messages have no stamp), the network stack stamps it
 * at `stack`, the driver side sees it at `driver`; true times. */
void ptpmon_sim_tap_received(struct sim_tap *tap, const struct sim_message *message, sim_time stack, sim_time driver);
/* A sent frame, at the hook. `captured`: as it was then. `expects`: a stamp is to follow. */
void ptpmon_sim_tap_sent(struct sim_tap *tap, const struct sim_message *captured, sim_time hook, bool expects);
/* The late stamp of a sent frame. reading: of the NIC's clock, or SIM_NEVER for a software stamp alone. */
void ptpmon_sim_tap_stamped(struct sim_tap *tap, const struct sim_message *message, sim_time at, sim_time reading,
                            sim_time software, bool expects);
/* The clocks are read now. */
void ptpmon_sim_tap_clocks(struct sim_tap *tap);
/* From now until then the ring is full, or the capture loses all frames. */
void ptpmon_sim_tap_lose_events(struct sim_tap *tap, sim_time until);
void ptpmon_sim_tap_lose_frames(struct sim_tap *tap, sim_time until);

#endif
