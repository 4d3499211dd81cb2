/* SPDX-License-Identifier: MIT */
#include "demo_record.h"

#include "cli.h"
#include "demo_network.h"

#include <avb/avb_ptp_recording.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define START_WAIT_MS  10000
#define START_SLICE_MS 20

/* The header is written when the monitor sees every frame. */
static bool has_begun(const struct demo_record *record)
{
    char path[PROCESS_PATH_SIZE + 8];
    struct stat about;
    snprintf(path, sizeof path, "%s.events", record->name);
    return stat(path, &about) == 0 && about.st_size >= (off_t)AVB_RECORDING_HEADER_BYTES;
}

static void remove_older(const struct demo_record *record)
{
    char path[PROCESS_PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s.events", record->name);
    remove(path);
}

/* The recorder's own words are the best reason. */
static void say_why(const struct demo_record *record, char *why, size_t size)
{
    FILE *log = fopen(record->log, "re");
    why[0] = 0;
    while (log != NULL && fgets(why, (int)size, log) != NULL)
        why[strcspn(why, "\n")] = 0;
    if (log != NULL)
        fclose(log);
    if (why[0] == 0)
        snprintf(why, size, "%s: the recording ended by itself", record->name);
}

bool demo_record_start(struct demo_record *record, const char *name, const char *profile, char *why, size_t size)
{
    char program[] = "/proc/self/exe", command[] = "record", interface[] = DEMO_CLIENT, output[] = "--output";
    char quiet[] = "--quiet", force[] = "--force";
    char *argv[] = {program, command, interface, output, record->name, quiet, force, NULL};
    snprintf(record->name, sizeof record->name, "%s-%s", name, profile);
    snprintf(record->log, sizeof record->log, DEMO_DIRECTORY "/%s-record.log", profile);
    remove_older(record);
    if (!process_start(&record->process, argv, -1, record->log)) {
        snprintf(why, size, "%s: cannot be recorded: %s", record->name, strerror(errno));
        return false;
    }
    for (int waited = 0; waited < START_WAIT_MS && process_is_running(&record->process); waited += START_SLICE_MS) {
        if (has_begun(record))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = START_SLICE_MS * NS_PER_MS}, NULL);
    }
    process_stop(&record->process);
    say_why(record, why, size);
    record->name[0] = 0;
    return false;
}

bool demo_record_stop(struct demo_record *record, char *why, size_t size)
{
    if (record->name[0] == 0)
        return true;
    process_stop(&record->process);
    if (WIFEXITED(record->process.status) && WEXITSTATUS(record->process.status) == CLI_OK)
        return true;
    say_why(record, why, size);
    return false;
}
