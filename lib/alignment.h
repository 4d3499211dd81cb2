/* SPDX-License-Identifier: MIT */
/*
 * Checks that a capture file belongs to a recording of events, and tells which clock it used. What is
 * decided by what is said at the observer in ptpmon.h; the bounds are in alignment_probe.h and
 * alignment_vote.h.
 */
#ifndef PTPMON_LIB_ALIGNMENT_H
#define PTPMON_LIB_ALIGNMENT_H

#include <ptpmon.h>

/*
 * The recording is enabled, and both are left at their start, the capture with the right interface
 * selected. options may be NULL. Fills *alignment:
 *   SYSTEM   equal_stamps of compared_stamps; the rest is 0.
 *   ASSUMED  likewise; what the pairs say is close to nothing and is not filled in.
 *   OTHER    what pairs of the probed stretch say. equal_stamps > 0: capture times are the events'
 *            stamps of the system clock, all moved by offset_ns exactly (`editcap -t`); drift_ppm and
 *            residual_ns are 0 then.
 * Errors: BAD_FILE (refused: the message names both files and the reason, or the recording is
 * damaged), INVALID (not a recording), NO_MEMORY, IO.
 */
ptpmon_status ptpmon_align(ptpmon_monitor *recording, ptpmon_capture *file, const ptpmon_observer_options *options,
                           ptpmon_alignment *alignment);

#endif
