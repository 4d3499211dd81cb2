/* SPDX-License-Identifier: MIT */
/* The demo where it cannot run live: the same view on a bundled recording. */
#ifndef PTPMON_CLI_DEMO_RECORDED_H
#define PTPMON_CLI_DEMO_RECORDED_H

#include "view.h"

/*
 * Adds a part to the view for each recording, gives it the recorded records and frames through an
 * observer on the part's sink, sets the part's `compared` and `elapsed_ns`, and calls
 * view_summarize_part(). The caller ends the view. Returns an enum cli_exit; problems are said with
 * cli_message() or cli_library_error(). only: a profile's name, NULL = all.
 */
int demo_recorded(struct view *view, const char *only);

#endif
