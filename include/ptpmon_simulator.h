/* SPDX-License-Identifier: MIT */
/*
 * libptpmon: a simulated PTP network whose truth is known.
 *
 * A grandmaster, bridges and a client in a row, each with clocks, NICs that stamp, and a daemon. A run writes what
 * ptpmon would have recorded at every port: capture (pcapng) and events with hardware stamps and clock readings; and
 * beside them the truth: true offsets, delays, asymmetry, rates. Everything follows from the settings and the seed:
 * equal settings give equal bytes on every system.
 *
 *     ptpmon_simulation_open -> { _set } ... -> _run -> _close
 *
 * docs/simulator.md describes the model, the settings and the file of the truth. Errors and threads: as in ptpmon.h.
 */
#ifndef PTPMON_SIMULATOR_H
#define PTPMON_SIMULATOR_H

#include <ptpmon.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ptpmon_simulation ptpmon_simulation;

PTPMON_API ptpmon_status ptpmon_simulation_open(ptpmon_simulation **simulation);
PTPMON_API void ptpmon_simulation_close(ptpmon_simulation *simulation); /* NULL is allowed */

/* A setting, by name and as text: "duration", "10s". A later value replaces an earlier one, but for those that
 * ptpmon_simulation_setting.repeatable says add up. INVALID: no such setting, or no such value; the message says what
 * is expected. */
PTPMON_API ptpmon_status ptpmon_simulation_set(ptpmon_simulation *simulation, const char *name, const char *value);

/* What can be set; static storage. */
typedef struct ptpmon_simulation_setting {
    const char *name;          /* "asymmetry" */
    const char *value;         /* what it takes: "TIME", "PPM", "N", or the words with | between */
    const char *default_value; /* as text; "" = none */
    const char *meaning;       /* one line */
    bool repeatable;
} ptpmon_simulation_setting;

PTPMON_API size_t ptpmon_simulation_setting_count(void);
PTPMON_API const ptpmon_simulation_setting *ptpmon_simulation_setting_at(size_t index); /* NULL: no such index */

/* What a run wrote. */
typedef struct ptpmon_simulation_result {
    uint64_t frames, events; /* of all ports together */
    uint64_t exchanges;      /* lines of the truth about exchanges */
    uint32_t ports;          /* observed: sets of files */
} ptpmon_simulation_result;

/*
 * Simulates and writes PATH.PORT.pcapng and PATH.PORT.events for each port, such as trace.client.pcapng, and
 * PATH.truth.jsonl. Existing files are replaced; those of ports that only an earlier run with this path had, as the
 * truth there says, are removed. `go_on` (may be NULL) is asked now and then with the part that is done, 0..1; false
 * ends the run early: the files are whole up to there. A simulation runs once. `result` may be NULL.
 *
 * Errors: INVALID (settings that do not go together; ran already), IO, NO_PERMISSION, NO_MEMORY.
 */
PTPMON_API ptpmon_status ptpmon_simulation_run(ptpmon_simulation *simulation, const char *path,
                                               bool (*go_on)(void *context, double done), void *context,
                                               ptpmon_simulation_result *result);

#ifdef __cplusplus
}
#endif
#endif
